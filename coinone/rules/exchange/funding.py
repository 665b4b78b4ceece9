"""Funding: the hourly payment that ties a perpetual's price to its index.

Longs pay shorts when the perpetual trades above the index, and the reverse. Every 5 s of batch time the premium
is sampled: how far the price for a trade of the market's impact notional lies outside the oracle price. The
hour's average P gives F = P + clamp(0.01 % - P, +-0.05 %) for eight hours, an eighth of it per hour, at most 4 %.

A payment is size * oracle * rate: payers round up, receivers down, so it never creates money; the dust goes to
the insurance fund. An hour that was not sampled for at least its half, or ends without a fresh oracle, pays
nothing, and an hour without a batch is never made up for.
"""

from dataclasses import replace

from coinone.base.primitives.integers import div_toward_zero, div_up, muldiv_down
from coinone.base.primitives.limits import FUNDING_SAMPLES_MIN, PREMIUM_SAMPLE_MS
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.events import FundingPayment
from coinone.rules.exchange.ledger import MarketMemory
from coinone.rules.exchange.oracle import is_fresh
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import Side

RATE_SCALE = 10**9
HOUR_MS = 3_600_000
INTEREST = 100_000  # 0.01 % per eight hours
CLAMP = 500_000  # 0.05 %
HOURLY_CAP = 40_000_000  # 4 %
IMPACT_LEVELS = 256  # prices walked for an impact price; deeper depth counts as absent


def apply_funding(batch: Batch) -> None:
    """Sample the premium, and at the hour's turn settle the hour that ended."""
    for market in range(batch.rows.market_count):
        memory = batch.ledger.memory.get(market) or MarketMemory()
        fresh = is_fresh(batch.rows, market)
        changed = _turn_hour(batch, market, memory, fresh)
        if fresh:
            changed = _sample(batch, market, changed)
        if changed is not memory:
            batch.ledger.memory.put(market, changed)


def hourly_rate(premium_sum: int, samples: int) -> int:
    """The hour's rate in 1e-9 from the sum of its premium samples."""
    average = average_premium(premium_sum, samples)
    eight_hours = average + max(-CLAMP, min(CLAMP, INTEREST - average))
    return max(-HOURLY_CAP, min(HOURLY_CAP, div_toward_zero(eight_hours, 8)))


def average_premium(premium_sum: int, samples: int) -> int:
    """In 1e-9, towards zero."""
    return div_toward_zero(premium_sum, samples)


def owed(size: int, oracle: int, rate: int) -> int:
    """What a position pays for an hour; negative if it receives. Rounded against the holder."""
    return div_up(size * oracle * rate, RATE_SCALE)


def premium(rows: Rows, market: int, impact_notional: int) -> int:
    """(max(impact bid - oracle, 0) - max(oracle - impact ask, 0)) / oracle, in 1e-9."""
    oracle = int(rows.markets[market]["oracle"])
    above = impact_price(rows, market, Side.BUY, impact_notional)
    below = impact_price(rows, market, Side.SELL, impact_notional)
    result = 0
    if above is not None and above[0] > oracle * above[1]:
        result += muldiv_down(above[0] - oracle * above[1], RATE_SCALE, above[1] * oracle)
    if below is not None and below[0] < oracle * below[1]:
        result -= muldiv_down(oracle * below[1] - below[0], RATE_SCALE, below[1] * oracle)
    return result


def impact_price(rows: Rows, market: int, side: Side, notional: int) -> tuple[int, int] | None:
    """The average price to trade `notional` into a side of the book, as (sum of px * sz, sum of sz)."""
    value = size = 0
    for px, available, _ in rows.book.side_levels(market, side, IMPACT_LEVELS):
        take = min(available, div_up(notional - value, px))
        value += px * take
        size += take
        if value >= notional:
            return value, size
    return None


def _sample(batch: Batch, market: int, memory: MarketMemory) -> MarketMemory:
    slot = batch.now // PREMIUM_SAMPLE_MS
    if slot == memory.sample_slot:
        return memory
    sample = premium(batch.rows, market, batch.ex.config.markets[market].impact_notional)
    memory = replace(
        memory,
        sample_slot=slot,
        premium=sample,
        premium_sum=memory.premium_sum + sample,
        samples=memory.samples + 1,
    )
    _set_rate(batch.rows, market, hourly_rate(memory.premium_sum, memory.samples))
    return memory


def _set_rate(rows: Rows, market: int, rate: int) -> None:
    """The estimate for the running hour, which clients show."""
    if int(rows.markets[market]["funding_rate"]) != rate:
        rows.journal.market(market)
        rows.markets[market]["funding_rate"] = rate


def _turn_hour(batch: Batch, market: int, memory: MarketMemory, fresh: bool) -> MarketMemory:
    hour = batch.now // HOUR_MS
    if hour == memory.hour:
        return memory
    if hour == memory.hour + 1 and fresh and memory.samples >= FUNDING_SAMPLES_MIN:
        _pay(batch, market, memory, hour * HOUR_MS)
    return replace(memory, hour=hour, premium_sum=0, samples=0)


def _pay(batch: Batch, market: int, memory: MarketMemory, hour_ms: int) -> None:
    """Settle an hour with every holder; what rounding leaves over goes to the insurance fund."""
    rows, rate = batch.rows, hourly_rate(memory.premium_sum, memory.samples)
    average = average_premium(memory.premium_sum, memory.samples)
    oracle = int(rows.markets[market]["oracle"])
    rows.journal.market(market)
    rows.markets[market]["funding_index"] += oracle * rate
    rows.markets[market]["funding_ms"] = hour_ms
    dust = 0
    for slot in rows.positioned(market).tolist():
        held = rows.positions[slot, market]
        amount = owed(int(held["size"]), oracle, rate)
        batch.move_cash(slot, -amount)
        rows.journal.position(slot, market)
        for column in ("funding_all", "funding_open", "funding_change"):
            held[column] += amount
        dust += amount
        account = rows.address_of(slot)
        size = int(held["size"])
        batch.events.append(FundingPayment(*batch.here, account, market, size, rate, -amount, average))
    assert dust >= 0, "funding created money"
    batch.move_global("insurance", dust)
