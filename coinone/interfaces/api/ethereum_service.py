"""JSON-RPC over an imported Ethereum chain: the same methods and listener as for a Coinone node, without an
exchange."""

from typing import Any

from coinone import __version__
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.sender import address_of
from coinone.interfaces.api.admission.weights import RateLimits, TokenBucket
from coinone.interfaces.api.ethereum.rpc import EthereumRpc
from coinone.interfaces.api.ethereum.table import METHODS
from coinone.interfaces.api.http.asgi import Scope
from coinone.node.imported.node import EthereumNode
from coinone.node.network.peering import NOBODY_SEEN


class EthereumService:
    """The service behind the listener."""

    def __init__(self, node: EthereumNode, request_weight: int) -> None:
        self._node = node
        self._weights = RateLimits(request_weight)
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

    def purse(self, scope: Scope) -> TokenBucket:
        return self._weights.purse(address_of(scope))
