"""Random actions on a small exchange: invariants hold, undo restores the state, and leaves suffice to rebuild it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.events.events import Fill, FundingPayment, LiquidationEvent
from coinone.rules.exchange.instruments.config import QUOTE_SYSTEM_ADDRESS
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
PEOPLE = st.integers(1, 6)
TIFS = st.sampled_from(["Gtc", "Ioc", "Alo"])
seen: dict[str, int] = {}  # what happened at all: a run that never liquidates tests nothing


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


ORDERS = st.fixed_dictionaries(
    {
        "who": PEOPLE,
        "is_buy": st.booleans(),
        "size": st.integers(1, 400),
        "offset": st.integers(-5, 5),
        "tif": TIFS,
        "market": st.sampled_from([0, 0, 0, 1]),
        "reduce_only": st.sampled_from([False, False, False, True]),
        "cloid": st.sampled_from([0, 0, 1, 2, 3]),
    }
)


def order_of(w: Any, who: int, offset: int, size: int, market: int, **more: Any) -> t.VerifiedAction:
    """Sizes of up to 4 BTC or 40 ETH, prices within 5 quote units of the oracle: most cross and many are too big."""
    price = w.prices[market] // (10 if market == 0 else 100) + offset
    signed: t.VerifiedAction = w.order(
        who, more.pop("is_buy"), size / (100, 10)[market], price, market=market, **more
    )
    return signed


def moved(price: int, percent: int, whole: int) -> int:
    """A new oracle price in whole quote units, since five figures are all an order may have."""
    return max(1_000, price * (100 + percent) // 100) // whole * whole


class Life(RuleBasedStateMachine):
    world: Any = None  # set by the test, which has the fixture

    @initialize()
    def start(self) -> None:
        self.w = self.world({n: 3_000 * n for n in range(1, 6)})
        self.pending: list[t.VerifiedAction] = []
        self.money = conserved_sum(self.w.ex)
        self.store = LeafStore(dict(all_leaves(self.w.ex)))

    @rule(orders=st.lists(ORDERS, min_size=1, max_size=6))
    def orders(self, orders: list[dict[str, Any]]) -> None:
        self.pending.extend(order_of(self.w, **order) for order in orders)

    @rule(who=PEOPLE, cloid=st.integers(1, 5), oid=st.integers(1, 60), by_cloid=st.booleans())
    def cancel(self, who: int, cloid: int, oid: int, by_cloid: bool) -> None:
        self.pending.append(self.w.cancel(who, 0 if by_cloid else oid, cloid if by_cloid else 0))

    @rule(who=PEOPLE, oid=st.integers(1, 60), size=st.integers(1, 4_000), offset=st.integers(-40, 40))
    def modify(self, who: int, oid: int, size: int, offset: int) -> None:
        spec = self.w.spec(offset < 0, size / 10_000, self.w.prices[0] // 10 + offset)
        action = t.BatchModify((t.Modify(t.OrderRef(0, oid, 0), spec),), single=False)
        self.pending.append(self.w.signed(who, action))

    @rule(who=PEOPLE, to=st.integers(1, 8), amount=st.integers(1, 20_000))
    def send(self, who: int, to: int, amount: int) -> None:
        target = QUOTE_SYSTEM_ADDRESS if to == 8 else address(to)
        self.pending.append(self.w.signed(who, t.SendAsset(target, amount * QUOTE)))

    @rule(who=PEOPLE, leverage=st.integers(1, 55), market=st.integers(0, 2))
    def leverage(self, who: int, leverage: int, market: int) -> None:
        self.pending.append(self.w.signed(who, t.UpdateLeverage(market, True, leverage)))

    @rule(who=PEOPLE, agent=st.integers(3, 9))
    def approve(self, who: int, agent: int) -> None:
        action = t.ApproveAgent(address(agent), "", 0, False)
        self.pending.append(self.w.signed(who, action))

    @rule(who=PEOPLE, ahead=st.integers(4_000, 9_000))
    def schedule(self, who: int, ahead: int) -> None:
        self.pending.append(self.w.signed(who, t.ScheduleCancel(self.w.now + ahead)))

    @rule(
        btc=st.sampled_from([-60, -8, -2, -1, 0, 0, 1, 2, 8, 60]),
        eth=st.sampled_from([-60, -3, 0, 0, 3, 60]),
        step_ms=st.sampled_from([1, 250, 250, 5_000, 30_000, 3_600_000]),
        fresh=st.sampled_from([True, True, True, False]),
        deposit=st.integers(0, 30),
        to=st.integers(1, 9),
        back=st.booleans(),
    )
    def batch(self, btc: int, eth: int, step_ms: int, fresh: bool, deposit: int, to: int, back: bool) -> None:
        w = self.w
        for market, change, whole in ((0, btc, 10), (1, eth, 100)):
            w.prices[market] = moved(w.prices[market], change, whole)
        deposits = (Deposit(address(to), deposit * QUOTE),) if deposit else ()
        before = dict(all_leaves(w.ex)) if back else {}
        result = w.batch(*self.pending, step_ms=step_ms, fresh=fresh, deposits=deposits)
        if back:
            apply_undo(w.ex, result.undo)
            assert dict(all_leaves(w.ex)) == before
            w.now, w.seq = w.now - step_ms, w.seq - 1
            again = w.batch(*self.pending, step_ms=step_ms, fresh=fresh, deposits=deposits)
            assert (again.leaves, again.events, again.outcomes) == (
                result.leaves,
                result.events,
                result.outcomes,
            )
            answers = [outcome.response for outcome in result.outcomes]
            assert [outcome.response for outcome in again.outcomes] == answers
        self.pending = []
        self.money += deposit * QUOTE - sum(out.amount for out in result.withdrawals)
        self.note(result.events)
        assert self.store.root_with(result.leaves) == LeafStore(dict(all_leaves(w.ex))).root()
        self.store.update(result.leaves)

    @rule(turn=st.integers(0, 100))
    def restart(self, turn: int) -> None:
        """Continue on an exchange rebuilt from the leaves, with accounts in other slots."""
        leaves = list(all_leaves(self.w.ex))
        turn %= len(leaves)
        self.w.ex = exchange_from_leaves(self.w.ex.config, leaves[turn:] + leaves[:turn])
        assert dict(all_leaves(self.w.ex)) == dict(leaves)

    @invariant()
    def money_is_conserved(self) -> None:
        if hasattr(self, "w"):
            assert conserved_sum(self.w.ex) == self.money

    def note(self, events: Any) -> None:
        for event in events:
            kind = event.kind if isinstance(event, (Fill, LiquidationEvent)) else type(event).__name__
            if isinstance(event, (Fill, LiquidationEvent, FundingPayment)):
                seen[kind] = seen.get(kind, 0) + 1


def test_random_life_keeps_every_invariant(world: Any) -> None:
    Life.world = staticmethod(world)  # type: ignore[assignment]
    Life.TestCase.settings = settings(
        max_examples=25, stateful_step_count=40, suppress_health_check=list(HealthCheck)
    )
    Life.TestCase("runTest").runTest()


def swarm(world: Any, seed: int, batches: int) -> None:
    """A long life whose taste (how wild, how busy, who may do what) is drawn from the seed."""
    dice = random.Random(seed)
    life = Life()
    life.w = world({n: 3_000 * n for n in range(1, 7)})
    life.pending, life.money = [], conserved_sum(life.w.ex)
    life.store = LeafStore(dict(all_leaves(life.w.ex)))
    busy, wild, stale = dice.randint(1, 8), dice.choice([0, 1, 3, 10, 40]), dice.choice([0, 0, 0.2])
    for n in range(batches):
        for _ in range(dice.randint(0, busy)):
            life.pending.append(
                order_of(
                    life.w,
                    who=dice.randint(1, 6),
                    is_buy=dice.random() < 0.5,
                    size=dice.randint(1, 150),
                    offset=dice.randint(-4, 4),
                    tif=dice.choice(["Gtc", "Gtc", "Ioc", "Alo"]),
                    market=dice.choice([0, 0, 0, 1]),
                    reduce_only=dice.random() < 0.1,
                    cloid=dice.choice([0, 0, 1, 2, 3]),
                )
            )
        if dice.random() < 0.3:
            life.cancel(dice.randint(1, 6), dice.randint(1, 3), dice.randint(1, 300), dice.random() < 0.5)
        if dice.random() < 0.1:
            life.modify(dice.randint(1, 6), dice.randint(1, 300), dice.randint(1, 4_000), dice.randint(-3, 3))
        if dice.random() < 0.1:
            life.send(dice.randint(1, 6), dice.randint(1, 8), dice.randint(1, 20_000))
        step = dice.choice([250, 250, 5_000, 5_000, 30_000, 3_600_000 if dice.random() < 0.1 else 250])
        gap = wild if dice.random() < 0.15 else 0
        deposit = dice.choice([0, 0, 5, 30])
        life.batch(
            dice.randint(-gap, gap), dice.randint(-gap, gap), step, dice.random() >= stale, deposit,
            dice.randint(1, 9), n % 7 == 0,
        )  # fmt: skip
        life.money_is_conserved()
        if n % 25 == 24:
            life.restart(dice.randint(0, 100))


@pytest.mark.parametrize("seed", range(6))
def test_a_long_random_life_keeps_every_invariant(seed: int, world: Any) -> None:
    swarm(world, seed, 120)


@pytest.mark.slow
def test_long_random_lives_meet_liquidation_and_deleveraging(world: Any) -> None:
    seen.clear()
    for seed in range(100, 125):
        swarm(world, seed, 300)
    assert {"trade", "order", "liquidation", "adl", "debt"} <= set(seen), seen
    assert seen["trade"] > 1_000 and seen["adl"] > 20, seen
