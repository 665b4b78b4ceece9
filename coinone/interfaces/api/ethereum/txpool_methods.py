"""txpool_*: what waits, by sender and nonce: `pending` can run now, `queued` waits for a nonce before it."""

from typing import Any

from coinone.base.crypto.checksum import checksummed
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.hexes import read_address
from coinone.interfaces.api.ethereum.served import ServedReader
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json
from coinone.interfaces.api.limits import POOL_SHOWN_MAX
from coinone.rules.chain.ethereum.transaction import decode_transaction

Waiting = tuple[Address, int, bytes]  # sender, nonce, the transaction


async def status(context: Context) -> dict[str, str]:
    pending, queued = await context.backend.reads.query(
        lambda reader: (reader.pool.ready_count, len(reader.pool) - reader.pool.ready_count)
    )
    return {"pending": hex(pending), "queued": hex(queued)}


async def content(context: Context) -> dict[str, dict[str, Any]]:
    """All that waits, as far as an answer is allowed to be long; senders in mixed case, as in geth."""
    rows = await context.backend.reads.query(lambda reader: _waiting(reader, None))

    def shown() -> dict[str, dict[str, Any]]:
        by_kind: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
        for kind, (sender, nonce, raw) in rows:
            by_kind[kind].setdefault(checksummed(sender), {})[str(nonce)] = _shown(raw)
        return by_kind

    return await context.backend.reads.in_thread(shown)


async def inspect(context: Context) -> dict[str, dict[str, Any]]:
    """`content` with a line of words for each transaction."""
    rows = await context.backend.reads.query(lambda reader: _waiting(reader, None))

    def shown() -> dict[str, dict[str, Any]]:
        by_kind: dict[str, dict[str, Any]] = {"pending": {}, "queued": {}}
        for kind, (sender, nonce, raw) in rows:
            by_kind[kind].setdefault(checksummed(sender), {})[str(nonce)] = _summary(raw)
        return by_kind

    return await context.backend.reads.in_thread(shown)


def _summary(raw: bytes) -> str:
    tx = decode_transaction(raw)
    to = "contract creation" if tx.to is None else checksummed(tx.to)
    return f"{to}: {tx.value} wei + {tx.gas} gas × {tx.gas_price} wei"


async def pending_transactions(context: Context) -> list[dict[str, Any]]:
    """eth_pendingTransactions: all that wait. (geth shows those of its own accounts; this node holds none.)"""
    rows = await context.backend.reads.query(lambda reader: _waiting(reader, None))
    return await context.backend.reads.in_thread(lambda: [_shown(raw) for _, (_, _, raw) in rows])


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


def _waiting(reader: ServedReader, sender: Address | None) -> list[tuple[str, Waiting]]:
    """Of one sender, or of all as far as is shown."""
    pool = reader.pool
    rows: list[tuple[str, Waiting]] = []
    for tx in pool.pending() if sender is None else pool.of(sender):
        after = pool.next_nonce(tx.sender, 0)
        rows.append(("pending" if tx.nonce < after else "queued", (tx.sender, tx.nonce, tx.raw)))
        if len(rows) >= POOL_SHOWN_MAX:
            break
    return rows
