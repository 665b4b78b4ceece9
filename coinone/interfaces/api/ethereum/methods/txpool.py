"""txpool_*: waiting transactions by sender and nonce: `pending` can run now, `queued` waits for an earlier nonce."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from coinone.base.crypto.checksum import checksummed
from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.weights import (
    RECORDS_BYTES_PER_WEIGHT,
    STORED_BYTES_PER_WEIGHT,
    TRANSACTIONS_PER_WEIGHT,
)
from coinone.interfaces.api.ethereum.chain.served import ServedReader
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import LIMIT_EXCEEDED, RpcError
from coinone.interfaces.api.ethereum.json.hexes import read_address
from coinone.interfaces.api.ethereum.json.transactions import pending_transaction_json
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import PENDING_BYTES_MAX, POOL_SHOWN_MAX
from coinone.protocols.txpool.ethereum import Candidate, EthereumPool
from coinone.rules.state.steps import at_once, each

T = TypeVar("T")
Waiting = tuple[Address, int, bytes]  # sender, nonce, the transaction
Row = tuple[str, Waiting]  # and whether it is "pending" or "queued"
ByKind = dict[str, dict[str, dict[str, Any]]]  # by sender, then by nonce


async def status(context: Context) -> dict[str, str]:
    pending, queued = await context.backend.reads.query(
        lambda reader: (reader.pool.ready_count, len(reader.pool) - reader.pool.ready_count)
    )
    return {"pending": hex(pending), "queued": hex(queued)}


async def content(context: Context) -> ByKind:
    """All waiting transactions; senders in mixed case, as in geth. Raises RpcError if they exceed the size of one
    answer."""
    return _by_sender(await _all_whole(context))


async def inspect(context: Context) -> ByKind:
    """`content` with a line of text per transaction, so that even the largest pool fits."""
    rows = await _all_waiting(context)
    context.purse.spend(_size(rows) // STORED_BYTES_PER_WEIGHT)
    return _by_sender(await _shown(context, rows, _summary))


async def pending_transactions(context: Context) -> list[Any]:
    """eth_pendingTransactions: all waiting ones. (geth returns those of its own accounts; this node holds none.)"""
    return [shown for _, shown in await _all_whole(context)]


async def content_from(context: Context, address: Any) -> dict[str, dict[str, Any]]:
    """The waiting transactions of one sender, which the pool limits to less than one answer."""
    account = read_address(address)
    rows = await _waiting(context, lambda pool: iter(pool.of(account)))
    by_kind: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
    for (kind, (_, nonce, _)), shown in await _whole(context, rows):
        by_kind[kind][str(nonce)] = shown
    return by_kind


def _by_sender(found: list[tuple[Row, Any]]) -> ByKind:
    by_kind: ByKind = {"pending": {}, "queued": {}}
    for (kind, (sender, nonce, _)), shown in found:
        by_kind[kind].setdefault(checksummed(sender), {})[str(nonce)] = shown
    return by_kind


async def _all_whole(context: Context) -> list[tuple[Row, msgspec.Raw]]:
    rows = await _all_waiting(context)
    if _size(rows) > PENDING_BYTES_MAX:
        raise _too_much(f"{PENDING_BYTES_MAX} bytes", "txpool_inspect names all senders, ")
    return await _whole(context, rows)


async def _all_waiting(context: Context) -> list[Row]:
    """The waiting transactions of all senders. Raises RpcError if they exceed one answer."""
    rows = await _waiting(context, lambda pool: pool.pending())
    if len(rows) > POOL_SHOWN_MAX:
        raise _too_much(f"{POOL_SHOWN_MAX} transactions")
    return rows


def _too_much(most: str, first: str = "") -> RpcError:
    return RpcError(
        LIMIT_EXCEEDED,
        f"more waits than one answer holds ({most}): {first}txpool_contentFrom shows what one sender has waiting",
    )


async def _waiting(context: Context, those: Callable[[EthereumPool], Iterator[Candidate]]) -> list[Row]:
    """The waiting transactions, up to one more than is shown, paid for by number. Many calls may run concurrently: a
    sender that has used up its weight meanwhile is refused (LimitExceeded)."""

    def read(reader: ServedReader) -> list[Row]:
        pool = reader.pool
        return [_row(pool, tx) for tx in islice(those(pool), POOL_SHOWN_MAX + 1)]

    rows = await context.backend.reads.query(read)
    context.purse.require()
    context.purse.spend(len(rows) // TRANSACTIONS_PER_WEIGHT)
    return rows


def _row(pool: EthereumPool, tx: Candidate) -> Row:
    kind = "pending" if tx.nonce < pool.next_nonce(tx.sender, 0) else "queued"
    return kind, (tx.sender, tx.nonce, tx.raw)


def _size(rows: list[Row]) -> int:
    """The total size of the transactions in bytes."""
    return sum(len(raw) for _, (_, _, raw) in rows)


async def _whole(context: Context, rows: list[Row]) -> list[tuple[Row, msgspec.Raw]]:
    """Whole transactions, paid for by bytes."""
    context.purse.spend(_size(rows) // RECORDS_BYTES_PER_WEIGHT)
    return await _shown(context, rows, _json)


async def _shown(context: Context, rows: list[Row], show: Callable[[bytes], T]) -> list[tuple[Row, T]]:
    return await context.in_parts(each(rows, at_once(lambda row: (row, show(row[1][2])))), is_paid=True)


def _json(raw: bytes) -> msgspec.Raw:
    """A transaction encoded within its part, so that the whole answer only needs to be joined."""
    return msgspec.Raw(jsonio.encode(pending_transaction_json(decode_transaction(raw))))


def _summary(raw: bytes) -> str:
    tx = decode_transaction(raw)
    to = "contract creation" if tx.to is None else checksummed(tx.to)
    return f"{to}: {tx.value} wei + {tx.gas} gas × {tx.gas_price} wei"
