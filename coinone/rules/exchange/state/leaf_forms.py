"""Leaf records: the encodings of accounts, markets and counters under the exchange's root.

Rows are columns of 8-byte signed integers, in the order of the lists below. `leaf_rows.py` writes the leaves of many
accounts and orders together; a test compares it with these forms. They are tuples, since many are made.
"""

import struct
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.records import record
from coinone.base.primitives.types import U32, U64, Address, Between, Trailing, Wrapped

ACCOUNT, ORDER, MARKET, UNCLAIMED, GLOBALS = b"a", b"o", b"m", b"u", b"g"
"""The first byte of a leaf's key (leaves.py)."""

ACCOUNT_COLUMNS = (
    "cash", "taker_volume", "maker_volume", "credits_used", "fees_paid", "refilled", "looked_ms",
    "liquidated_ms", "created_ms",
    "taker_rate", "maker_rate", "flags",
)  # fmt: skip
POSITION_COLUMNS = (
    "size", "entry_notional", "opened_ms", "funding_all", "funding_open", "funding_change", "funding_ms",
    "leverage",
)  # fmt: skip
ORDER_COLUMNS = (
    "px", "sz", "orig_sz", "cloid_hi", "cloid_lo", "time_ms", "builder_fee", "market", "side", "tif",
    "reduce_only", "has_cloid",
)  # fmt: skip
ORDER_LEAF_SIZE = 8 * (len(ORDER_COLUMNS) + 1)  # and the builder
MARKET_COLUMNS = (
    "mark", "oracle", "oracle_ms", "limit_share", "funding_rate", "funding_ms", "funding_long", "funding_short",
    "unbooked", "open_interest", "last_px", "last_ms", "volume", "base_volume", "status",
)  # fmt: skip
TERMS_COLUMNS = (
    "max_px", "max_sz", "max_open_interest", "min_notional", "tick", "lot", "px_unit", "band_bps", "sig_figs",
    "sz_decimals", "max_leverage", "first_leverage",
)  # fmt: skip
TIER_COLUMNS = ("lower", "deduction", "max_leverage")
GLOBAL_COLUMNS = (
    "next_account",
    "next_oid",
    "next_tid",
    "insurance",
    "fees",
    "funding_clearing",
    "unclaimed",
)


def pack_row(row: Any, columns: Sequence[str]) -> bytes:
    return struct.pack(f">{len(columns)}q", *[int(row[name]) for name in columns])


def unpack_row(row: Any, columns: Sequence[str], data: bytes) -> None:
    for name, value in zip(columns, struct.unpack(f">{len(columns)}q", data), strict=True):
        row[name] = value


def _signed(value: int) -> bytes:
    """Encode a signed integer of any size in the fewest bytes of two's complement."""
    return rlp.encode(value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True))


def _nonces(values: Sequence[int]) -> bytes:
    return rlp.encode(struct.pack(f">{len(values)}Q", *values))


def _decode_nonces(item: rlp.Item) -> tuple[int, ...]:
    packed = rlp.decode_bytes(item)
    return struct.unpack(f">{len(packed) // 8}Q", packed)


Signed: TypeAlias = Annotated[
    int, Codec(_signed, lambda item: int.from_bytes(rlp.decode_bytes(item), "big", signed=True))
]
Text: TypeAlias = Annotated[
    str, Codec(lambda text: rlp.encode(text.encode()), lambda item: rlp.decode_bytes(item).decode())
]


@record
class SettingsLeaf(NamedTuple):
    builders: tuple[tuple[Address, U64], ...]
    referrer: Text
    cancels_fired: tuple[U64, U64]
    volume_days: tuple[tuple[U64, U64], ...]
    is_builder: bool


@record
class AgentLeaf(NamedTuple):
    address: Address
    name: Text
    valid_until_ms: U64
    compat: bool


@record
class SignerLeaf(NamedTuple):
    """The nonces of one key; 8 bytes each."""

    address: Address
    nonces: Annotated[tuple[int, ...], Codec(_nonces, _decode_nonces)]
    closed: Annotated[Annotated[int, Between(1, 2)] | None, Trailing()] = None  # ledger.Closed, if not NO


@record
class AccountLeaf(NamedTuple):
    address: Address
    row: bytes
    positions: tuple[tuple[U32, bytes], ...]  # (market, row)
    settings: SettingsLeaf
    scheduled_ms: U64  # 0: no cancel is scheduled
    agents: tuple[AgentLeaf, ...]
    signers: tuple[SignerLeaf, ...]


@record
class TermsLeaf(NamedTuple):
    """The terms with which a market was listed: under the root, so that nodes with other terms differ immediately."""

    name: Text
    row: bytes
    tiers: tuple[bytes, ...]
    impact_notional: U64


@record
class ReportLeaf(NamedTuple):
    reporter: Address
    time_ms: U64
    px: U64


@record
class MarketLeaf(NamedTuple):
    row: bytes
    memory: tuple[Signed, ...]  # the fields of MarketMemory
    reports: tuple[ReportLeaf, ...]
    terms: Annotated[TermsLeaf, Wrapped()]


@record
class QuotaLeaf(NamedTuple):
    market: Signed  # -1: all
    spent: U64
    since_ms: U64


@record
class GlobalsLeaf(NamedTuple):
    row: bytes
    seq: U64
    time_ms: U64
    fund_spent: tuple[QuotaLeaf, ...]
    fee_day: U64
    fee_account: U64
    collect_account: U64
