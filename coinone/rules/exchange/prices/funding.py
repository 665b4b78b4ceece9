"""Funding: the hourly payment that ties a perpetual's price to its index.

Longs pay shorts when the perpetual trades above the index, and the reverse. The *premium* is how far the hittable
impact price (quotes.py) lies outside the oracle price; each batch is weighted by its length. The hour's average P gives
F = P + clamp(0.01 % - P, +-0.05 %) for eight hours, an eighth of it per hour, at most 1 / (16 * max leverage): an
eighth of the smallest maintenance margin, so that no single hour's funding wipes out an account with that margin.

A payment is size * oracle * rate. No account pays more than its equity; receivers share what was paid, and the rounding
remainder goes to the insurance fund. All payments are settled together at the turn of the hour and booked to the
positions over several batches (margin/funding.py).

An hour in which less than half the time was sampled pays nothing, and an hour without a batch is never made up for.
While a jump is pending, or the oracle's price is stale, settlement waits too, at most until the next hour has ended as
well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from coinone.base.primitives.fixed128 import muldiv_down_jit
from coinone.base.primitives.integers import clamp, div_toward_zero, muldiv_down
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.parameters import FUNDING_BOOKED_PER_BATCH, FUNDING_WEIGHED_MIN_MS, MARKETS_MAX
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.events.events import FundingPayment
from coinone.rules.exchange.margin.funding import RATE_SCALE, book_funding, payment_of, rate_cap
from coinone.rules.exchange.prices.oracle import is_fresh
from coinone.rules.exchange.rows.arrays import CORE, NUMBERS, SAVED_POSITIONS, attach, i64
from coinone.rules.exchange.rows.journal import save_account, save_position
from coinone.rules.exchange.rows.tables import Array, MarketStatus
from coinone.rules.exchange.state.ledger import QUOTE_SCALE, MarketMemory
from coinone.rules.exchange.state.rows import Rows

HOUR_MS = 3_600_000
INTEREST = 100_000  # 0.01 % per eight hours
CLAMP = 500_000  # 0.05 %

_PAID_DUE_POOR = types.Tuple((types.int64, types.int64, NUMBERS))  # type: ignore[no-untyped-call]


def apply_funding(batch: Execution) -> None:
    """Settle the hour that ended, at the turn of the hour; book pending payments, a bounded number of positions per
    batch."""
    rows = batch.rows
    for market in range(rows.market_count):
        _turn_hour(batch, market)
    left = FUNDING_BOOKED_PER_BATCH
    for market in range(rows.market_count):
        if rows.markets[market]["unbooked"]:
            batch.books_funding = True
            left -= _book_some(rows, market, left)


def hourly_rate(premium_sum: int, weighed_ms: int, leverage: int) -> int:
    """The hour's rate in 1e-9 from the sum of its premiums, each times its ms; `leverage` is the market's maximum."""
    average = div_toward_zero(premium_sum, weighed_ms)
    eight_hours = average + clamp(INTEREST - average, -CLAMP, CLAMP)
    cap = rate_cap(leverage)
    return clamp(div_toward_zero(eight_hours, 8), -cap, cap)


def premium(bid: int, ask: int, oracle: int) -> int:
    """The premium (max(bid - oracle, 0) - max(oracle - ask, 0)) / oracle, in 1e-9; prices in 1 / QUOTE_SCALE, 0 for
    none."""
    anchor = oracle * QUOTE_SCALE
    above = muldiv_down(bid - anchor, RATE_SCALE, anchor) if bid > anchor else 0
    below = muldiv_down(anchor - ask, RATE_SCALE, anchor) if 0 < ask < anchor else 0
    return above - below


def add_premium(
    batch: Execution, market: int, memory: MarketMemory, bid: int, ask: int, weight_ms: int
) -> MarketMemory:
    """Add this batch's hittable premium to the hour's sums; set the predicted rate that clients see."""
    row = batch.rows.markets[market]
    sample = premium(bid, ask, int(row["oracle"]))
    total, weighed = memory.premium_sum + sample * weight_ms, memory.premium_ms + weight_ms
    if weighed:
        rate = hourly_rate(total, weighed, int(row["max_leverage"]))
        if int(row["funding_rate"]) != rate:
            batch.rows.journal.market(market)
            row["funding_rate"] = rate
    return replace(memory, premium=sample, premium_sum=total, premium_ms=weighed)


def settle_hour(batch: Execution, market: int, rate: int, hour_ms: int) -> None:
    """Set what a lot pays and receives, and change every holder's equity accordingly."""
    rows = batch.rows
    slots, core = rows.positioned(market), rows.core()
    payers = 1 if rate > 0 else -1  # the sign of the sizes that pay
    paying = int(rows.markets[market]["oracle"]) * abs(rate)
    paid, due, poor = _charge(core, market, slots, payers, paying)
    received = paying if paid >= due else _share(rows, market, slots, payers, paid)
    rows.journal.market(market)
    row = rows.markets[market]
    row["funding_ms"], row["unbooked"] = hour_ms, len(slots)
    row["funding_long"], row["funding_short"] = (paying, -received) if payers > 0 else (-received, paying)
    batch.books_funding = True
    for slot in poor[poor >= 0].tolist():
        _take_all(batch, slot, market)
    dust = paid - _value(core, market, slots, hour_ms, payers)
    assert dust >= 0, "funding created money"
    batch.move_global("insurance", dust)
    batch.move_global("funding_clearing", -dust)


def _share(rows: Rows, market: int, slots: Array, payers: int, paid: int) -> int:
    """What a receiving lot gets of `paid`, rounded down: per lot, since each holder's payment is itself rounded."""
    sizes = rows.positions["size"][slots, market]
    lots = int(np.abs(sizes[sizes * payers < 0]).sum())
    return muldiv_down(paid, RATE_SCALE, lots)


