"""Wait for a transaction to be included in a block, for eth_sendRawTransactionSync."""

import asyncio
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.owners import site_of, who_makes_room
from coinone.interfaces.api.ethereum.json.errors import LIMIT_EXCEEDED, RpcError
from coinone.interfaces.api.limits import (
    SYNC_WAITS_MAX,
    SYNC_WAITS_PER_SENDER_MAX,
    SYNC_WAITS_PER_SITE_MAX,
)
from coinone.rules.ledger.placed import PlacedRecord


class Inclusions:
    """The callers waiting for transactions. On the interface's event loop."""

    def __init__(self) -> None:
        self._waiting: dict[Hash32, list[asyncio.Future[None]]] = {}
        self._held: dict[Hashable, dict[asyncio.Future[None], Hash32]] = {}  # by sender, oldest first

    @contextmanager
    def expect(self, tx_hash: Hash32, share: Hashable = None) -> Iterator[asyncio.Future[None]]:
        """A future that is done when a block with the transaction is on disk, and cancelled if another sender needs
        the place. Begin before the transaction is submitted."""
        if len(self._held.get(share, ())) >= SYNC_WAITS_PER_SENDER_MAX:
            raise RpcError(LIMIT_EXCEEDED, "too many waits of one sender for receipts: try again")
        if sum(map(len, self._held.values())) >= SYNC_WAITS_MAX:
            self._make_room(share)
        elif site_of(share) != share and self._site_holds(share) >= SYNC_WAITS_PER_SITE_MAX:
            self._make_room(share, within_site=True)
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tx_hash, []).append(made)
        self._held.setdefault(share, {})[made] = tx_hash
        try:
            yield made
        finally:
            self._remove(share, made)

    def _site_holds(self, share: Hashable) -> int:
        site = site_of(share)
        return sum(len(held) for each, held in self._held.items() if site_of(each) == site)

    def _make_room(self, share: Hashable, within_site: bool = False) -> None:
        """Make room for `share`: the largest holder loses its newest place. Raises RpcError."""
        refusal = RpcError(LIMIT_EXCEEDED, "too many callers wait for their transactions: try again")
        greedy = who_makes_room(self._held, share, refusal, within_site)
        lost = next(reversed(self._held[greedy]))
        self._remove(greedy, lost)
        lost.cancel()

    def _remove(self, share: Hashable, made: asyncio.Future[None]) -> None:
        """Give up a place; does nothing if it was lost before."""
        held = self._held.get(share, {})
        tx_hash = held.pop(made, None)
        if tx_hash is None:
            return
        if not held:
            del self._held[share]
        left = [each for each in self._waiting.pop(tx_hash) if each is not made]
        if left:
            self._waiting[tx_hash] = left

    def publish(self, rows: Sequence[PlacedRecord]) -> None:
        """Complete the waits for these transactions, whose block is on disk."""
        if not self._waiting:
            return
        for row in rows:
            for each in self._waiting.get(row.record.hash, ()):
                if not each.done():
                    each.set_result(None)
