"""The explorer's streams: a row for every batch (explorerBlock), and its transactions (explorerTxs).

Hyperliquid sends these as bare arrays, without a channel's name. A batch is read back from the log, in a thread, and
only if there are subscribers; of a full batch only the newest transactions are sent, since each costs a recovered
signature. The threads also serve other clients, and may be busy for long: prices do not wait for them, and these
streams are sent separately. Subscribers are cut off if too many batches wait.
"""

import asyncio
import logging
import time
from collections import deque
from functools import partial
from typing import Any

from coinone.base.primitives.errors import LimitExceeded, StorageError
from coinone.interfaces.api.admission.queries import InThread
from coinone.interfaces.api.explorer.pages import Explorer
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import (
    EXPLORER_BATCHES_WAITING_MAX,
    EXPLORER_STREAM_TRANSACTIONS_MAX,
    PART_S,
)
from coinone.interfaces.api.sockets.hub import Hub

log = logging.getLogger(__name__)
_BLOCKS, _TRANSACTIONS = ("explorerBlock",), ("explorerTxs",)
_OF_A_BLOCK = ("blockTime", "hash", "height", "numTxs", "proposer")
Told = dict[str, Any] | None  # None: undone meanwhile


class ExplorerFeed:
    """Publishes batches to the hub in the explorer's format."""

    def __init__(self, hub: Hub, explorer: Explorer, in_thread: InThread) -> None:
        self._hub = hub
        self._explorer = explorer
        self._in_thread = in_thread
        self._waiting: deque[int] = deque()
        self._telling: asyncio.Task[None] | None = None

    def on_batch(self, seq: int) -> None:
        """Queue a batch to be published in the background, after those that wait."""
        if not self._is_wanted():
            return
        self._waiting.append(seq)
        if len(self._waiting) > EXPLORER_BATCHES_WAITING_MAX:
            self._cut()
        elif self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    def reset(self) -> None:
        """Drop the waiting batches after a rewind, or after all subscribers were cut off."""
        self._waiting = deque()

    def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    def _is_wanted(self) -> bool:
        return self._hub.wanted(_BLOCKS) or self._hub.wanted(_TRANSACTIONS)

    async def _tell(self) -> None:
        try:
            while self._waiting:
                waiting = self._waiting
                told = await self._in_thread(partial(self._read, tuple(waiting), self._most()))
                if waiting is self._waiting:
                    for batch in told:
                        self._publish(waiting.popleft(), batch)
                    self._hub.flush()
        except StorageError:  # the node has stopped
            self.reset()
        except LimitExceeded:  # too many reads wait
            self._cut()
        except Exception:
            log.exception("publishing a batch to the explorer's streams failed")
            self._cut()
        finally:
            self._telling = None

    def _most(self) -> int:
        """The number of transactions of a batch to publish."""
        return EXPLORER_STREAM_TRANSACTIONS_MAX if self._hub.wanted(_TRANSACTIONS) else 0

    def _read(self, seqs: tuple[int, ...], most: int) -> list[Told]:
        """Read the first of the batches, as many as a short time allows."""
        found, begun = [], time.monotonic()
        for seq in seqs:
            found.append(self._explorer.batch(seq, most))
            if time.monotonic() - begun > PART_S:
                break
        return found

    def _publish(self, seq: int, batch: Told) -> None:
        if batch is None:
            return
        self._hub.publish(_BLOCKS, jsonio.encode([{name: batch[name] for name in _OF_A_BLOCK}]), seq)
        if batch["txs"]:
            self._hub.publish(_TRANSACTIONS, jsonio.encode(batch["txs"]), seq)

    def _cut(self) -> None:
        """Cut off all subscribers: a stream with holes is worse than none."""
        self.reset()
        self._hub.cut(_BLOCKS)
        self._hub.cut(_TRANSACTIONS)
