"""Who gets into a batch (D5), and that what is excluded changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coinone.base.primitives.parameters import ACCOUNT_ACTIONS_PER_BATCH, CREDIT_DEBT_MAX
from coinone.rules.exchange.book.book import Book
from coinone.rules.exchange.state.leaves import all_leaves
from tests.rules.exchange import words as t

DAY = 86_400_000


def noop(w: Any, who: int = 1, **fields: Any) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.Noop(), **fields)
    return signed


def outcome(w: Any, index: int = 0) -> tuple[str, str]:
    found = w.last.outcomes[index]
    return found.status, found.error


def test_a_stranger_is_excluded_and_nothing_changes(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    before = {key: leaf for key, leaf in all_leaves(w.ex) if key[:1] == b"a"}
    w.batch(noop(w, who=77))
    assert outcome(w) == ("excluded", f"User or API Wallet 0x{77:040x} does not exist.")
    assert {key: leaf for key, leaf in all_leaves(w.ex) if key[:1] == b"a"} == before


def test_a_nonce_is_used_once(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    action = noop(w)
    w.batch(action, action)
    assert [found.status for found in w.last.outcomes] == ["executed", "excluded"]
    w.batch(action)
    assert outcome(w)[0] == "excluded" and "duplicate nonce" in outcome(w)[1]


def test_nonces_need_no_order_and_no_sequence(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(*[noop(w, nonce=w.now + offset) for offset in (50, -50, 7, 1000)])
    assert all(found.status == "executed" for found in w.last.outcomes)


def test_the_nonce_window_is_two_days_back_and_one_ahead(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    at = w.now + 250  # the time of the batch to come
    w.batch(
        noop(w, nonce=at - 2 * DAY),
        noop(w, nonce=at - 2 * DAY + 1),
        noop(w, nonce=at + DAY - 1),
        noop(w, nonce=at + DAY),
    )
    assert [found.status for found in w.last.outcomes] == ["excluded", "executed", "executed", "excluded"]


def test_of_a_hundred_stored_nonces_a_new_one_must_exceed_the_smallest(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    base = w.now
    w.batch(*[noop(w, nonce=base + n) for n in range(100)])
    w.batch(noop(w, nonce=base - 1), noop(w, nonce=base + 500), noop(w, nonce=base + 501))
    assert [found.status for found in w.last.outcomes] == ["excluded", "executed", "executed"]
    stored = w.ex.ledger.nonces.get((1).to_bytes(20, "big")).values
    assert len(stored) == 100 and stored[0] == base + 2 and stored[-1] == base + 501


def test_what_was_excluded_never_runs_later(world: Callable[..., Any]) -> None:
    """No credits, so it is excluded; credits come with age, and a thief hands the same order in again."""
    w = world({1: 100_000})
    w.ex.config = replace(w.config, action_credits=0)
    wanted = w.buy(1, 0.001, 40_000)
    w.batch(wanted)
    assert outcome(w)[0] == "excluded" and "cumulative requests" in outcome(w)[1]
    w.batch(wanted, step_ms=3_600_000)
    assert outcome(w)[0] == "excluded" and "duplicate nonce" in outcome(w)[1]
    w.batch(w.buy(1, 0.001, 40_000))
    assert outcome(w)[0] == "executed"


def test_a_forced_action_that_is_skipped_may_come_again(world: Callable[..., Any]) -> None:
    """Nobody chose it, and a block can force it at the worst moment: its sender loses nothing by that."""
    w = world({1: 100})
    action = noop(w, expires_after=w.now)
    w.batch(action, forced=1)
    assert outcome(w)[0] == "skipped" and "expired" in outcome(w)[1]
    w.batch(replace(action, expires_after=None))
    assert outcome(w)[0] == "executed"


def test_a_failed_action_burns_its_nonce(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    action = w.signed(1, t.UpdateLeverage(0, True, 51))
    w.batch(action)
    assert outcome(w) == ("failed", "Invalid leverage value")
    w.batch(action)
    assert outcome(w)[0] == "excluded"


def test_an_action_may_expire_exactly_now_but_not_before(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    at = w.now + 250
    w.batch(noop(w, expires_after=at), noop(w, expires_after=at - 1))
    assert [found.status for found in w.last.outcomes] == ["executed", "excluded"]


def test_credits_are_counted_per_order(world: Callable[..., Any]) -> None:
    w = world({1: 1_000_000})
    w.ex.config = replace(w.config, action_credits=3)
    triple = t.PlaceOrders(
        tuple(w.spec(True, 0.00082, price) for price in (49_000, 49_001, 49_002)), "na", None
    )
    w.batch(w.signed(1, triple))
    w.batch(noop(w))
    assert outcome(w)[0] == "excluded" and "cumulative requests" in outcome(w)[1]


def test_a_cancel_was_paid_with_its_order(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.ex.config = replace(w.config, action_credits=1)
    w.batch(w.buy(1, 0.001, 40_000, cloid=5))
    w.batch(w.cancel(1, cloid=5), w.buy(1, 0.001, 40_000))
    assert [found.status for found in w.last.outcomes] == ["executed", "excluded"]
    assert w.status(0) == "success"


def test_a_cancel_of_what_is_not_there_costs_a_credit_and_leads_into_debt(world: Callable[..., Any]) -> None:
    """Grant 2, one used by the order: a hundred and one misses are taken, and then only cancels of what rests."""
    w = world({1: 100_000})
    w.ex.config = replace(w.config, action_credits=2)
    w.batch(w.buy(1, 0.001, 40_000))
    oid = w.status(0)["resting"]["oid"]
    for _ in range(101):
        w.batch(w.cancel(1, oid=oid + 1), step_ms=1)
        assert outcome(w)[0] == "executed"
    w.batch(w.cancel(1, oid=oid + 1), w.cancel(1, cloid=7), step_ms=1)
    assert [found.status for found in w.last.outcomes] == ["excluded"] * 2
    w.batch(w.cancel(1, oid=oid))
    assert w.status(0) == "success"


def test_another_accounts_order_is_no_way_out_of_debt(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.ex.config = replace(w.config, action_credits=1)
    w.batch(w.buy(2, 0.001, 40_000))
    oid = w.status(0)["resting"]["oid"]
    w.ex.rows.accounts["credits_used"][w.slot(1)] = 101
    w.batch(w.cancel(1, oid=oid))
    assert outcome(w)[0] == "excluded"


def debtor_with_orders(w: Any, who: int, prices: tuple[int, ...]) -> list[int]:
    """The oids of what `who` has resting at these prices; it owes 100 credits."""
    w.batch(*[w.buy(who, 0.001, price) for price in prices])
    oids = [w.status(n)["resting"]["oid"] for n in range(len(prices))]
    w.ex.rows.accounts["credits_used"][w.slot(who)] = w.ex.config.action_credits + CREDIT_DEBT_MAX
    return oids


def cancel_all(w: Any, who: int, *oids: int, market: int = 0) -> t.VerifiedAction:
    targets = tuple(t.OrderRef(market, oid, 0) for oid in oids)
    signed: t.VerifiedAction = w.signed(who, t.Cancel(targets, by_cloid=False))
    return signed


def used(w: Any, who: int) -> int:
    return int(w.ex.rows.accounts["credits_used"][w.slot(who)])


def test_a_debtors_cancel_may_name_an_order_only_once(world: Callable[..., Any]) -> None:
    """Else the second is a cancel of nothing, and a batch full of them made every node look up the same orders."""
    w = world({1: 100_000})
    first, second = debtor_with_orders(w, 1, (40_000, 40_001))
    w.batch(cancel_all(w, 1, second, first, second), step_ms=1)
    said = "An account in credit debt may name an order only once in a cancel"
    assert outcome(w) == ("excluded", f"{said} (oid={second})") and w.order_count(1) == 2
    w.batch(cancel_all(w, 1, second, first), step_ms=1)
    assert outcome(w)[0] == "executed" and w.order_count(1) == 0


def test_who_owes_nothing_may_name_an_order_twice_and_pays_for_the_miss(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.buy(1, 0.001, 40_000))
    oid, before = w.status(0)["resting"]["oid"], used(w, 1)
    w.batch(cancel_all(w, 1, oid, oid))
    assert (outcome(w)[0], used(w, 1) - before, w.order_count(1)) == ("executed", 1, 0)


def test_two_cancels_of_a_debtor_that_name_the_same_orders_are_taken_and_the_later_pays(
    world: Callable[..., Any],
) -> None:
    """Two orders, and two actions that each name both: two targets are missed, one credit each."""
    w = world({1: 100_000})
    oids = debtor_with_orders(w, 1, (40_000, 40_001))
    before = used(w, 1)
    w.batch(cancel_all(w, 1, *oids), cancel_all(w, 1, *oids), step_ms=1)
    assert [found.status for found in w.last.outcomes] == ["executed"] * 2
    assert (used(w, 1) - before, w.order_count(1)) == (2, 0)


def test_a_debtors_cancel_must_name_the_market_where_the_order_rests(world: Callable[..., Any]) -> None:
    """In another market it finds nothing, so that the order stays: it could be named again in every batch."""
    w = world({1: 100_000})
    (oid,) = debtor_with_orders(w, 1, (40_000,))
    for market in (1, 2, 2**31 - 1):
        w.batch(cancel_all(w, 1, oid, market=market), step_ms=1)
        assert outcome(w)[0] == "excluded" and "not there" in outcome(w)[1]
    w.batch(cancel_all(w, 1, oid), step_ms=1)
    assert outcome(w)[0] == "executed" and w.order_count(1) == 0


def test_one_target_that_does_not_rest_among_a_debtors_is_enough_to_refuse(world: Callable[..., Any]) -> None:
    """No order, the greatest numbers, an order of another account, one of its own that is gone."""
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.buy(2, 0.001, 40_000), w.buy(1, 0.001, 40_002))
    others, gone = [w.status(n)["resting"]["oid"] for n in range(2)]
    w.batch(w.cancel(1, oid=gone))
    oids = debtor_with_orders(w, 1, (40_000, 40_001))
    for wrong in (0, 2**63 - 1, 2**63, 2**64 - 1, others, gone):
        w.batch(cancel_all(w, 1, oids[0], wrong, oids[1]), step_ms=1)
        assert outcome(w)[0] == "excluded" and "not there" in outcome(w)[1]
    assert w.order_count(1) == 2


def test_a_debtors_targets_are_looked_up_together(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read one by one in Python, 6 us each, 280,000 of them held a batch up for 1.8 s."""
    w = world({1: 100_000})
    oids = debtor_with_orders(w, 1, tuple(range(40_000, 40_040)))
    monkeypatch.setattr(Book, "find", None)
    monkeypatch.setattr(Book, "slots_of", None)
    w.batch(cancel_all(w, 1, *oids), check=False)
    assert outcome(w)[0] == "executed" and w.order_count(1) == 0


