"""Empty accounts are let go, nothing old can be sent again, and their rows are used again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.rows.numbers import Numbers
from coinone.rules.exchange.state.leaves import account_key, all_leaves
from coinone.rules.exchange.state.ledger import Ledger
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.exchange.state.tables import LoggedDict
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
DAY = 86_400_000


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


def send(w: Any, who: int, to: int, amount: int) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.SendAsset(address(to), amount))
    return signed


def emptied(world: Callable[..., Any], left: int = 500_000) -> Any:
    """Account 2 has sent away all but half a quote unit."""
    w = world({1: 1_000, 2: 100})
    w.batch(send(w, 2, 1, 100 * QUOTE - left))
    return w


def is_there(w: Any, who: int) -> bool:
    return w.ex.rows.slot_of(address(who)) is not None


def pass_days(w: Any, days: int) -> None:
    w.batch(step_ms=days * DAY)
    w.nonce = w.now


def test_an_empty_account_is_let_go_after_four_days_and_what_it_had_waits(world: Callable[..., Any]) -> None:
    w = emptied(world)
    number, before = w.ex.number(w.slot(2)), conserved_sum(w.ex)
    pass_days(w, 3)
    assert is_there(w, 2)
    result = w.batch(step_ms=DAY)
    assert not is_there(w, 2) and is_there(w, 1)
    assert result.leaves[account_key(number)] is None
    assert w.ex.ledger.unclaimed.get(address(2)) == 500_000 == w.fund("unclaimed")
    assert conserved_sum(w.ex) == before
    assert account_key(number) not in dict(all_leaves(w.ex))


def test_who_loads_the_leaves_has_the_same_root_when_the_newest_account_was_let_go(
    world: Callable[..., Any],
) -> None:
    """By hand: numbers 1 and 2 were given and 2 is gone, so the tree has three places, 0 to 2, of which one is taken.
    Who starts anew from the leaves finds account 1 alone, and needs the same three places."""
    w = emptied(world)
    store = LeafStore(dict(all_leaves(w.ex)))
    store.update(w.batch(step_ms=4 * DAY).leaves)
    assert not is_there(w, 2)
    loaded = LeafStore(dict(all_leaves(w.ex)))
    assert loaded.root() == store.root()
    assert [kept.prove(w.ex.number(w.slot(1))).places for kept in (store, loaded)] == [3, 3]


def test_nothing_that_was_signed_before_can_be_sent_again(world: Callable[..., Any]) -> None:
    w = world({1: 1_000, 2: 100})
    ahead = w.signed(2, t.Noop(), nonce=w.now + DAY)
    last = send(w, 2, 1, 100 * QUOTE)
    w.batch(ahead, last)
    assert [found.status for found in w.last.outcomes] == ["executed"] * 2
    pass_days(w, 4)
    w.batch(deposits=(Deposit(address(2), 50 * QUOTE),))
    w.batch(ahead, last)
    assert [found.status for found in w.last.outcomes] == ["excluded"] * 2
    assert all("outside the window" in found.error for found in w.last.outcomes)


def test_a_key_that_changed_hands_takes_its_nonces_along_so_its_first_master_may_go(
    world: Callable[..., Any],
) -> None:
    """7 was 2's agent and left, is 3's now and signs each day. 2 goes after four quiet days; what 7 signed for 3
    yesterday cannot be sent again."""
    w = world({1: 1_000, 2: 100, 3: 1_000})

    def approve(who: int, agent: int) -> Any:
        return w.signed(who, t.ApproveAgent(address(agent), "x", 0, False))

    w.batch(approve(2, 7))
    w.batch(w.signed(7, t.Noop()))
    w.batch(w.signed(7, t.LeaveAgency()), send(w, 2, 1, 100 * QUOTE))
    w.batch(approve(3, 7))
    for _ in range(3):
        pass_days(w, 1)
        signed = w.signed(7, t.Noop())
        w.batch(signed)
    pass_days(w, 1)
    w.batch(step_ms=3_600_000)
    assert not is_there(w, 2)
    w.batch(signed)
    assert w.last.outcomes[0].status == "excluded" and "duplicate" in w.last.outcomes[0].error


def test_who_returns_pays_again_and_has_another_number(world: Callable[..., Any]) -> None:
    w = emptied(world)
    number = w.ex.number(w.slot(2))
    pass_days(w, 4)
    w.batch(deposits=(Deposit(address(2), 11 * QUOTE),))
    assert w.cash(2) == 10 * QUOTE + 500_000
    assert w.ex.number(w.slot(2)) > number


def test_rows_are_used_again_so_that_arrays_do_not_grow(world: Callable[..., Any]) -> None:
    w = world({1: 1_000})
    for turn in range(5):
        key = 100 + turn
        w.batch(deposits=(Deposit(address(key), 20 * QUOTE),))
        w.batch(send(w, key, 1, w.cash(key)))
        pass_days(w, 4)
        assert not is_there(w, key)
    assert w.ex.rows.account_count == 2


KEEPING: dict[str, Callable[[Any], Any]] = {
    "an order": lambda w: w.batch(w.buy(2, 0.0003, 49_000)),
    "a position": lambda w: (w.batch(w.sell(1, 0.0002, 50_000)), w.batch(w.buy(2, 0.0002, 50_000, "Ioc"))),
    "an agent": lambda w: w.batch(w.signed(2, t.ApproveAgent(address(50), "", 0, False))),
    "a scheduled cancel": lambda w: w.batch(w.signed(2, t.ScheduleCancel(w.now + 300 * DAY))),
    "a builder": lambda w: w.batch(w.signed(1, t.ApproveBuilderFee(address(2), 1))),
}


@pytest.mark.parametrize("what", KEEPING)
def test_what_is_still_needed_keeps_an_account(world: Callable[..., Any], what: str) -> None:
    w = world({1: 100_000, 2: 11})
    KEEPING[what](w)
    cash = w.ex.rows.accounts["cash"]
    cash[w.slot(1)] += cash[w.slot(2)] - QUOTE // 2
    cash[w.slot(2)] = QUOTE // 2
    for _ in range(5):
        w.batch(step_ms=DAY, fresh=False)  # so that no margin is asked of the position
    assert is_there(w, 2)


def test_a_whole_quote_unit_keeps_an_account(world: Callable[..., Any]) -> None:
    w = emptied(world, left=QUOTE)
    pass_days(w, 5)
    assert is_there(w, 2)


def test_a_credit_keeps_an_account_for_four_more_days(world: Callable[..., Any]) -> None:
    w = emptied(world)
    pass_days(w, 3)
    w.batch(send(w, 1, 2, 1))
    pass_days(w, 3)
    assert is_there(w, 2)
    pass_days(w, 1)
    assert not is_there(w, 2)


def test_undoing_the_batch_brings_the_account_back_as_it_was(world: Callable[..., Any]) -> None:
    w = emptied(world)
    w.batch(w.signed(2, t.UpdateLeverage(0, True, 5)))
    before = dict(all_leaves(w.ex))
    pass_days(w, 4)
    assert not is_there(w, 2)
    apply_undo(w.ex, w.last.undo)
    assert dict(all_leaves(w.ex)) == before and is_there(w, 2)
    w.seq -= 1
    w.now -= 4 * DAY
    assert w.batch(step_ms=4 * DAY).leaves[account_key(2)] is None


def test_undoing_an_opening_in_a_row_used_again_leaves_no_trace(world: Callable[..., Any]) -> None:
    w = emptied(world)
    pass_days(w, 4)
    before = dict(all_leaves(w.ex))
    w.batch(deposits=(Deposit(address(9), 20 * QUOTE),))
    assert w.slot(9) == 1
    apply_undo(w.ex, w.last.undo)
    assert dict(all_leaves(w.ex)) == before
    w.seq, w.now = w.seq - 1, w.now - 250
    w.batch(deposits=(Deposit(address(9), 20 * QUOTE), Deposit(address(10), 20 * QUOTE)))
    assert {w.slot(9), w.slot(10)} == {1, 2}


def test_a_node_that_starts_from_the_leaves_goes_on_the_same(world: Callable[..., Any]) -> None:
    w = emptied(world)
    w.batch(deposits=(Deposit(address(9), 20 * QUOTE),))
    pass_days(w, 4)
    other = exchange_from_leaves(w.config, list(all_leaves(w.ex))[::-1])
    mine = w.batch(step_ms=DAY).digest
    w.ex, w.seq, w.now = other, w.seq - 1, w.now - DAY
    assert w.batch(step_ms=DAY).digest == mine


def hostages(world: Callable[..., Any]) -> Any:
    """3 and 4 are empty. Each approved a stranger's address, 30 and 40, for two seconds in which 500 came for it."""
    w = world({1: 1_000, 3: 0, 4: 0})
    for master, key in ((3, 30), (4, 40)):
        w.batch(w.signed(master, t.ApproveAgent(address(key), "x", w.now + 2_000, False)))
        w.batch(deposits=(Deposit(address(key), 500 * QUOTE),))
        assert w.ex.ledger.unclaimed.get(address(key)) == 500 * QUOTE
    return w


