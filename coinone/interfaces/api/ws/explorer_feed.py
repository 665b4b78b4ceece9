"""The explorer's streams: a row for every batch (explorerBlock), and its transactions (explorerTxs).

The anchor sends these as bare arrays, without a channel's name. A batch is read back from the log, in a thread, and
only where somebody listens; of a full batch the newest transactions are told, since each costs a recovered signature.
"""

from typing import Any

from coinone.interfaces.api import jsonio
from coinone.interfaces.api.explorer import Explorer
from coinone.interfaces.api.limits import EXPLORER_STREAM_TRANSACTIONS_MAX
from coinone.interfaces.api.queries import InThread
from coinone.interfaces.api.ws.hub import Hub

_BLOCKS, _TRANSACTIONS = ("explorerBlock",), ("explorerTxs",)
_OF_A_BLOCK = ("blockTime", "hash", "height", "numTxs", "proposer")


class ExplorerFeed:
    """Publishes batches to the hub as explorers show them."""

    def __init__(self, hub: Hub, explorer: Explorer, in_thread: InThread) -> None:
        self._hub = hub
        self._explorer = explorer
        self._in_thread = in_thread

    async def on_batch(self, seq: int) -> None:
        most = EXPLORER_STREAM_TRANSACTIONS_MAX if self._hub.wanted(_TRANSACTIONS) else 0
        if not most and not self._hub.wanted(_BLOCKS):
            return
        batch: dict[str, Any] | None = await self._in_thread(lambda: self._explorer.batch(seq, most))
        if batch is None:  # taken back meanwhile
            return
        self._hub.publish(_BLOCKS, jsonio.encode([{name: batch[name] for name in _OF_A_BLOCK}]), seq)
        if batch["txs"]:
            self._hub.publish(_TRANSACTIONS, jsonio.encode(batch["txs"]), seq)
        self._hub.flush()
