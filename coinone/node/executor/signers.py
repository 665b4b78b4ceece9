"""Recovering signers beside the node: the dearest step of a transaction, and one that needs nothing but its bytes.

A small pool of processes does it, many signatures a job (D14: threads were measured slower, and one job for each costs
more than it saves). A machine with one processor, few signatures, or a pool that breaks: then it is done in place, with
the same result.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import structlog

from coinone.base.crypto.secp256k1 import SIGNED_SIZE, pack_signed, recover_packed
from coinone.base.forms.ethereum import EthereumTransaction, signature_of
from coinone.base.primitives.types import Address
from coinone.node.executor.workers import worker_pool
from coinone.node.limits import SIGNERS_POOL_LEAST, SIGNERS_POOL_PROCESSES_MAX

log = structlog.get_logger(__name__)


class Signers:
    """The pool starts when it is first worth it."""

    def __init__(self, processes: int | None = None) -> None:
        """`processes` beside this one; one less than there are processors if not given, 0 means none."""
        spare = len(os.sched_getaffinity(0)) - 1 if processes is None else processes
        self._processes = min(spare, SIGNERS_POOL_PROCESSES_MAX)
        self._pool: ProcessPoolExecutor | None = None
        self.recovered_beside = 0  # signatures that cost this process nothing

    async def recover(self, transactions: Sequence[EthereumTransaction]) -> None:
        """Make the senders known. Where a signature does not hold, `tx.sender` raises as ever."""
        if self._processes <= 0 or len(transactions) < SIGNERS_POOL_LEAST:
            return
        packed = b"".join([pack_signed(*signature_of(tx)) for tx in transactions])
        try:
            addresses = await self._beside(packed)
        except (BrokenProcessPool, OSError, RuntimeError) as error:
            log.warning("signatures are recovered in place from now on", reason=repr(error))
            self.close()
            self._processes = 0
            return
        for tx, address in zip(transactions, addresses, strict=True):
            if address is not None:
                tx.know_sender(address)
                self.recovered_beside += 1

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _beside(self, packed: bytes) -> list[Address | None]:
        if self._pool is None:
            self._pool = worker_pool(self._processes)
        loop, count = asyncio.get_running_loop(), len(packed) // SIGNED_SIZE
        share = -(-count // self._processes) * SIGNED_SIZE
        parts = [packed[start : start + share] for start in range(0, len(packed), share)]
        pool = self._pool
        done = await asyncio.gather(*(loop.run_in_executor(pool, recover_packed, part) for part in parts))
        return [address for part in done for address in part]