def tell_payments(batch: Execution) -> None:
    """Emit an event for each position booked in this batch, from its row and the journal's copy from before.

    Ordered by market and account number, since slots differ between nodes.
    """
    if not batch.books_funding:
        return
    rows, journal = batch.rows, batch.rows.journal
    count = int(journal.counters[SAVED_POSITIONS])
    keys, images = journal.keys["position"][:count], journal.images["position"][:count]
    slots, markets = np.divmod(keys, MARKETS_MAX)
    booked = (images["size"] != 0) & (images["funding_ms"] != rows.positions["funding_ms"][slots, markets])
    places = booked.nonzero()[0]
    order = np.lexsort((rows.accounts["number"][slots[places]], markets[places]))
    for place in places[order].tolist():
        slot, market = int(slots[place]), int(markets[place])
        memory = batch.ledger.memory_of(market)
        paid = int(rows.positions[slot, market]["funding_all"]) - int(images[place]["funding_all"])
        batch.events.append(
            FundingPayment(
                seq=batch.ctx.seq,
                time_ms=int(rows.markets[market]["funding_ms"]),
                account=rows.address_of(slot),
                market=market,
                size=int(images[place]["size"]),
                rate=memory.paid_rate,
                amount=-paid,
                premium=memory.paid_premium,
            )
        )


def _turn_hour(batch: Execution, market: int) -> None:
    memory, hour, row = batch.ledger.memory_of(market), batch.now // HOUR_MS, batch.rows.markets[market]
    if hour == memory.hour or int(row["status"]) == MarketStatus.JUMPING or row["unbooked"]:
        return
    next_memory = replace(memory, hour=hour, premium_sum=0, premium_ms=0)
    if hour == memory.hour + 1 and memory.premium_ms >= FUNDING_WEIGHED_MIN_MS:
        if not is_fresh(batch.rows, market):
            return  # wait for a price: otherwise 20 s of silence would cancel the hour
        rate = hourly_rate(memory.premium_sum, memory.premium_ms, int(row["max_leverage"]))
        average = div_toward_zero(memory.premium_sum, memory.premium_ms)
        next_memory = replace(next_memory, paid_rate=rate, paid_premium=average)
        settle_hour(batch, market, rate, hour * HOUR_MS)
    batch.ledger.memory.put(market, next_memory)


def _take_all(batch: Execution, slot: int, market: int) -> None:
    """Charge a payer that owes more than its equity: take all of it immediately."""
    rows = batch.rows
    rows.journal.account(slot)
    rows.journal.position(slot, market)
    account, held = rows.accounts[slot], rows.positions[slot, market]
    paid = max(0, int(account["cash"]) + int(account["position_value"]))
    batch.move_cash(slot, -paid)
    batch.move_global("funding_clearing", paid)
    for column in ("funding_all", "funding_open", "funding_change"):
        held[column] += paid
    held["funding_ms"] = rows.markets[market]["funding_ms"]
    rows.markets[market]["unbooked"] -= 1


@njit(
    _PAID_DUE_POOR(CORE, types.int64, NUMBERS, types.int64, types.int64),
    error_model="numpy",
)
def _charge(words: Any, market: int, slots: Any, payers: int, paying: int) -> tuple[int, int, Any]:
    """Sum what the payers pay and the receivers are due; list the payers that owe more than they have (-1 for others).

    Sums fit in 64 bits: no payment exceeds a sixteenth of the margin behind its position, and money is below 2^62.
    """
    core = attach(words)
    paid = due = i64(0)
    poor = np.full(len(slots), -1, np.int64)
    for n in range(len(slots)):
        size = core.positions[slots[n], market].size
        received = muldiv_down_jit(abs(size), paying, RATE_SCALE)
        if size * payers < 0:
            due += received
            continue
        holder = core.accounts[slots[n]]
        equity = holder.cash + holder.position_value
        owed = -muldiv_down_jit(-abs(size), paying, RATE_SCALE)
        if owed > equity:
            poor[n] = slots[n]
        paid += min(owed, max(equity, 0))
    return paid, due, poor


@njit(types.int64(CORE, types.int64, NUMBERS, types.int64, types.int64), error_model="numpy", _nrt=False)
def _value(words: Any, market: int, slots: Any, hour_ms: int, payers: int) -> int:
    """Change the running value of every position that is still to be booked; return what receivers get."""
    core = attach(words)
    got = i64(0)
    for n in range(len(slots)):
        held = core.positions[slots[n], market]
        if held.funding_ms != hour_ms:
            payment = payment_of(core, market, held.size)
            core.accounts[slots[n]].position_value -= payment
            if held.size * payers < 0:
                got -= payment
    return got


def _book_some(rows: Rows, market: int, most: int) -> int:
    """Book at most `most` of the pending positions, by account number; return how many."""
    slots = rows.holders_of(market)
    held = rows.positions[:, market]
    waiting = (held["size"][slots] != 0) & (held["funding_ms"][slots] != rows.markets[market]["funding_ms"])
    slots = slots[waiting]
    if len(slots) > most:
        slots = slots[np.argpartition(rows.accounts["number"][slots], most)[:most]]
    _book(rows, market, slots)
    return len(slots)


def _book(rows: Rows, market: int, slots: Array) -> None:
    rows.journal.reserve(len(slots))
    _book_all(rows.core(), market, slots)


@njit(types.void(CORE, types.int64, NUMBERS), error_model="numpy", _nrt=False)
def _book_all(words: Any, market: int, slots: Any) -> None:
    core = attach(words)
    for n in range(len(slots)):
        save_account(core, slots[n])
        save_position(core, slots[n], market)
        book_funding(core, slots[n], market)
