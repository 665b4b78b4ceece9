"""The context of a JSON-RPC handler, and the record of a method."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, TypeVar

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.sender import NOBODY, Sender, unless_left
from coinone.interfaces.api.admission.weights import RECORDS_BYTES_PER_WEIGHT, SLOTS_PER_WEIGHT, TokenBucket
from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.chain.parts import in_parts
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.interfaces.api.ethereum.json.params import NEWEST, PENDING, BlockId
from coinone.interfaces.api.http.guard import Caller
from coinone.interfaces.api.limits import RECORDS_AT_ONCE_MAX
from coinone.node.views.archive import EthereumPlace
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.state.steps import Steps, finished

R = TypeVar("R")
T = TypeVar("T")
Rows = tuple[PlacedRecord, ...]
DEAR = 20  # as for an info request that reads a history: contracts run, or many blocks are read
ANY_PARAMETERS_MAX = 8  # of a method that accepts any
Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A JSON-RPC method. `handler` gets the call's context, then the parameters of the call: its signature defines
    their number."""

    name: str
    handler: Handler
    about: str
    weight: int = 1  # of a call, charged to its address
    least: int = field(init=False)
    most: int = field(init=False)

    def __post_init__(self) -> None:
        parameters = self.parameters()
        is_any = any(each.kind is Parameter.VAR_POSITIONAL for each in parameters)
        object.__setattr__(self, "most", ANY_PARAMETERS_MAX if is_any else len(parameters))
        needed = [each for each in parameters if each.default is Parameter.empty]
        object.__setattr__(self, "least", 0 if is_any else len(needed))

    def parameters(self) -> list[Parameter]:
        """The parameters of a call, in order."""
        return list(signature(self.handler).parameters.values())[1:]


@dataclass(frozen=True, slots=True)
class Context:
    """The objects available to a handler. `session` is set on WebSocket connections only."""

    backend: EthereumBackend
    caller: Caller
    purse: TokenBucket
    session: Any = None
    sender: Sender = NOBODY

    def old_state(self, wanted: BlockId) -> BlockId:
        """Return the requested block and charge for its state: one before the newest must be reconstructed first,
        and costs as much as a call."""
        reads = self.backend.reads
        if wanted.tag != PENDING and wanted.tag not in NEWEST and reads.number(wanted) != reads.head_number():
            self.purse.spend(DEAR - 1)
        return wanted

    def slots(self, count: int) -> None:
        """Charge for reading so many slots, in addition to the call."""
        self.purse.spend(count // SLOTS_PER_WEIGHT)

    async def in_parts(self, steps: Steps[T], is_paid: bool = False) -> T:
        """Run a long read in a thread; cancelled when the sender leaves. Raises RpcError if it takes too long."""
        return await unless_left(self.sender, in_parts(self.backend.reads.in_thread, steps, is_paid))

    async def of_block(self, wanted: BlockId, show: Callable[[AnyHeader, Rows], Steps[T]]) -> T | None:
        """Return the result of `show` for a block's header and its Ethereum transactions; None if the block does not
        exist."""
        header = self.backend.reads.header(wanted)
        if header is None:
            return None
        return await self._shown(header, self.backend.reads.archive.record_steps(header.number), show)

    async def _shown(self, header: AnyHeader, rows: Steps[R], show: Callable[[AnyHeader, R], Steps[T]]) -> T:
        """Decode and show a block, which may have tens of thousands of logs: the sender pays by its bytes, and a
        large one is decoded in a thread, in short parts."""
        reads = self.backend.reads
        size = reads.archive.records_size(header.number)
        self.purse.spend(size // RECORDS_BYTES_PER_WEIGHT)

        def steps() -> Steps[T]:
            found = yield from rows
            return (yield from show(header, found))

        if size <= RECORDS_AT_ONCE_MAX:
            return finished(steps())
        return await self.in_parts(steps(), is_paid=True)

    async def of_transaction(
        self, tx_hash: Hash32, show: Callable[[AnyHeader, PlacedRecord], Steps[T]]
    ) -> T | None:
        """Return the result of `show` for a transaction in a block; None if no block includes it."""
        place = self.backend.reads.archive.place_of(tx_hash)
        if not isinstance(place, EthereumPlace):
            return None
        header = self.backend.reads.header(BlockId(number=place.number))
        if header is None:
            return None
        row = self.backend.reads.archive.placed_steps(place.number, place.index)
        return await self._shown(header, row, show)
