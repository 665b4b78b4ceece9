"""The objects that JSON-RPC handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.calls.trials import CallPool
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.chain.served import ServedNode
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.node.dev.tools import Dev
from coinone.node.network.peering import PeersSeen


@dataclass(frozen=True, slots=True)
class EthereumBackend:
    node: ServedNode
    reads: ChainReads
    trials: CallPool
    filters: Filters
    inclusions: Inclusions
    client_version: str
    announce: Callable[[Hash32, bytes], None]  # of a transaction that entered the pool here
    modules: tuple[str, ...]  # namespaces of the served methods
    peers: Callable[[], PeersSeen]
    first_number: int  # of the newest block when this process started
    dev: Dev | None = None  # only on the dev network
