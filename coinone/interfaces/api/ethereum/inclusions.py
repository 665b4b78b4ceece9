"""Waiting for a transaction to get into a block: what is behind eth_sendRawTransactionSync."""

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, RpcError
from coinone.interfaces.api.limits import SYNC_WAITS_MAX, SYNC_WAITS_PER_SENDER_MAX
from coinone.rules.chain.receipts import PlacedRecord


class Inclusions:
    """Who waits for which transaction. On the interface's event loop."""

    def __init__(self) -> None:
        self._waiting: dict[Hash32, list[asyncio.Future[None]]] = {}
        self._count: Counter[Hashable] = Counter()  # by sender

    @contextmanager
    def expect(self, tx_hash: Hash32, share: Hashable = None) -> Iterator[asyncio.Future[None]]:
        """Ready when a block with the transaction is on disk. Begin before the transaction is handed in."""
        if self._count.total() >= SYNC_WAITS_MAX:
            raise RpcError(LIMIT_EXCEEDED, "too many callers wait for their transactions: try again")
        if self._count[share] >= SYNC_WAITS_PER_SENDER_MAX:
            raise RpcError(LIMIT_EXCEEDED, "too many transactions of one sender are waited for: try again")
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tx_hash, []).append(made)
        self._count[share] += 1
        try:
            yield made
        finally:
            self._count[share] -= 1
            if not self._count[share]:
                del self._count[share]
            left = [each for each in self._waiting.pop(tx_hash, []) if each is not made]
            if left:
                self._waiting[tx_hash] = left

    def publish(self, rows: Sequence[PlacedRecord]) -> None:
        """A block with these transactions is on disk."""
        if not self._waiting:
            return
        for row in rows:
            for each in self._waiting.get(row.record.hash, ()):
                if not each.done():
                    each.set_result(None)
