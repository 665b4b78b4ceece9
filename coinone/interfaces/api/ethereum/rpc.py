"""JSON-RPC of one node, of a Coinone or an imported chain: methods, their backend, and subscriptions."""

from collections.abc import Callable

from coinone import __version__
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.sender import sender_of
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.calls.trials import CallPool
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.chain.served import ServedNode, ServedReader
from coinone.interfaces.api.ethereum.context import Method
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.news.subscriptions import RpcHub, RpcSession
from coinone.interfaces.api.ethereum.table import modules_of
from coinone.interfaces.api.http.asgi import Scope
from coinone.interfaces.api.http.guard import Caller
from coinone.interfaces.api.sockets.hub import Connection
from coinone.interfaces.api.sockets.links import StreamLink
from coinone.node.dev.tools import Dev
from coinone.node.network.peering import PeersSeen


class EthereumRpc:
    """The JSON-RPC service of a node. `methods` are those served; `peers` returns what is known of other nodes;
    `dev` exists on the dev network."""

    def __init__(
        self,
        node: ServedNode,
        queries: Queries[ServedReader],
        methods: dict[str, Method],
        peers: Callable[[], PeersSeen],
        dev: Dev | None = None,
    ) -> None:
        self.reads = ChainReads(node, queries)
        self.hub = RpcHub()
        self._trials = CallPool(node, self.reads)
        backend = EthereumBackend(
            node,
            self.reads,
            self._trials,
            Filters(),
            self.hub.inclusions,
            f"coinone/v{__version__}",
            self.hub.publish_pending,
            modules_of(methods),
            peers,
            self.reads.head_number(),
            dev,
        )
        self.dispatcher = Dispatcher(methods, backend)

    async def start(self) -> None:
        await self._trials.start()

    def close(self) -> None:
        self._trials.close()
        self.reads.close()

    def session(self, link: StreamLink, scope: Scope, caller: Caller, purse: TokenBucket) -> RpcSession:
        """The session of a WebSocket connection."""
        sender = sender_of(scope, link.cut)
        return RpcSession(Connection(link), self.dispatcher, caller, self.hub, purse, sender)