def test_what_waits_for_the_agent_of_an_account_that_is_let_go_opens_the_agents_account(
    world: Callable[..., Any],
) -> None:
    """The agencies were over, but an address nobody lists as agent has no `leaveAgency` to open its account with. By
    hand: 500 waited, opening costs 1."""
    w = hostages(world)
    before = conserved_sum(w.ex)
    pass_days(w, 5)
    assert not is_there(w, 3) and not is_there(w, 4)
    assert w.cash(30) == w.cash(40) == 499 * QUOTE and w.fund("unclaimed") == 0
    assert conserved_sum(w.ex) == before
    w.batch(send(w, 30, 1, 499 * QUOTE))
    assert [found.status for found in w.last.outcomes] == ["executed"]


def test_undoing_the_batch_that_opened_an_agents_account_brings_the_master_back(
    world: Callable[..., Any],
) -> None:
    w = hostages(world)
    before = dict(all_leaves(w.ex))
    digest = w.batch(step_ms=5 * DAY).digest
    assert is_there(w, 30) and is_there(w, 40) and not is_there(w, 3) and not is_there(w, 4)
    apply_undo(w.ex, w.last.undo)
    assert dict(all_leaves(w.ex)) == before
    w.ex = exchange_from_leaves(w.config, list(all_leaves(w.ex))[::-1])
    w.seq, w.now = w.seq - 1, w.now - 5 * DAY
    assert w.batch(step_ms=5 * DAY).digest == digest


