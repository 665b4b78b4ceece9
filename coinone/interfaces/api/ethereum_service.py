"""JSON-RPC over an imported Ethereum chain: the same methods and the same listener as a node of ours, nothing else."""

from typing import Any

from coinone import __version__
from coinone.interfaces.api.ethereum.rpc import EthereumRpc
from coinone.interfaces.api.ethereum.table import METHODS
from coinone.interfaces.api.http import Scope
from coinone.interfaces.api.queries import Queries
from coinone.interfaces.api.sender import address_of
from coinone.interfaces.api.weights import Purse, Weights
from coinone.node.ethereum.node import EthereumNode
from coinone.node.runtime.peering import NOBODY_SEEN


class EthereumService:
    """What stands behind the listener."""

    def __init__(self, node: EthereumNode, request_weight: int) -> None:
        self._node = node
        self._weights = Weights(request_weight)
        self.rpc = EthereumRpc(node, Queries(node), METHODS, lambda: NOBODY_SEEN)

    async def start(self) -> None:
        await self.rpc.start()

    async def stop(self) -> None:
        self.rpc.close()

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

    def purse(self, scope: Scope) -> Purse:
        return self._weights.purse(address_of(scope))
