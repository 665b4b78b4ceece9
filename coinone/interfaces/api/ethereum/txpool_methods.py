"""txpool_*: what waits, by sender and nonce: `pending` can run now, `queued` waits for a nonce before it."""

from collections.abc import Callable
from typing import Any, TypeVar

from coinone.base.crypto.checksum import checksummed
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.hexes import read_address
from coinone.interfaces.api.ethereum.parts import in_parts
from coinone.interfaces.api.ethereum.served import ServedReader
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json
from coinone.interfaces.api.limits import POOL_SHOWN_MAX
from coinone.interfaces.api.weights import TRANSACTIONS_PER_WEIGHT
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.state.steps import at_once, each

T = TypeVar("T")
Waiting = tuple[Address, int, bytes]  # sender, nonce, the transaction
Row = tuple[str, Waiting]  # and whether it is "pending" or "queued"


async def status(context: Context) -> dict[str, str]:
    pending, queued = await context.backend.reads.query(
        lambda reader: (reader.pool.ready_count, len(reader.pool) - reader.pool.ready_count)
    )
    return {"pending": hex(pending), "queued": hex(queued)}


async def content(context: Context) -> dict[str, dict[str, Any]]:
    """All that waits, as far as an answer is allowed to be long; senders in mixed case, as in geth."""
    return await _by_sender(context, _shown)


async def inspect(context: Context) -> dict[str, dict[str, Any]]:
    """`content` with a line of words for each transaction."""
    return await _by_sender(context, _summary)


async def _by_sender(context: Context, show: Callable[[bytes], Any]) -> dict[str, dict[str, Any]]:
    by_kind: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
    for (kind, (sender, nonce, _)), shown in await _all_shown(context, show):
        by_kind[kind].setdefault(checksummed(sender), {})[str(nonce)] = shown
    return by_kind


async def _all_shown(context: Context, show: Callable[[bytes], T]) -> list[tuple[Row, T]]:
    """What waits, as far as it is shown, in short parts; paid for by how many they are."""
    rows = await context.backend.reads.query(lambda reader: _waiting(reader, None))
    context.purse.spend(len(rows) // TRANSACTIONS_PER_WEIGHT)

    steps = each(rows, at_once(lambda row: (row, show(row[1][2]))))
    return await in_parts(context.backend.reads.in_thread, steps)


def _summary(raw: bytes) -> str:
    tx = decode_transaction(raw)
    to = "contract creation" if tx.to is None else checksummed(tx.to)
    return f"{to}: {tx.value} wei + {tx.gas} gas × {tx.gas_price} wei"


async def pending_transactions(context: Context) -> list[dict[str, Any]]:
    """eth_pendingTransactions: all that wait. (geth shows those of its own accounts; this node holds none.)"""
    return [shown for _, shown in await _all_shown(context, _shown)]


async def content_from(context: Context, address: Any) -> dict[str, dict[str, Any]]:
    """What one sender has waiting."""
    account = read_address(address)
    rows = await context.backend.reads.query(lambda reader: _waiting(reader, account))
    by_kind: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
    for kind, (_, nonce, raw) in rows:
        by_kind[kind][str(nonce)] = _shown(raw)
    return by_kind


def _shown(raw: bytes) -> dict[str, Any]:
    return pending_transaction_json(decode_transaction(raw))


def _waiting(reader: ServedReader, sender: Address | None) -> list[Row]:
    """Of one sender, or of all as far as is shown."""
    pool = reader.pool
    rows: list[Row] = []
    for tx in pool.pending() if sender is None else pool.of(sender):
        after = pool.next_nonce(tx.sender, 0)
        rows.append(("pending" if tx.nonce < after else "queued", (tx.sender, tx.nonce, tx.raw)))
        if len(rows) >= POOL_SHOWN_MAX:
            break
    return rows
