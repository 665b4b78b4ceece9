"""Deposits, sends and withdrawals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.parameters import WITHDRAWALS_WAITING_MAX
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.instruments.config import QUOTE_SYSTEM_ADDRESS
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.ledger.crossings import Deposit, Withdrawal
from tests.rules.exchange import words as t

QUOTE = 10**6


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


def send(w: Any, who: int, to: bytes, amount: int, token: str = "") -> t.VerifiedAction:
    signed: t.VerifiedAction = w.signed(who, t.SendAsset(to, amount, token))
    return signed


def test_a_deposit_of_eleven_opens_an_account_that_acts_from_the_next_batch_on(
    world: Callable[..., Any],
) -> None:
    """One of the eleven is the price of opening: it goes to the insurance fund."""
    w = world({})
    w.batch(deposits=(Deposit(address(5), 11 * QUOTE),))
    assert w.fund("insurance") == QUOTE
    w.batch(w.signed(5, t.Noop()))
    assert w.last.outcomes[0].status == "executed"
    assert w.cash(5) == 10 * QUOTE


def test_smaller_deposits_wait_until_they_make_eleven(world: Callable[..., Any]) -> None:
    w = world({})
    w.batch(deposits=(Deposit(address(5), 6 * QUOTE),))
    assert w.ex.rows.slot_of(address(5)) is None
    assert w.ex.ledger.unclaimed.get(address(5)) == 6 * QUOTE == w.fund("unclaimed")
    w.batch(deposits=(Deposit(address(5), 5 * QUOTE - 1),))
    assert w.ex.rows.slot_of(address(5)) is None
    w.batch(deposits=(Deposit(address(5), 100_001),))  # 6 + 4.999999 + 0.100001 = 11.1
    assert w.cash(5) == 10 * QUOTE + 100_000
    assert w.fund("unclaimed") == 0 and w.ex.ledger.unclaimed.get(address(5)) is None


def test_a_deposit_of_nothing_leaves_nothing(world: Callable[..., Any]) -> None:
    w = world({})
    assert b"u" + address(5) not in w.batch(deposits=(Deposit(address(5), 0),)).leaves


def test_a_send_moves_exactly_its_amount(world: Callable[..., Any]) -> None:
    w = world({1: 100, 2: 100})
    w.batch(send(w, 1, address(2), 30 * QUOTE + 1))
    assert (w.cash(1), w.cash(2)) == (70 * QUOTE - 1, 130 * QUOTE + 1)


def test_a_small_send_to_a_stranger_waits_too(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(send(w, 1, address(9), 3 * QUOTE))
    assert w.fund("unclaimed") == 3 * QUOTE and conserved_sum(w.ex) == 100 * QUOTE


@pytest.mark.parametrize(
    ("to", "amount", "token", "error"),
    [
        (2, 100 * QUOTE + 1, "", "Insufficient balance for withdrawal."),
        (1, 1, "", "Cannot self-transfer."),
        (2, 1, "HYPE:0x01", "Invalid token."),
    ],
)
def test_a_send_that_cannot_be_moves_nothing(
    to: int, amount: int, token: str, error: str, world: Callable[..., Any]
) -> None:
    w = world({1: 100, 2: 100})
    w.batch(send(w, 1, address(to), amount, token))
    assert (w.last.outcomes[0].status, w.last.outcomes[0].error) == ("failed", error)
    assert (w.cash(1), w.cash(2)) == (100 * QUOTE, 100 * QUOTE)


def test_a_withdrawal_leaves_the_exchange_for_the_contracts(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    action = send(w, 1, QUOTE_SYSTEM_ADDRESS, 40 * QUOTE, "USDC:0x0")
    w.batch(action)
    assert w.last.withdrawals == (Withdrawal(address(1), 40 * QUOTE, action.tx_hash),)
    assert conserved_sum(w.ex) == 60 * QUOTE


def test_a_withdrawal_in_the_batch_of_a_trade_sees_the_trade(world: Callable[..., Any]) -> None:
    """Segment 7 comes after 6: the margin of what was bought is kept back."""
    w = world({1: 10_000, 2: 100_000})
    w.batch(w.sell(2, 1, 50_000))
    w.batch(send(w, 1, QUOTE_SYSTEM_ADDRESS, 9_900 * QUOTE), w.buy(1, 1, 50_000, "Ioc"))
    assert w.last.outcomes[0].error == "Insufficient balance for withdrawal."
    assert w.position(1) == 10**5


def test_a_tenth_of_the_position_or_the_initial_margin_stays_whichever_is_more(
    world: Callable[..., Any],
) -> None:
    """1 BTC at 50,000: 10 % = 5,000; at 50x the initial margin is 1,000; at 5x it is 10,000."""
    w = world({1: 20_000, 2: 100_000})
    w.batch(w.sell(2, 1, 50_000), w.buy(1, 1, 50_000))
    equity = w.equity(1)
    assert withdrawable(w.ex.rows, w.slot(1)) == equity - 5_000 * QUOTE
    w.batch(w.signed(1, t.UpdateLeverage(0, True, 5)))
    assert withdrawable(w.ex.rows, w.slot(1)) == equity - 10_000 * QUOTE


def test_nothing_leaves_while_a_held_market_has_no_fresh_oracle(world: Callable[..., Any]) -> None:
    w = world({1: 20_000, 2: 100_000})
    w.batch(w.sell(2, 0.1, 50_000), w.buy(1, 0.1, 50_000))
    w.batch(send(w, 1, QUOTE_SYSTEM_ADDRESS, QUOTE), step_ms=21_000, fresh=False)
    assert w.last.outcomes[0].error == "Insufficient balance for withdrawal."
    w.batch(send(w, 1, QUOTE_SYSTEM_ADDRESS, QUOTE))
    assert w.last.outcomes[0].status == "executed"


def test_what_a_resting_order_beyond_the_mark_may_lose_cannot_be_sent_away(world: Callable[..., Any]) -> None:
    """A bid for 1 BTC at 50,500 with the mark at 50,000: a margin of 1,000 at 50x, and 500 go when it trades."""
    w = world({1: 10_000})
    before = withdrawable(w.ex.rows, w.slot(1))
    w.batch(w.buy(1, 1, 50_500))
    assert before - withdrawable(w.ex.rows, w.slot(1)) == (1_000 + 500) * 10**6


def test_a_coin_that_walks_from_key_to_key_is_used_up(world: Callable[..., Any]) -> None:
    """15 quote: the second account has 14, the third 13 ... and after the one with 10 no further one opens."""
    w = world({1: 15})
    opened = []
    for n in range(1, 10):
        if w.ex.rows.slot_of(address(n)) is None:
            break
        opened.append(w.cash(n) // QUOTE)
        w.batch(send(w, n, address(n + 1), w.cash(n)))
    assert opened == [15, 14, 13, 12, 11, 10]
    assert w.fund("insurance") == 5 * QUOTE and w.fund("unclaimed") == 10 * QUOTE


def test_squatting_a_row_costs_a_tenth_of_a_quote(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    w.batch(send(w, 1, address(9), 99_999))
    assert (
        w.last.outcomes[0].error == "Amount too small for an address without account, must be at least 0.1."
    )
    w.batch(deposits=(Deposit(address(9), 99_999),))
    assert w.ex.ledger.unclaimed.get(address(9)) is None and w.fund("insurance") == 99_999
    w.batch(send(w, 1, address(9), 100_000))
    assert w.ex.ledger.unclaimed.get(address(9)) == 100_000
    w.batch(send(w, 1, QUOTE_SYSTEM_ADDRESS, 1))  # a withdrawal may be as small as it likes
    assert w.last.outcomes[0].status == "executed"


def test_a_queue_of_withdrawals_has_an_end(world: Callable[..., Any]) -> None:
    """2,047 of earlier batches wait: of two more, one has room; sends within the exchange go on."""
    w = world({1: 100, 2: 100})
    w.now, w.seq = w.now + 250, w.seq + 1
    ctx = BatchContext(w.seq, w.now, bytes(32), withdrawals_waiting=WITHDRAWALS_WAITING_MAX - 1)
    sends = [send(w, who, QUOTE_SYSTEM_ADDRESS, QUOTE) for who in (1, 2)] + [send(w, 1, address(2), QUOTE)]
    result = apply_exchange(w.ex, ctx, sends)
    assert len(result.withdrawals) == 1
    assert sorted(outcome.error for outcome in result.outcomes[:2]) == [
        "",
        "Too many withdrawals are waiting, try again.",
    ]
    assert result.outcomes[2].status == "executed"
