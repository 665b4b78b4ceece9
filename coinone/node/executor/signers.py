"""Recover signers in other processes: the most expensive step of a transaction, which needs only its bytes.

A small pool of processes does it, many signatures per job (D14: threads measured slower, and one job per signature
costs more than it saves). With one processor, with few signatures, or while the pool is starting or broken, signers are
recovered in this process, with the same result.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Protocol

import structlog

from coinone.base.crypto.secp256k1 import SIGNED_SIZE, pack_signed, recover_packed
from coinone.base.primitives.errors import InvalidSignature
from coinone.base.primitives.integers import div_up
from coinone.base.primitives.types import Address, Hash32
from coinone.node.executor.workers import worker_pool
from coinone.node.limits import SIGNERS_POOL_LEAST, SIGNERS_POOL_PROCESSES_MAX

log = structlog.get_logger(__name__)


class Signed(Protocol):
    """A transaction whose sender is recovered from its signature."""

    @property
    def signature(self) -> tuple[Hash32, int, int, int]:
        """Digest, r, s and v."""
        ...

    @property
    def sender(self) -> Address:
        """The sender, recovered if it is not known yet. Raises InvalidSignature."""
        ...

    def know_sender(self, address: Address) -> None: ...


class Signers:
    """Recovers signers in a pool of processes, which starts when it is first worthwhile."""

    def __init__(self, processes: int | None = None) -> None:
        """`processes` in addition to this one; by default one less than the number of processors; 0 for no pool."""
        spare = len(os.sched_getaffinity(0)) - 1 if processes is None else processes
        self._processes = min(spare, SIGNERS_POOL_PROCESSES_MAX)
        self._pool: ProcessPoolExecutor | None = None
        self._start: Future[list[Address | None]] | None = None
        self.recovered_beside = 0  # signatures recovered by the pool

    def start(self) -> "Future[list[Address | None]]":
        """Start the pool if it is not running; the result is done when the pool is ready, in about a second. Do not
        wait for it."""
        if self._pool is None or self._start is None:
            self._pool = worker_pool(self._processes)
            self._start = self._pool.submit(recover_packed, b"")
        return self._start

    async def recover(self, transactions: Sequence[Signed]) -> None:
        """Recover the senders. If a signature is invalid, `sender` raises as usual."""
        if len(transactions) < SIGNERS_POOL_LEAST or not await self._recover_beside(transactions):
            await _recover_in_place(transactions)

    async def _recover_beside(self, transactions: Sequence[Signed]) -> bool:
        """Recover the senders in the pool; false if it could not."""
        if self._processes <= 0:
            return False
        packed = b"".join([pack_signed(*transaction.signature) for transaction in transactions])
        try:
            if not self.start().done():
                return False
            addresses = await self._beside(packed)
        except (BrokenProcessPool, OSError, RuntimeError) as error:
            log.warning("signatures are recovered in place from now on", reason=repr(error))
            self.close()
            self._processes = 0
            return False
        for transaction, address in zip(transactions, addresses, strict=True):
            if address is not None:
                transaction.know_sender(address)
                self.recovered_beside += 1
        return True

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._start = None

    async def _beside(self, packed: bytes) -> list[Address | None]:
        assert self._pool is not None, "the pool has started"
        loop, count = asyncio.get_running_loop(), len(packed) // SIGNED_SIZE
        share = div_up(count, self._processes) * SIGNED_SIZE
        parts = [packed[start : start + share] for start in range(0, len(packed), share)]
        pool = self._pool
        done = await asyncio.gather(*(loop.run_in_executor(pool, recover_packed, part) for part in parts))
        return [address for part in done for address in part]


async def _recover_in_place(transactions: Sequence[Signed]) -> None:
    """Recover a few at a time, so that the event loop is never blocked for long."""
    for start in range(0, len(transactions), SIGNERS_POOL_LEAST):
        if start:
            await asyncio.sleep(0)
        for transaction in transactions[start : start + SIGNERS_POOL_LEAST]:
            with suppress(InvalidSignature):
                assert transaction.sender, "known, or recovering it raises"
