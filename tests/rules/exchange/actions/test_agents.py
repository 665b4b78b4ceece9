"""Agents trade and do nothing else; an address is an account or an agent, never both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.parameters import NONCE_PAST_MS, SIGNERS_PER_ACCOUNT
from coinone.rules.exchange.invariants import check_exchange
from coinone.rules.exchange.state.leaves import account_key, all_leaves
from coinone.rules.exchange.state.ledger import Closed, NonceSet
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.ledger.crossings import CoreAction, Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
DAY = 86_400_000


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


def approve(w: Any, who: int, agent: int, name: str = "", until: int = 0) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.ApproveAgent(address(agent), name, until, False))
    return signed


def leave(w: Any, who: int) -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.LeaveAgency())
    return signed


def acts_for(w: Any, key: int) -> list[int]:
    """Whose book an order signed by `key` rests in."""
    w.batch(w.buy(key, 0.001, 40_000))
    rows = w.ex.rows
    return [
        who
        for who in (1, 2, key)
        if rows.slot_of(address(who)) is not None and rows.book.slots_of(rows, w.slot(who))
    ]


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
        w.signed(50, t.SendAsset(address(2), QUOTE)),
        w.signed(50, t.SendAsset(w.config.system_address, QUOTE)),
        approve(w, 50, 51),
        w.signed(50, t.ApproveBuilderFee(address(1), 1)),
    )
    assert statuses(w) == ["excluded"] * 4
    assert w.cash(1) == 100_000 * QUOTE


def test_a_new_unnamed_agent_replaces_the_old_one(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(approve(w, 1, 50))
    w.batch(approve(w, 1, 51))
    w.batch(w.signed(50, t.Noop()), w.signed(51, t.Noop()))
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
    w.batch(w.signed(50, t.Noop()), step_ms=750)
    assert statuses(w) == ["executed"]
    w.batch(w.signed(50, t.Noop()), step_ms=1)
    assert statuses(w) == ["excluded"]


def test_an_agent_whose_time_is_over_leaves_its_place(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    until = w.now + 1_000
    w.batch(*[approve(w, 1, 50 + n, name, until) for n, name in enumerate(["", "a", "b", "c"])])
    w.batch(approve(w, 1, 60, "d"), step_ms=750)
    assert statuses(w) == ["failed"]
    w.batch(approve(w, 1, 60, "d"), step_ms=1_000)
    w.batch(w.signed(60, t.Noop()), w.signed(51, t.Noop()))
    assert statuses(w) == ["executed", "excluded"]


def test_an_account_cannot_be_made_an_agent(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 2))
    assert w.last.outcomes[0].error == "Agent address is an account already."


def test_nobody_takes_over_anothers_agent(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 50))
    w.batch(approve(w, 2, 50))
    assert w.last.outcomes[0].error == "Extra agent already used."


def test_nonces_outlive_a_replaced_agent_until_their_window_has_passed(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    action = w.signed(50, t.Noop())
    w.batch(approve(w, 1, 50))
    w.batch(action)
    w.batch(approve(w, 1, 51))
    w.batch(approve(w, 1, 50))  # the old key returns: what it signed before must not come back
    w.batch(action)
    assert statuses(w) == ["excluded"] and "duplicate nonce" in w.last.outcomes[0].error
    w.batch(approve(w, 1, 51))
    w.nonce = w.now + 3 * DAY
    w.batch(w.signed(51, t.Noop()), step_ms=3 * DAY)
    assert w.ex.ledger.nonces.get(address(50)) is None


def gifts() -> dict[str, Callable[[Any], None]]:
    return {
        "a send": lambda w: w.batch(w.signed(2, t.SendAsset(address(50), 500 * QUOTE))),
        "a deposit": lambda w: w.batch(deposits=(Deposit(address(50), 500 * QUOTE),)),
        "many small ones": lambda w: w.batch(deposits=(Deposit(address(50), 9 * QUOTE),) * 9),
        "what waited before": lambda w: w.batch(deposits=(Deposit(address(50), 2 * QUOTE),)),
    }


@pytest.mark.parametrize("gift", gifts())
def test_no_credit_changes_whom_a_key_acts_for(world: Callable[..., Any], gift: str) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(deposits=(Deposit(address(50), 9 * QUOTE),))
    w.batch(approve(w, 1, 50))
    gifts()[gift](w)
    assert w.ex.rows.slot_of(address(50)) is None
    assert acts_for(w, 50) == [1]


def test_what_waits_for_an_agent_opens_its_account_when_the_master_lets_it_go(
    world: Callable[..., Any],
) -> None:
    w = world({1: 100})
    w.batch(approve(w, 1, 50))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    assert w.ex.ledger.unclaimed.get(address(50)) == 500 * QUOTE
    w.batch(approve(w, 1, 51))
    assert w.cash(50) > 400 * QUOTE and w.ex.ledger.unclaimed.get(address(50)) is None


def test_an_agency_that_ran_out_reserves_its_address_no_more(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 50, "bot", w.now + 1_000))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    w.batch(step_ms=2_000)
    w.batch(deposits=(Deposit(address(50), QUOTE),))
    assert w.cash(50) > 400 * QUOTE
    assert w.ex.ledger.settings_of(w.ex.number(w.slot(1))).agents == ()


def test_an_agency_that_ran_out_cannot_be_bought_with_what_waits(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 50, "bot", w.now + 1_000))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    w.batch(approve(w, 2, 50), step_ms=2_000)
    assert w.last.outcomes[0].error == "Agent address is an account already."
    assert w.cash(50) > 400 * QUOTE


def test_the_zero_address_takes_the_agent_of_that_name_away(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    for who in (1, 2):
        w.batch(approve(w, who, 50 + who, "bot"))
        w.batch(approve(w, who, 0, "bot"))
        assert statuses(w) == ["executed"]
        assert w.ex.ledger.settings_of(w.ex.number(w.slot(who))).agents == ()
        assert w.ex.ledger.agents.get(address(50 + who)) is None
    assert w.ex.ledger.agents.get(bytes(20)) is None


@pytest.mark.parametrize("nobody", ["20" + "00" * 19, "20" + "00" * 18 + "07", "33" * 20, "00" * 18 + "0806"])
def test_whom_nobody_can_sign_for_is_no_agent_and_gets_no_money(
    world: Callable[..., Any], nobody: str
) -> None:
    w = world({1: 100})
    who = int(nobody, 16)
    w.batch(approve(w, 1, who))
    assert w.last.outcomes[0].error == "Agent address belongs to nobody."
    if address(who) != w.config.system_address:
        w.batch(w.signed(1, t.SendAsset(address(who), QUOTE)))
        assert w.last.outcomes[0].error == "Invalid destination."


def test_money_is_not_sent_to_the_zero_address(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(w.signed(1, t.SendAsset(bytes(20), 20 * QUOTE)))
    assert w.last.outcomes[0].error == "Invalid destination." and w.cash(1) == 100 * QUOTE


def test_a_stranger_who_approves_a_new_users_address_does_not_keep_it(world: Callable[..., Any]) -> None:
    """Seen in a deposit under way: the thief's approval comes first, and the user's money waits behind it."""
    w = world({1: 100_000})
    w.batch(approve(w, 1, 50))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    w.batch(leave(w, 50), approve(w, 1, 50, "again"))
    assert statuses(w)[0] == "executed"
    w.batch(approve(w, 1, 50, "once more"))
    assert statuses(w) == ["failed"]
    assert acts_for(w, 50) == [50]


def test_an_agency_is_left_once_and_without_account_or_credit(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(approve(w, 1, 50))
    used = int(w.ex.rows.accounts["credits_used"][w.slot(1)])
    first, second = leave(w, 50), leave(w, 50)
    w.batch(first, second)
    assert statuses(w) == ["executed", "excluded"]
    assert int(w.ex.rows.accounts["credits_used"][w.slot(1)]) == used
    w.batch(approve(w, 1, 50))
    w.batch(first)
    assert statuses(w) == ["excluded"] and "duplicate nonce" in w.last.outcomes[0].error


def test_a_master_who_used_up_the_place_for_keys_cannot_hold_one_more(world: Callable[..., Any]) -> None:
    """Else the last one approved could not sign, not even to leave."""
    w = world({1: 100})
    w.batch(w.signed(1, t.Noop()))
    keys = [100 + n for n in range(SIGNERS_PER_ACCOUNT)]
    for key in keys:
        w.batch(approve(w, 1, key))
        if statuses(w) == ["failed"]:
            break
        w.batch(w.signed(key, t.Noop()))
        assert statuses(w) == ["executed"]
    assert key == keys[-1] and w.last.outcomes[0].error == "Too many signing keys within the nonce window."
    w.batch(leave(w, keys[-2]))
    assert statuses(w) == ["executed"]


def test_a_contract_leaves_an_agency_by_acting(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(approve(w, 1, 50))
    w.batch(deposits=(Deposit(address(50), 500 * QUOTE),))
    w.batch(core=(CoreAction(address(50), b"\x01\x00\x00\x07" + bytes(31) + b"\x05" + bytes(31) + b"\x01"),))
    assert [outcome.status for outcome in w.last.core_outcomes] == ["executed"]
    assert w.cash(50) > 400 * QUOTE


def test_the_account_of_a_contract_opens_while_its_agency_lives_and_ends_it(
    world: Callable[..., Any],
) -> None:
    """What waits (9) and arrives (2) is 11, of which opening costs 1; then the master's place is free again."""
    w = world({1: 100})
    w.contracts = {address(50)}
    w.batch(approve(w, 1, 50))
    w.batch(deposits=(Deposit(address(50), 9 * QUOTE),))
    assert w.ex.ledger.unclaimed.get(address(50)) == 9 * QUOTE
    w.batch(deposits=(Deposit(address(50), 2 * QUOTE),))
    assert w.cash(50) == 10 * QUOTE and w.ex.ledger.unclaimed.get(address(50)) is None
    assert w.ex.ledger.agents.get(address(50)) is None
    assert w.ex.ledger.settings_of(w.ex.number(w.slot(1))).agents == ()


