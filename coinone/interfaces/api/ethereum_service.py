"""JSON-RPC over an imported Ethereum chain: the same methods and the same listener as a node of ours, nothing else."""

from typing import Any

from coinone import __version__
from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.chain_reads import ChainReads
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.subscriptions import RpcHub, RpcSession
from coinone.interfaces.api.ethereum.table import METHODS, modules_of
from coinone.interfaces.api.ethereum.trials import Trials
from coinone.interfaces.api.guard import Caller
from coinone.interfaces.api.http import Scope
from coinone.interfaces.api.protocols import LINK
from coinone.interfaces.api.queries import Queries
from coinone.interfaces.api.sender import sender_of
from coinone.interfaces.api.weights import Purse, Weights
from coinone.interfaces.api.ws.hub import Connection
from coinone.node.ethereum.node import EthereumNode


class EthereumService:
    """What stands behind the listener."""

    def __init__(self, node: EthereumNode, request_weight: int) -> None:
        self._node = node
        self._weights = Weights(request_weight)
        self.reads = ChainReads(node, Queries(node))
        self.trials = Trials(node, self.reads)
        self.rpc_hub = RpcHub()
        version, announce = f"coinone/v{__version__}", self.rpc_hub.publish_pending
        backend = EthereumBackend(
            node,
            self.reads,
            self.trials,
            Filters(),
            self.rpc_hub.inclusions,
            version,
            announce,
            modules_of(METHODS),
            lambda: 0,
        )
        self.rpc = Dispatcher(METHODS, backend)

    async def start(self) -> None:
        await self.trials.start()

    async def stop(self) -> None:
        self.trials.close()
        self.reads.close()

    def health(self) -> dict[str, Any]:
        head = self._node.head
        return {
            "status": "ok",
            "network": self._node.network.name,
            "chainId": self._node.network.chain_id,
            "block": head.number,
            "blockHash": "0x" + head.hash.hex(),
            "version": __version__,
        }

    def rpc_session(self, scope: Scope, caller: Caller) -> RpcSession:
        connection = Connection(scope["extensions"][LINK])
        return RpcSession(connection, self.rpc, caller, self.rpc_hub, self.purse(scope), sender_of(scope))

    def purse(self, scope: Scope) -> Purse:
        client = scope.get("client")
        return self._weights.purse(client[0] if client else "")
