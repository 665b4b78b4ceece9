"""Accounts whose scheduled cancel is due next, against a full scan; and how often a batch looks at others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.scheduled import timers
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.ledger import Ledger
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.tables import undo_entries
from tests.rules.exchange import words as t

FAR = 10**15


def due_by_a_walk(entries: dict[int, int], now: int) -> list[int]:
    """The twin: everybody is looked at."""
    return [number for time_ms, number in sorted((at, who) for who, at in entries.items()) if time_ms <= now]


@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.none() | st.integers(0, 20), st.booleans(), st.integers(0, 21)),
        max_size=60,
    )
)
def test_the_due_are_those_of_a_walk_through_changes_and_undo(
    steps: list[tuple[int, int | None, bool, int]],
) -> None:
    ledger = Ledger()
    for number, time_ms, taken_back, now in steps:
        before = dict(ledger.schedule.items())
        if time_ms is None:
            ledger.schedule.drop(number)
        else:
            ledger.schedule.put(number, time_ms)
        entries = ledger.log.take()
        if taken_back:
            undo_entries(entries)
            assert dict(ledger.schedule.items()) == before
        expected = due_by_a_walk(dict(ledger.schedule.items()), now)
        assert ledger.schedule.due(now, 100) == expected
        assert ledger.schedule.due(now, 2) == expected[:2]


class Counted(int):
    """A time that counts how often somebody compares it."""

    looks = 0

    def __lt__(self, other: int) -> bool:
        Counted.looks += 1
        return int(self) < int(other)

    def __le__(self, other: int) -> bool:
        Counted.looks += 1
        return int(self) <= int(other)

    def __gt__(self, other: int) -> bool:
        Counted.looks += 1
        return int(self) > int(other)

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return int(self) == other

    __hash__ = int.__hash__


def test_a_batch_looks_at_one_of_a_hundred_thousand_who_are_not_due(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    for number in range(3, 100_003):
        w.ex.ledger.schedule.restore(number, Counted(FAR + number * 7919 % 100_003))
    w.batch(w.buy(1, 0.1, 49_000), w.signed(1, t.ScheduleCancel(w.now + 6_000)))
    w.batch(step_ms=5_999)  # due at 6,000: that one is looked at, it is no Counted
    Counted.looks = 0
    w.batch(step_ms=1)
    assert w.ex.rows.live_orders == 0
    # Taking the first out brings the last down 17 levels at most, which compares tuples at 4 each; then the new first.
    assert Counted.looks <= 17 * 4 * 2 + 1
    Counted.looks = 0
    w.batch()
    assert Counted.looks == 1


def test_rebuilt_from_leaves_it_fires_at_its_time(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.1, 49_000), w.signed(1, t.ScheduleCancel(w.now + 6_000)))
    w.ex = exchange_from_leaves(w.config, all_leaves(w.ex))
    w.batch(step_ms=5_749)
    assert w.ex.rows.live_orders == 1
    w.batch(step_ms=1)
    assert w.ex.rows.live_orders == 0


def all_due_at_once(world: Callable[..., Any], orders_each: int, of_the_last: int = 0) -> Any:
    """Five accounts whose scheduled cancels are due in the next batch, account 5's the earliest."""
    w = world(dict.fromkeys(range(1, 6), 100_000))
    for who in range(1, 6):
        count = of_the_last if who == 1 and of_the_last else orders_each
        prices = [49_000 - who * 10 - n for n in range(count)]
        w.batch(w.signed(who, w.many(*[w.spec(True, 0.001, price) for price in prices])))
    at = w.now + 10_000
    asked = [w.signed(who, t.ScheduleCancel(at - who)) for who in range(1, 6)]
    w.batch(*asked)
    w.batch(step_ms=at - w.now - 6)
    return w


def accounts_with_orders(w: Any) -> list[int]:
    return [who for who in range(1, 6) if w.order_count(who)]


def test_so_many_fire_in_a_batch_and_the_earliest_first(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "CANCELS_FIRED_PER_BATCH", 2)
    w = all_due_at_once(world, 1)
    seen, results = [], []
    for _ in range(3):
        seen.append(accounts_with_orders(w))
        results.append(w.batch())
    assert seen == [[1, 2, 3, 4, 5], [1, 2, 3], [1]]
    assert accounts_with_orders(w) == []
    for result in results[:0:-1]:
        apply_undo(w.ex, result.undo)
    assert accounts_with_orders(w) == [1, 2, 3]
    w.batch()
    assert accounts_with_orders(w) == [1]


def test_no_further_one_fires_when_orders_enough_are_cancelled(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 5 orders: 3 of account 5 leave room, with 3 of account 4 the bound is reached; then 3 and 2; then 1."""
    monkeypatch.setattr(timers, "CANCELLED_WHOLE_PER_BATCH", 5)
    monkeypatch.setattr(timers, "FIRED_WITH_FEW", 2)
    w = all_due_at_once(world, 3)
    seen = []
    for _ in range(4):
        seen.append(accounts_with_orders(w))
        w.batch()
    assert seen == [[1, 2, 3, 4, 5], [1, 2, 3], [1], []]


def test_who_has_many_orders_keeps_nobody_waiting_who_has_few(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 5 orders, the bound is reached with 3 each of accounts 5 and 4. 3 and 2 are put off, and 1, who is the last
    and has one, has not to wait for them."""
    monkeypatch.setattr(timers, "CANCELLED_WHOLE_PER_BATCH", 5)
    monkeypatch.setattr(timers, "FIRED_WITH_FEW", 2)
    w = all_due_at_once(world, 3, of_the_last=1)
    result = w.batch()
    assert accounts_with_orders(w) == [2, 3]
    apply_undo(w.ex, result.undo)
    assert accounts_with_orders(w) == [1, 2, 3, 4, 5]
    w.batch()
    w.batch()
    assert accounts_with_orders(w) == []


def test_nobody_whose_time_comes_later_overtakes_who_had_too_many_orders_for_a_batch(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three orders each, and three a batch. 5, 4, 3 and 2 are due in the first batch, 1 a millisecond after it. When
    those who had to wait were put off, by one to three milliseconds, 1 was the second."""
    monkeypatch.setattr(timers, "CANCELLED_WHOLE_PER_BATCH", 3)
    monkeypatch.setattr(timers, "FIRED_WITH_FEW", 2)
    w = all_due_at_once(world, 3)
    seen = []
    for step_ms in (4, 250, 250, 250, 250):
        w.batch(step_ms=step_ms)
        seen.append(accounts_with_orders(w))
    assert seen == [[1, 2, 3, 4], [1, 2, 3], [1, 2], [1], []]