def test_keys_of_the_past_that_sign_for_another_master_take_no_room_where_they_began(
    world: Callable[..., Any],
) -> None:
    """31 keys of the first account sign with nonces that soon leave the window; then it approves four others, as there
    is room. When the 31 sign again, for the second account, they would have filled the first one's leaf for good."""
    w = world({1: 100_000, 2: 100_000})

    def sign(key: int, nonce: int) -> None:
        w.batch(w.signed(key, t.Noop(), signer=address(key), nonce=nonce))
        assert statuses(w) == ["executed"]

    def approved(who: int, key: int, name: str) -> None:
        w.nonce = w.now + 1
        w.batch(approve(w, who, key, name))
        assert statuses(w) == ["executed"]

    keys, start = list(range(1_000, 1_000 + SIGNERS_PER_ACCOUNT - 1)), w.now
    for n, key in enumerate(keys):
        approved(1, key, "abcd"[n % 4])
        sign(key, start - NONCE_PAST_MS + 30_000)
    w.batch(step_ms=40_000)
    for n in range(4):
        approved(1, 2_000 + n, "abcd"[n])
    for n, key in enumerate(keys):
        approved(2, key, "abcd"[n % 4])
        sign(key, w.now + 1_000 + n)
    settings = [w.ex.ledger.settings_of(w.ex.number(w.slot(who))) for who in (1, 2)]
    assert not {*settings[0].signers} & {*map(address, keys)}
    assert {*settings[1].signers} >= {*map(address, keys)}
    sign(2_000, w.now + 5_000)
    check_exchange(w.ex)
    copy = exchange_from_leaves(w.ex.config, all_leaves(w.ex))
    assert dict(all_leaves(copy)) == dict(all_leaves(w.ex))