def test_an_account_fills_no_batch_alone(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(*[noop(w) for _ in range(ACCOUNT_ACTIONS_PER_BATCH + 3)], noop(w, who=2))
    statuses = [found.status for found in w.last.outcomes]
    assert statuses.count("excluded") == 3 and statuses[-1] == "executed"


def test_the_lowest_nonces_come_first_whatever_the_batch_lists_first(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.ex.config = replace(w.config, action_credits=1)
    late, early = noop(w, nonce=w.now + 9), noop(w, nonce=w.now + 1)
    w.batch(late, early)
    assert [found.status for found in w.last.outcomes] == ["excluded", "executed"]


def test_foreign_l1_actions_need_a_compat_agent_where_the_network_says_so(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.ex.config = replace(w.config, accept_foreign_l1=False)
    plain, compat = 50, 51
    w.batch(
        w.signed(1, t.ApproveAgent(plain.to_bytes(20, "big"), "plain", 0, False)),
        w.signed(1, t.ApproveAgent(compat.to_bytes(20, "big"), "old", 0, True)),
    )
    w.batch(*[noop(w, who=who, foreign=True) for who in (1, plain, compat)], noop(w, who=plain))
    assert [found.status for found in w.last.outcomes] == ["excluded", "excluded", "executed", "executed"]
