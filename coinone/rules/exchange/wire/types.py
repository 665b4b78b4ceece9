"""Transactions of the exchange as immutable values: envelopes as sent, and their verified forms."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import INT64_MAX
from coinone.base.primitives.parameters import ORACLE_PRICES_MAX
from coinone.base.primitives.records import record
from coinone.base.primitives.types import U8, U32, U64, U256, Address, Between, Count, Fixed, Hash32
from coinone.rules.exchange.wire.action import Action


def _decode_name(item: rlp.Item) -> str:
    text = rlp.decode_bytes(item)
    if len(text) > _NAME_MAX:
        raise DecodeError("name too long", have=len(text))
    try:
        return text.decode("ascii")
    except UnicodeDecodeError as error:
        raise DecodeError("name is not ASCII") from error


_NAME_MAX = 64
Name: TypeAlias = Annotated[str, Codec(lambda name: rlp.encode(name.encode()), _decode_name)]
Expiry: TypeAlias = Annotated[int, Fixed(8)]
"""Eight bytes, as hashed: an absent expiry and an expiry of 0 are different digests."""


@record
@dataclass(frozen=True, slots=True)
class L1Envelope:
    """Transaction type 0x70: the msgpack bytes exactly as the client signed them."""

    action: bytes
    nonce: U64
    vault: Address | None
    expires_after: Expiry | None
    source: Name
    r: U256
    s: U256
    v: U8


@record
@dataclass(frozen=True, slots=True)
class UserEnvelope:
    """Transaction type 0x71: exactly the signed EIP-712 fields, in their order, canonically encoded."""

    type_name: Name  # e.g. "UsdSend"
    values: tuple[bytes, ...]
    signature_chain_id: U64
    r: U256
    s: U256
    v: U8


ActionEnvelope = L1Envelope | UserEnvelope


Price: TypeAlias = Annotated[int, Between(1, INT64_MAX)]


@record
@dataclass(frozen=True, slots=True)
class OracleEnvelope:
    """Transaction type 0x72: prices of one reporter, in the markets' own price units."""

    time_ms: U64
    prices: Annotated[tuple[tuple[U32, Price], ...], Count(ORACLE_PRICES_MAX)]  # (market, price)
    r: U256
    s: U256
    v: U8


@dataclass(frozen=True, slots=True)
class VerifiedAction:
    """An action with its signer recovered: all that the engine needs, and nothing it must trust."""

    action: Action
    foreign: bool  # signed under Hyperliquid's domain, not this chain's
    signer: Address
    vault: Address | None
    nonce: int
    expires_after: int | None
    digest: Hash32
    tx_hash: Hash32
    size: int  # bytes of the transaction

    @property
    def user_signed(self) -> bool:
        """Whether its fields were signed one by one, by the account's own key."""
        return self.action.type.signed is not None


@dataclass(frozen=True, slots=True)
class OracleReport:
    """A verified 0x72: `reporter` signed `prices` at `time_ms`."""

    reporter: Address
    time_ms: int
    prices: tuple[tuple[int, int], ...]
    tx_hash: Hash32


@dataclass(frozen=True, slots=True)
class DomainRules:
    """Which signing domains a network accepts (D5)."""

    chain_id: int
    accept_foreign_user_signed: bool  # dev only
    accept_foreign_l1: bool  # dev: from any key; elsewhere only from agents with the compat flag