def test_swapping_agents_leaves_one_nonce_of_each_in_the_leaf(world: Callable[..., Any]) -> None:
    """31 keys, a hundred nonces of each almost a day ahead. A nonce set of 100 takes 20 + 800 bytes and 8 of lengths,
    one of a key of the past 20 + 8 + 1 and 3: those of four agents, and 28 of the others, are below 6,000 bytes. The
    four keys that leave and sign for the second account afterwards are in its leaf."""
    w = world({1: 100_000, 2: 100_000})

    def hundred(key: int, first: int) -> None:
        signed = [w.signed(key, t.Noop(), signer=address(key), nonce=first + n) for n in range(100)]
        w.batch(*signed)
        assert set(statuses(w)) == {"executed"}

    def leaf(who: int) -> bytes:
        return dict(all_leaves(w.ex))[account_key(w.ex.number(w.slot(who)))] or b""

    keys, ahead = [1_000 + n for n in range(SIGNERS_PER_ACCOUNT - 1)], w.now + 80_000_000
    for n, key in enumerate(keys):
        w.batch(approve(w, 1, key, "abcd"[n % 4]))
        assert statuses(w) == ["executed"]
        hundred(key, ahead)
    assert len(w.ex.ledger.settings_of(w.ex.number(w.slot(1))).signers) == SIGNERS_PER_ACCOUNT
    assert len(leaf(1)) < 6_000
    whole = len(leaf(1))
    for n, key in enumerate(keys[-4:]):
        w.batch(w.signed(key, t.LeaveAgency(), signer=address(key), nonce=ahead + 500))
        w.batch(approve(w, 2, key, "abcd"[n]))
        hundred(key, ahead + 1_000)
    assert len(leaf(1)) < whole and 4 * 800 < len(leaf(2)) < 4_500
    copy = exchange_from_leaves(w.ex.config, all_leaves(w.ex))
    assert dict(all_leaves(copy)) == dict(all_leaves(w.ex))


