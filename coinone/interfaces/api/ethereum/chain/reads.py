"""Blocks and committed state, read from the store in any thread, and pending state, read on the executor."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from coinone.base.primitives.errors import NotSupported
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.readers import Readers
from coinone.interfaces.api.ethereum.chain.served import ServedNode, ServedReader
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.json.params import NEWEST, PENDING, BlockId
from coinone.interfaces.api.limits import SLOTS_AT_ONCE_MAX
from coinone.node.storage.blocks import head_of
from coinone.node.storage.past import after_block
from coinone.node.storage.store import Snapshot
from coinone.rules.state.database import Database
from coinone.rules.state.state import State

T = TypeVar("T")


class ChainReads:
    """The reads of Ethereum methods from a node."""

    def __init__(self, node: ServedNode, queries: Queries[ServedReader]) -> None:
        self.node = node
        self.query = queries.run
        self.network = node.network
        self._store = node.storage.store
        self.archive = node.archive
        self._readers = Readers()
        self.in_thread = self._readers.run  # for long reads, off the interface's event loop
        self._slow_readers = Readers(1)
        # For reads that take a second and much memory: one at a time.
        self.in_slow_thread = self._slow_readers.run

    def close(self) -> None:
        self._readers.close()
        self._slow_readers.close()

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The store at its newest block; release it soon."""
        return self._store.snapshot()

    def head_number(self) -> int:
        head = head_of(self._store)
        return 0 if head is None else head.number

    def head(self) -> AnyHeader:
        header = self.archive.header(self.head_number())
        assert header is not None, "the head block is stored"
        return header

    def header(self, wanted: BlockId) -> AnyHeader | None:
        """The header of a block, or None if it does not exist. `pending` is the newest one: see D7."""
        number = self.number(wanted)
        return None if number is None else self.archive.header(number)

    def number(self, wanted: BlockId) -> int | None:
        """The number of a block that may or may not exist."""
        if wanted.hash is not None:
            return self.archive.number_of(wanted.hash)
        if wanted.number is not None:
            return wanted.number
        return 0 if wanted.tag == "earliest" else self.head_number()

    async def with_state(self, wanted: BlockId, read: Callable[[State], T], slots: int = 1) -> T:
        """Run `read` on the contracts' state at a block; for `pending`, on the executor. Raises RpcError."""
        if wanted.tag == PENDING:
            return await self.query(lambda reader: read(reader.state))
        return await self.with_rows(wanted, lambda rows: read(State(rows)), slots)

    async def with_rows(self, wanted: BlockId, read: Callable[[Database], T], slots: int = 1) -> T:
        """Run `read` on the rows after a block: a few slots of the newest block immediately; many slots, or an older
        block, whose rows must be reconstructed first, in a thread. Raises RpcError if the block does not exist or
        its state is no longer kept."""
        if wanted.tag in NEWEST:  # the most common request: nothing to look up first
            return await self.beside(slots, lambda: self._read_newest(read))
        number = self.block_number(wanted)
        with self.snapshot() as snapshot:
            newest = _newest(snapshot)
        if number == newest:
            return await self.beside(slots, lambda: self._read_past(number, read))
        return await self.in_thread(lambda: self._read_past(number, read))

    async def beside(self, slots: int, work: Callable[[], T]) -> T:
        """Do work for so many slots: immediately for a few, off the event loop for many."""
        return work() if slots <= SLOTS_AT_ONCE_MAX else await self.in_thread(work)

    def _read_newest(self, read: Callable[[Database], T]) -> T:
        with self.snapshot() as snapshot:
            return read(snapshot)

    def _read_past(self, number: int, read: Callable[[Database], T]) -> T:
        with self.snapshot() as snapshot:
            try:
                return read(after_block(snapshot, number))
            except NotSupported as error:
                raise RpcError(SERVER_ERROR, str(error)) from error

    def block_number(self, wanted: BlockId) -> int:
        """The number of a block that exists. Raises RpcError."""
        number = self.number(wanted)
        if number is None or number > self.head_number():
            raise RpcError(SERVER_ERROR, "header not found")
        return number


def _newest(snapshot: Snapshot) -> int:
    head = head_of(snapshot)
    return 0 if head is None else head.number
