"""Who gets into a batch (D5), and that what is excluded changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coinone.base.primitives.parameters import ACCOUNT_ACTIONS_PER_BATCH
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
