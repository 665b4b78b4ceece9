"""Agents trade and do nothing else; an address is an account or an agent, never both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coinone.rules.exchange.context import Deposit
from coinone.rules.exchange.wire import types as t

QUOTE = 10**6
DAY = 86_400_000


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


def approve(w: Any, who: int, agent: int, name: str = "", until: int = 0) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(
        who, t.ApproveAgent(address(agent), name, until, False), "approveAgent"
    )
    return signed


def statuses(w: Any) -> list[str]:
    return [outcome.status for outcome in w.last.outcomes]


def test_an_agent_trades_for_its_master(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(approve(w, 1, 50))
    w.batch(w.buy(50, 0.1, 40_000))
    assert "resting" in w.status(0)
    assert w.ex.rows.book.slots_of(w.ex.rows, w.slot(1))


def test_an_agent_cannot_transfer_withdraw_or_approve(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(approve(w, 1, 50))
    w.batch(
        w.signed(50, t.SendAsset("usdSend", address(2), QUOTE), "usdSend"),
        w.signed(50, t.SendAsset("sendAsset", w.config.system_address, QUOTE), "sendAsset"),
        approve(w, 50, 51),
        w.signed(50, t.ApproveBuilderFee(address(1), 1), "approveBuilderFee"),
    )
    assert statuses(w) == ["excluded"] * 4
    assert w.cash(1) == 100_000 * QUOTE


def test_a_new_unnamed_agent_replaces_the_old_one(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(approve(w, 1, 50))
    w.batch(approve(w, 1, 51))
    w.batch(w.signed(50, t.Noop(), "noop"), w.signed(51, t.Noop(), "noop"))
    assert statuses(w) == ["excluded", "executed"]


def test_there_are_three_named_agents_and_one_unnamed(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(*[approve(w, 1, 50 + n, name) for n, name in enumerate(["", "a", "b", "c", "d"])])
    assert statuses(w) == ["executed"] * 4 + ["failed"]
    assert w.last.outcomes[4].error == "Too many extra agents."
    w.batch(approve(w, 1, 60, "b"))
    assert statuses(w) == ["executed"]


def test_an_agency_ends_at_its_time(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    until = w.now + 1_000
    w.batch(approve(w, 1, 50, "bot", until))
    w.batch(w.signed(50, t.Noop(), "noop"), step_ms=750)
    assert statuses(w) == ["executed"]
    w.batch(w.signed(50, t.Noop(), "noop"), step_ms=1)
    assert statuses(w) == ["excluded"]


def test_an_account_cannot_be_made_an_agent(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 2))
    assert w.last.outcomes[0].error == "Agent address is an account already."


def test_nobody_takes_over_anothers_agent(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 50))
    w.batch(approve(w, 2, 50))
    assert w.last.outcomes[0].error == "Extra agent already used."


def test_becoming_an_account_ends_an_agency(world: Callable[..., Any]) -> None:
    """Otherwise whoever names a stranger's address as their agent first would receive that stranger's orders."""
    w = world({1: 100_000})
    w.batch(approve(w, 1, 50))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    w.batch(w.buy(50, 0.001, 40_000))
    assert w.ex.rows.book.slots_of(w.ex.rows, w.slot(50))
    assert not w.ex.rows.book.slots_of(w.ex.rows, w.slot(1))
    assert w.ex.ledger.settings_of(w.ex.number(w.slot(1))).agents == ()


def test_nonces_outlive_a_replaced_agent_until_their_window_has_passed(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    action = w.signed(50, t.Noop(), "noop")
    w.batch(approve(w, 1, 50))
    w.batch(action)
    w.batch(approve(w, 1, 51))
    w.batch(approve(w, 1, 50))  # the old key returns: what it signed before must not come back
    w.batch(action)
    assert statuses(w) == ["excluded"] and "duplicate nonce" in w.last.outcomes[0].error
    w.batch(approve(w, 1, 51))
    w.nonce = w.now + 3 * DAY
    w.batch(w.signed(51, t.Noop(), "noop"), step_ms=3 * DAY)
    assert w.ex.ledger.nonces.get(address(50)) is None
