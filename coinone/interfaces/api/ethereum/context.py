"""What a JSON-RPC handler is given, and how one stands in the table of methods."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.params import NEWEST, PENDING, BlockId
from coinone.interfaces.api.guard import Caller
from coinone.interfaces.api.sender import NOBODY, Sender
from coinone.interfaces.api.weights import Purse

DEAR = 20  # as a question of the exchange that reads a history: contracts run, or many blocks are read
Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the table. `handler` takes the call's context and its parameters."""

    handler: Handler
    least: int
    most: int
    weight: int = 1  # what a call costs its address


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler may use besides its parameters. `session` is set on WebSocket connections only."""

    backend: EthereumBackend
    caller: Caller
    purse: Purse
    session: Any = None
    sender: Sender = NOBODY

    def old_state(self, wanted: BlockId) -> BlockId:
        """The block asked for; one before the newest has a state that must be put together first, and costs as much as
        a call."""
        reads = self.backend.reads
        if wanted.tag != PENDING and wanted.tag not in NEWEST and reads.number(wanted) != reads.head_number():
            self.purse.spend(DEAR - 1)
        return wanted