@pytest.mark.parametrize("end", ["replaced", "ran out"])
def test_a_stranger_cannot_take_over_a_key_whose_holder_does_not_know_that_its_agency_is_over(
    world: Callable[..., Any], end: str
) -> None:
    """Its bot signs on, and would trade for the stranger: `User or API Wallet does not exist`. The account
    that it signed for may approve it again; whom it leaves by its own signature does not keep it from others."""
    w = world({1: 100, 2: 100})

    def sign() -> str:
        w.batch(w.signed(50, t.Noop(), signer=address(50)))
        return str(w.last.outcomes[0].error)

    w.batch(approve(w, 1, 50, until=w.now + 10_000))
    assert sign() == ""
    if end == "replaced":
        w.batch(approve(w, 1, 51))
    else:
        w.batch(step_ms=20_000)
    w.batch(approve(w, 2, 50))
    assert w.last.outcomes[0].error == "Extra agent already used."
    assert "does not exist" in sign()
    w.batch(approve(w, 1, 50))
    assert sign() == ""
    w.batch(w.signed(50, t.LeaveAgency(), signer=address(50)))
    w.batch(approve(w, 2, 50))
    assert sign() == ""


@pytest.mark.parametrize("faster", [False, True])
def test_whoever_removes_a_key_that_left_does_not_bar_it_for_its_owner(
    world: Callable[..., Any], faster: bool
) -> None:
    """A stranger names the key, lets it leave, names it again and removes it; or removes it in the batch in which it
    leaves."""
    w = world({1: 100, 2: 100})
    leaves = w.signed(50, t.LeaveAgency(), signer=address(50))
    removed = w.signed(2, t.ApproveAgent(bytes(20), "", 0, False))
    w.batch(approve(w, 2, 50))
    if faster:
        w.ex.ledger.nonces.put(address(50), NonceSet(w.ex.number(w.slot(2)), (leaves.nonce,)))
        w.ex.ledger.forget_agent(address(50))
        w.ex.ledger.forget_agent(address(50), left=True)
    else:
        w.batch(leaves)
        w.batch(approve(w, 2, 50))
        w.batch(removed)
    w.batch(approve(w, 1, 50))
    assert statuses(w) == ["executed"]


def test_a_key_that_left_is_remembered_in_the_leaf(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(approve(w, 1, 50))
    w.batch(w.signed(50, t.Noop(), signer=address(50)))
    w.batch(w.signed(50, t.LeaveAgency(), signer=address(50)))
    copy = exchange_from_leaves(w.ex.config, all_leaves(w.ex))
    assert copy.ledger.nonces.get(address(50)) == w.ex.ledger.nonces.get(address(50))
    assert copy.ledger.nonces.get(address(50)).closed is Closed.LEFT
    assert dict(all_leaves(copy)) == dict(all_leaves(w.ex))


def test_the_leaf_says_how_a_set_of_nonces_is_closed() -> None:
    """By hand: RLP's prefix of eight bytes, the nonce in eight, and a byte where the set is closed."""
    nonce = b"\x88" + bytes(7) + b"\x05"
    for closed, byte in ((Closed.NO, b""), (Closed.ENDED, b"\x01"), (Closed.LEFT, b"\x02")):
        assert NonceSet(1, (5,), closed).packed() == nonce + byte


def test_a_key_that_is_approved_again_signs_above_all_it_ever_signed(world: Callable[..., Any]) -> None:
    """It used 2,000 and 1,000 of an hour ahead; then its agency ended. 1,500 was never used, and is refused."""
    w = world({1: 100, 2: 100})
    hour = w.now + 3_600_000

    def sign(nonce: int) -> list[str]:
        w.batch(w.signed(50, t.Noop(), signer=address(50), nonce=nonce))
        return statuses(w)

    w.batch(approve(w, 1, 50))
    assert sign(hour + 2_000) == ["executed"] and sign(hour + 1_000) == ["executed"]
    w.batch(w.signed(50, t.LeaveAgency(), signer=address(50), nonce=hour + 3_000))
    w.batch(approve(w, 2, 50))
    assert sign(hour + 1_500) == ["excluded"] and "duplicate nonce" in w.last.outcomes[0].error
    assert sign(hour + 3_001) == ["executed"]
    w.batch(approve(w, 2, 50))  # renewed: what it signs need not rise
    assert sign(hour + 5_000) == ["executed"] and sign(hour + 4_000) == ["executed"]
