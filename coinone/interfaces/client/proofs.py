"""Verify an account proof, from the leaf up to the hash of a block, without trusting the node.

Written from docs/protocol/account-proofs.md alone, so it is a second, independent implementation. It cannot
know whether the block is the chain's: compare `block_hash` with one from a node that you trust.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import verify
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parse import format_bytes, parse_bytes, parse_hash
from coinone.base.primitives.types import ZERO_HASH
from coinone.interfaces.client.errors import ClientError

_ACCOUNT = (
    "cash", "taker_volume", "maker_volume", "credits_used", "fees_paid", "refilled", "looked_ms",
    "liquidated_ms", "created_ms",
    "taker_rate", "maker_rate", "flags",
)  # fmt: skip
_POSITION = (
    "size", "entry_notional", "opened_ms", "funding_all", "funding_open", "funding_change", "funding_ms",
    "leverage",
)  # fmt: skip
_ORDER = (
    "px", "sz", "orig_sz", "cloid_hi", "cloid_lo", "time_ms", "builder_fee", "market", "side", "tif",
    "reduce_only", "has_cloid",
)  # fmt: skip
_ORDER_SIZE = 8 * (len(_ORDER) + 1)  # and the builder's number
_NUMBER, _EXTRA_DATA = 8, 12  # indexes in an Ethereum header

Row = dict[str, int]


class ProofFailed(ClientError):
    """The answer does not prove its claims."""


@dataclass(frozen=True, slots=True)
class ProvenAccount:
    """An account in a block, in the chain's units (amounts in 10^-6 quote, prices and sizes in the market's)."""

    block_number: int
    block_hash: str
    address: str
    account: Row
    positions: dict[int, Row]  # by market
    orders: dict[int, Row]  # by oid


def verify_account_proof(answer: Any, user: str, block_hash: str | None = None) -> ProvenAccount:
    """Verify an answer of `accountProof`. Raises ProofFailed, also if it is of another account or not under
    `block_hash`."""
    try:
        proven = _verify(answer, block_hash)
        _need(proven.address == user.lower(), f"the account of {proven.address}")
        return proven
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        OverflowError,
        struct.error,
        DecodeError,
    ) as error:
        raise ProofFailed(f"the proof cannot be read: {error}") from error


def _verify(answer: Any, block_hash: str | None) -> ProvenAccount:
    given, roots = answer["account"], answer["roots"]
    leaf, number = parse_bytes(given["leaf"]), given["number"]
    orders = [(row["oid"], parse_bytes(row["leaf"])) for row in given["orders"]]
    _need([oid for oid, _ in orders] == sorted({oid for oid, _ in orders}), "orders are out of order")
    _need(all(len(order) == _ORDER_SIZE for _, order in orders), "an order of another length")
    listed = b"".join([oid.to_bytes(8, "big") + order for oid, order in orders])
    path = [parse_hash(sibling) for sibling in given["path"]]
    place = rlp.encode([leaf, keccak256(listed) if orders else ZERO_HASH])
    _need(
        verify(parse_hash(roots["accounts"]), given["places"], number, place, path),
        "not in the tree of accounts",
    )
    rows_root = keccak256(b"coinone-rows" + _joined(roots, ("accounts", "markets", "unclaimed", "globals")))
    root = keccak256(b"coinone-exchange" + rows_root + parse_hash(answer["effectsHash"]))
    found, height = _under_block(answer, root)
    _need(block_hash is None or found == block_hash.lower(), f"proven under block {found}, not {block_hash}")
    return _decoded(found, height, leaf, orders)


def _under_block(answer: Any, exchange_root: bytes) -> tuple[str, int]:
    """The hash and number of the block whose header commits to the root."""
    extension = answer["extension"]
    _need(parse_hash(extension["exchangeRoot"]) == exchange_root, "another exchange root")
    fields = [
        extension["batch"],
        *(parse_hash(extension[name]) for name in ("batchHash", "exchangeRoot", "forcedRoot")),
    ]
    header = parse_bytes(answer["header"])
    read = rlp.decode_list(rlp.decode(header))
    _need(read[_EXTRA_DATA] == keccak256(rlp.encode(fields)), "the header has another extension")
    return format_bytes(keccak256(header)), rlp.decode_int(read[_NUMBER])


def _decoded(block_hash: str, height: int, leaf: bytes, orders: Sequence[tuple[int, bytes]]) -> ProvenAccount:
    address, row, positions, *_ = rlp.decode_list(rlp.decode(leaf))
    held: dict[int, Row] = {}
    for item in rlp.decode_list(positions):
        market, columns = rlp.decode_list(item, 2)
        held[rlp.decode_int(market)] = _row(columns, _POSITION)
    return ProvenAccount(
        block_number=height,
        block_hash=block_hash,
        address=format_bytes(rlp.decode_bytes(address, 20)),
        account=_row(row, _ACCOUNT),
        positions=held,
        orders={oid: _order(order) for oid, order in orders},
    )


def _row(columns: Any, names: Sequence[str]) -> Row:
    """Decode columns: 8-byte signed integers in a fixed order."""
    return dict(zip(names, struct.unpack(f">{len(names)}q", columns), strict=True))


def _order(leaf: bytes) -> Row:
    """Decode an order's row and the account number of its builder after it (0: none)."""
    return {**_row(leaf[:-8], _ORDER), "builder": int.from_bytes(leaf[-8:], "big")}


def _joined(roots: Any, names: Sequence[str]) -> bytes:
    return b"".join(parse_hash(roots[name]) for name in names)


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProofFailed(otherwise)
