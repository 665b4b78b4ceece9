"""Reconstruct the exchange as the contracts of one block saw it, for traces, by applying the block's batches again.

Contracts of a batch read the exchange as it is after the batch's own actions, which no row on disk holds: rows are
written once per block. So the whole exchange is restored from its leaves before the block, and the batches are executed
again, as `coinone verify` does, up to the batch in question. Nothing happens until a contract reads it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from coinone.base.crypto.siphash import PUBLIC_KEY
from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Address
from coinone.interfaces.api.limits import TRACE_EXCHANGE_ROWS_MAX
from coinone.node.recovery.startup import GENESIS_KEY
from coinone.node.storage.blocks import BlockReader
from coinone.node.storage.past import before_block
from coinone.node.storage.store import Snapshot
from coinone.node.views.archive import Archive
from coinone.rules.chain.apply import apply_batch
from coinone.rules.chain.bridge.own import best_of
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.genesis import Genesis, exchange_config
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import CURSOR_KEY
from coinone.rules.chain.state import ChainState, Headers
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.ledger.batch import Batch
from coinone.rules.state.database import Table
from coinone.rules.state.state import State
from coinone.rules.vm import Engine


class ExchangeWithin:
    """The exchange within block `number`, which contains `batches`. `budget` is called before each step and may
    raise."""

    def __init__(
        self,
        network: Network,
        snapshot: Snapshot,
        number: int,
        batches: Sequence[Batch],
        budget: Callable[[], None],
        engine: Engine,
    ) -> None:
        self._network = network
        self._snapshot = snapshot
        self._number = number
        self._batches = list(batches)
        self._budget = budget
        self._engine = engine
        self._chain: ChainState | None = None

    def after(self, seq: int) -> Exchange:
        """The exchange after batch `seq`; to be called with rising numbers. Raises NotSupported if the state before
        the block is not kept, LimitExceeded if the exchange is too large to be restored."""
        if self._chain is None:
            self._chain = self._before()
        while self._batches and self._batches[0].seq <= seq:
            self._budget()
            apply_batch(self._chain, self._batches.pop(0))
        assert self._chain.cursor.seq == seq, "a later batch has been run already"
        return self._chain.exchange

    def _before(self) -> ChainState:
        _check_size(self._snapshot.scan(Table.EXCHANGE))
        rows, archive = before_block(self._snapshot, self._number), Archive(BlockReader(self._snapshot))
        genesis_row, cursor_row = rows.get(Table.META, GENESIS_KEY), rows.get(Table.META, CURSOR_KEY)
        head = archive.header(self._number - 1)
        assert genesis_row and cursor_row and head, "the block before is on disk whole"
        genesis = decode(Genesis, genesis_row)
        config, leaves = exchange_config(self._network, genesis), rows.scan(Table.EXCHANGE)
        return ChainState(
            network=self._network,
            genesis=genesis,
            state=State(rows),
            exchange=exchange_from_leaves(config, leaves, PUBLIC_KEY),
            cursor=decode(Cursor, cursor_row),
            head=head,
            headers=Headers(archive.header, archive.forced),
            leaves=LeafStore({}),  # no block is sealed here
            engine=self._engine,
        )


class SeenAfter:
    """The exchange as contracts see it in batch `seq` (exchange_reads.Seen)."""

    def __init__(self, within: ExchangeWithin, seq: int) -> None:
        self._within = within
        self._seq = seq

    def exchange(self, account: Address | None) -> Exchange:
        return self._within.after(self._seq)

    def best(self, market: int) -> tuple[int, int]:
        return best_of(self._within.after(self._seq), market)


def _check_size(rows: Iterator[object]) -> None:
    most = TRACE_EXCHANGE_ROWS_MAX
    if next(islice(rows, most, None), None) is not None:
        raise LimitExceeded(
            "the transaction, or one before it in its block, read the exchange, which is too large to be run again "
            "for a trace",
            most=most,
        )
