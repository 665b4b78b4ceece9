"""The exchange at a block, or at `pending`, for a simulated call; loaded when it is first read."""

from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.calls.worker import Desk
from coinone.node.recovery.startup import GENESIS_KEY
from coinone.node.storage.past import PastState, after_block
from coinone.rules.chain.bridge.seen import BESTS_KEY, ExchangeSeen, encode_bests, numbers_of
from coinone.rules.chain.genesis import Genesis, exchange_config
from coinone.rules.chain.network import Network
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.state.database import Database, Table


class LateExchange:
    """A lazily loaded exchange, since most calls never read it. See exchange_reads.Seen."""

    def __init__(self, network: Network, desk: Desk, number: int) -> None:
        self._network = network
        self._desk = desk
        self._number = number
        self._seen: ExchangeSeen | None = None

    def exchange(self, account: Address | None) -> Exchange:
        return self._now().exchange(account)

    def best(self, market: int) -> tuple[int, int]:
        return self._now().best(market)

    def _now(self) -> ExchangeSeen:
        if self._seen is None:
            genesis = self._desk.snapshot.get(Table.META, GENESIS_KEY)
            assert genesis is not None, "a chain has a genesis"
            config = exchange_config(self._network, decode(Genesis, genesis))
            self._seen = ExchangeSeen(config, self._rows())
        return self._seen

    def _rows(self) -> Database:
        """The rows of the block, overlaid with the changes of the pending batches."""
        block, batches = after_block(self._desk.snapshot, self._number), self._desk.batches
        if not batches:
            return block
        leaves: dict[bytes, bytes | None] = {}
        numbers: dict[bytes, bytes | None] = {}
        for batch in batches:
            leaves.update(batch.leaves)
            numbers.update(numbers_of(batch.leaves))
        bests: dict[bytes, bytes | None] = {BESTS_KEY: encode_bests(batches[-1].bests)}
        return PastState(block, {Table.EXCHANGE: leaves, Table.EXCHANGE_NUMBER: numbers, Table.META: bests})