def test_every_table_by_account_is_looked_at_before_one_goes() -> None:
    """A new table by account says what it keeps (`LoggedDict.keeps`), then is added here."""
    tables = {name for name, value in vars(Ledger()).items() if isinstance(value, LoggedDict)}
    by_account = {"agents", "nonces", "settings", "schedule"}
    others = {"listings", "memory", "reports", "unclaimed", "cursors"}
    assert tables == by_account | others == set(Ledger().tables)


def test_the_next_numbers_are_found_over_any_gap_and_in_order() -> None:
    numbers = Numbers()
    used = [1, 2, 63, 64, 1_000_000, 10**12]
    for number in reversed(used):
        numbers.add(number)
    seen: list[int] = []
    while found := numbers.after(seen[-1] if seen else 0):
        seen += found
    assert seen == used
    for number in (64, 1_000_000):
        numbers.drop(number)
    assert numbers.after(63) == [10**12] and numbers.after(10**12) == []


def test_a_batch_lets_go_at_most_a_block_of_accounts_and_gets_round(world: Callable[..., Any]) -> None:
    w = world({1: 1_000} | dict.fromkeys(range(2, 302), 0))
    gone = []
    for _ in range(8):
        count = len(w.ex.rows.slot_by_number)
        w.batch(step_ms=4 * DAY)
        gone.append(count - len(w.ex.rows.slot_by_number))
    assert max(gone) == 64 and sum(gone) == 300
