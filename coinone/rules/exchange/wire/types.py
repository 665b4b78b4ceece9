"""Transactions of the exchange as frozen values: envelopes as they travel, and what they are once verified."""

from dataclasses import dataclass

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.wire.action import Action


@dataclass(frozen=True, slots=True)
class L1Envelope:
    """Transaction type 0x70: the msgpack bytes exactly as the client signed them."""

    action: bytes
    nonce: int
    vault: Address | None
    expires_after: int | None
    source: str
    r: int
    s: int
    v: int


@dataclass(frozen=True, slots=True)
class UserEnvelope:
    """Transaction type 0x71: exactly the signed EIP-712 fields, in their order, canonically encoded."""

    type_name: str  # e.g. "UsdSend"
    values: tuple[bytes, ...]
    signature_chain_id: int
    r: int
    s: int
    v: int


ActionEnvelope = L1Envelope | UserEnvelope


@dataclass(frozen=True, slots=True)
class OracleEnvelope:
    """Transaction type 0x72: prices of one reporter, in the markets' own price units."""

    time_ms: int
    prices: tuple[tuple[int, int], ...]
    r: int
    s: int
    v: int


@dataclass(frozen=True, slots=True)
class VerifiedAction:
    """An action with its signer recovered: all that the engine needs, and nothing it must trust."""

    action: Action
    foreign: bool  # signed under Hyperliquid's domain, not ours
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
