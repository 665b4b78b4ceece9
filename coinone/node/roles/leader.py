"""When what happens: the cadence of batches, blocks and dev prices, and what a fault does.

`work` is called by the executor when something is due. A batch is late rather than doubled: after a pause of
any length one batch closes, and the cadence goes on from there.
"""

from collections.abc import Callable

from coinone.node.clock import Clock, Entropy, for_ms
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.limits import SEAL_SLICE_MS, SOLVENCY_CHECK_BLOCKS
from coinone.node.roles import reporter
from coinone.node.roles.block_pipeline import Background, BlockMaker
from coinone.node.views.published import NewBlock, Published
from coinone.rules.chain.invariants import check_solvency

COMMIT_POLL_S = 0.005  # how often to ask whether a block is on disk


class Producer:
    def __init__(
        self,
        core: Core,
        secrets: Secrets,
        clock: Clock,
        entropy: Entropy,
        publish: Callable[[Published], None],
        background: Background,
    ) -> None:
        self._core = core
        self._secrets = secrets
        self._clock = clock
        self._publish = publish
        self.blocks = BlockMaker(core, secrets, background)
        network = core.chain.network
        self._batch_s = network.batches.interval_ms / 1000
        self._block_s = network.blocks.interval_ms / 1000
        now = clock.steady_s()
        self._next_batch = now
        self._next_block = now + self._block_s
        self._next_report = now
        markets = core.chain.exchange.rows.markets["oracle"].tolist()
        self._walk = reporter.PriceWalk(network.markets, entropy(32), markets[: len(network.markets)])
        self._dice = entropy

    def work(self) -> float:
        """Do what is due; return when to be called again."""
        if self._core.halted is not None:
            return self._clock.steady_s() + 1.0
        try:
            return self._work()
        except Exception as error:  # one that we did not foresee, too: the state may be wrong
            self._core.halt(error)
        return self._clock.steady_s() + 1.0

    def close_batch(self) -> None:
        self._core.close_batch(self._clock.wall_ms())

    def mine(self) -> NewBlock:
        """Close batches up to one where contracts run, then a block of all of them (dev's evm_mine)."""
        if self.blocks.is_busy:
            self.announce(self.blocks.finish())
        cadence = self._core.chain.network.batches
        self.close_batch()
        while not cadence.is_evm(self._core.chain.cursor.seq):
            self.close_batch()
        while True:
            block = self.blocks.finish()
            self.announce(block)
            if not self._core.chain.applied:
                return block

    def _work(self) -> float:
        now = self._clock.steady_s()
        if now >= self._next_report:
            self._report()
            spread = int.from_bytes(self._dice(2), "big") * reporter.INTERVAL_SPREAD_MS // 65_536
            self._next_report = now + (reporter.INTERVAL_MIN_MS + spread) / 1000
        if now >= self._next_batch:
            self._next_batch = max(self._next_batch + self._batch_s, now)
            self.close_batch()
        if now >= self._next_block and not self.blocks.is_busy:
            self._next_block = max(self._next_block + self._block_s, now)
            self.blocks.begin()
        if self.blocks.is_busy:
            block = self.blocks.advance(for_ms(self._clock, SEAL_SLICE_MS))
            if block is not None:
                self.announce(block)
        return self._next_call()

    def _next_call(self) -> float:
        due = min(self._next_batch, self._next_report)
        if not self.blocks.is_busy:
            return due
        now = self._clock.steady_s()
        return min(due, now + COMMIT_POLL_S) if self.blocks.is_writing else now

    def _report(self) -> None:
        core = self._core
        prices = self._walk.step()
        network = core.chain.network
        time_ms = max(self._clock.wall_ms(), core.chain.cursor.time_ms + 1)
        core.report(reporter.signed_prices(network.chain_id, time_ms, prices, self._secrets.reporter))

    def announce(self, block: NewBlock) -> None:
        """A block became the head: tell whoever listens."""
        core = self._core
        if block.block.number % SOLVENCY_CHECK_BLOCKS == 0:
            check_solvency(core.chain)
        core.note_block()
        self._publish(Published(core.view.seq, core.view.time_ms, core.view, blocks=(block,)))
