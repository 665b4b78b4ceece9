"""What a member that does not lead sends to the leader again: a message may be lost, or another member leads now."""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Hash32
from coinone.node.executor.door import Door
from coinone.node.limits import FORWARD_BYTES_PER_TICK, FORWARDS_PER_TICK_MAX
from coinone.protocols.txpool.ethereum import EthereumPool


class Forwarding:
    def __init__(self) -> None:
        self._waited: frozenset[Hash32] = frozenset()

    def again(self, door: Door, pool: EthereumPool, gas: int) -> list[bytes]:
        """What has waited since the last call, of the actions the oldest, of the Ethereum transactions those that would
        be next, for `gas`."""
        waiting = {item.hash: item.raw for item in door.pool.waiting()[:FORWARDS_PER_TICK_MAX]}
        waiting |= {keccak256(raw): raw for raw in pool.take(gas, FORWARD_BYTES_PER_TICK)}
        again = [raw for tx_hash, raw in waiting.items() if tx_hash in self._waited]
        self._waited = frozenset(waiting)
        return again
