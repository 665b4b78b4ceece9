"""`python -m sim.day --minutes 60 --seed 7`: mixed random flow over hours of batch time, and where it ended, as JSON.

One node's core in memory, no network and no faults but those of the market: prices jump, reporters fall silent,
traders take more than they can carry. All invariants are checked after every batch. Two runs of one seed end in
equal roots, whatever the hash seed, the time zone and the engine that runs the contracts; the test compares.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace

from coinone.base.primitives.integers import muldiv_down
from coinone.node.executor.core import Core
from coinone.node.networks import load_network
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.roles.block_pipeline import BlockPipeline, at_once
from coinone.node.roles.leader import Leader
from coinone.node.roles.reporter import report_prices
from coinone.node.storage.storage import Storage
from coinone.node.views.published import Published
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.chain.network import Network
from coinone.rules.exchange.events.events import Fill, LiquidationEvent
from coinone.rules.vm import REFERENCE, Engine, engine_named
from sim.crowd import Crowd
from sim.disk import SimDisk, SimStore
from sim.node import secrets_of
from sim.world import SimClock, World

MINUTE_MS = 60_000
STEPS_MS = (250, 2_500, 4_500, 4_750)  # the premium is sampled every five seconds
REPORT_MS = 3_000
BLOCK_BATCHES = 16
QUOTE = 10**6
STAKES = (3_000, 8_000, 20_000, 50_000, 200_000)  # small enough that a gap ruins somebody


class Day:
    def __init__(self, seed: int, network: Network, engine: Engine = REFERENCE) -> None:
        self.world = World(seed)
        self.happened: Counter[str] = Counter()
        self._dice = self.world.random
        self._secrets = secrets_of(0)
        storage = Storage(SimStore(), SimDisk(self._dice), identity_of(network), self._dice.randbytes)
        chain = open_chain(network, storage, self._secrets, self.world.now_ms, engine=engine)
        self.core = Core(chain, storage, self._secrets, self._note)
        clock = SimClock(self.world)
        self._leader = Leader(self.core, self._secrets, clock, BlockPipeline(self.core, clock, at_once))
        self._crowd = Crowd(self.world)
        self._prices = [market.start_price for market in network.markets]
        self._start = tuple(self._prices)
        self._silent_until = self._next_report = self.world.now_ms

    def run(self, minutes: int) -> dict[str, object]:
        """Live through so many minutes; what happened, and the roots at the end."""
        end = self.world.now_ms + minutes * MINUTE_MS
        while self.world.now_ms < end:
            self.step()
            if self.core.chain.cursor.seq % BLOCK_BATCHES == 0:
                self.mine()
        self.mine()
        head = self.core.chain.head
        roots = {"state_root": head.state_root.hex(), "exchange_root": head.exchange_root.hex()}
        return {**roots, "hash": head.hash.hex(), "batches": head.batch_seq, "happened": dict(self.happened)}

    def step(self) -> None:
        """Time moves, people act, a batch closes."""
        self.world.now_ms += self._dice.choice(STEPS_MS)
        self._report()
        self._crowd.step(self.core)
        result = self.core.close_batch(self.world.now_ms)
        for outcome in result.exchange.core_outcomes:
            self.happened[f"core action {outcome.status}"] += 1
        check_solvency(self.core.chain)

    def mine(self) -> None:
        """A block of all batches that wait."""
        self._leader.finish_block()

    def jump(self, percent: int) -> None:
        """From the next report on, all prices are elsewhere."""
        self._prices = [price * (100 + percent) // 100 for price in self._prices]

    def _report(self) -> None:
        """Prices drift, rarely jump, and sometimes nobody reports them."""
        now = self.world.now_ms
        if now < self._next_report or now < self._silent_until:
            return
        self._next_report = now + REPORT_MS
        if self._dice.random() < 0.004:
            self._silent_until = now + self._dice.randint(25_000, 90_000)
            self.happened["silence"] += 1
        jump = self._dice.random() < 0.015
        self.happened["gap"] += jump
        for market, price in enumerate(self._prices):
            ppm = self._dice.choice([-1, 1]) * self._dice.randint(15_000, 60_000) if jump else 0
            pull = (self._start[market] - price) // 200
            moved = muldiv_down(price, 10**6 + ppm + self._dice.randint(-300, 300), 10**6) + pull
            self._prices[market] = max(moved, 1)
        report_prices(self.core, now, tuple(enumerate(self._prices)), self._secrets.reporter)

    def _note(self, published: Published) -> None:
        for event in published.events:
            name = type(event).__name__
            self.happened[f"{name}.{event.kind}" if isinstance(event, Fill | LiquidationEvent) else name] += 1
            if name == "LedgerUpdate":
                self.happened[f"ledger.{event.kind}"] += 1
            elif name == "OrderUpdate":
                self.happened[f"order.{event.status}"] += 1
        for record in published.records:
            kind = "withdrawal" if record.is_system else "contract"
            self.happened[f"{kind} {'ran' if record.succeeded else 'failed'}"] += 1
        self.happened["skipped"] += len(published.skipped)
        self.happened["skipped"] += sum(outcome.status == "skipped" for outcome in published.outcomes)


def poorer(network: Network) -> Network:
    """The dev network with accounts that can be ruined."""
    rows = [
        replace(row, exchange=STAKES[place % len(STAKES)] * QUOTE)
        for place, row in enumerate(network.allocations)
    ]
    return replace(network, allocations=tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sim.day", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["native", "reference"], default="native")
    options = parser.parse_args()
    day = Day(options.seed, poorer(load_network("dev")), engine_named(options.engine))
    print(json.dumps(day.run(options.minutes)))


if __name__ == "__main__":
    main()
