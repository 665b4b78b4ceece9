"""Fee tiers: fee rates by the account's volume over the last 14 days.

Rates are in 10^-7 of the notional. The rows contain an account's rates and its lifetime volume; here the volume is
recorded when a UTC day begins, and the difference over 14 days chooses the tier (Hyperliquid's table, without its
staking and referral discounts). Each batch takes the next accounts in turn until all have been updated for the day; one
that acts before its turn is updated then.
"""

from dataclasses import replace

from coinone.base.primitives.parameters import FEE_TURNS_PER_BATCH
from coinone.rules.exchange.batch.execution import Execution

DAY_MS = 86_400_000
WINDOW_DAYS = 14
_QUOTE = 10**6

# (14-day volume in micro-quote from which it applies, taker rate, maker rate)
TIERS: tuple[tuple[int, int, int], ...] = (
    (0, 4_500, 1_500),
    (5_000_000 * _QUOTE, 4_000, 1_200),
    (25_000_000 * _QUOTE, 3_500, 800),
    (100_000_000 * _QUOTE, 3_000, 400),
    (500_000_000 * _QUOTE, 2_800, 0),
    (2_000_000_000 * _QUOTE, 2_600, 0),
    (7_000_000_000 * _QUOTE, 2_400, 0),
)


def rates_for(volume: int) -> tuple[int, int]:
    """The (taker, maker) rates for a 14-day volume in micro-quote."""
    _, taker, maker = max(tier for tier in TIERS if tier[0] <= volume)
    return taker, maker


def recent_volume(days: tuple[tuple[int, int], ...], lifetime: int, today: int) -> int:
    """Volume since the window began, whose first day is 13 days ago.

    A day without a record began with the volume of the record before it.
    """
    began = lifetime
    for day, volume in reversed(days):
        began = volume
        if day <= _window_start(today):
            break
    return lifetime - began


def turn_fee_days(batch: Execution) -> None:
    """Update the next accounts, by number, for the day."""
    cursor, today = batch.ledger.cursor, batch.now // DAY_MS
    reached = cursor.fee_account if cursor.fee_day == today else 0
    turns = 0
    while turns < FEE_TURNS_PER_BATCH and (
        numbers := batch.rows.numbers.after(reached)[: FEE_TURNS_PER_BATCH - turns]
    ):
        for number in numbers:
            if batch.ledger.settings_of(number).volume_days:  # others never acted, so never traded
                turn_fee_day(batch, batch.rows.slot_by_number[number])
        turns, reached = turns + len(numbers), numbers[-1]
    if (cursor.fee_day, cursor.fee_account) != (today, reached):
        batch.set_cursor(fee_day=today, fee_account=reached)


def turn_fee_day(batch: Execution, slot: int, *, acts: bool = False) -> None:
    """Once a UTC day: record the account's volume if it has grown since the last record, and choose its tier.

    For an account that acts before its turn it is recorded in any case, since it may have grown by then; one that acts
    after it has been updated already.
    """
    number, today, cursor = batch.ex.number(slot), batch.now // DAY_MS, batch.ledger.cursor
    days = batch.ledger.settings_of(number).volume_days
    turned = cursor.fee_day == today and number <= cursor.fee_account
    if days and (turned or days[-1][0] == today):
        return
    row = batch.rows.accounts[slot]
    lifetime = int(row["taker_volume"]) + int(row["maker_volume"])
    if acts or not days or days[-1][1] != lifetime:
        days = (*_within_window(days, today), (today, lifetime))
        settings = replace(batch.ledger.settings_of(number), volume_days=days)
        batch.ledger.settings.put(number, settings)
    taker, maker = rates_for(recent_volume(days, lifetime, today))
    if (int(row["taker_rate"]), int(row["maker_rate"])) != (taker, maker):
        batch.rows.journal.account(slot)
        row["taker_rate"], row["maker_rate"] = taker, maker


def _window_start(today: int) -> int:
    return today - WINDOW_DAYS + 1


def _within_window(days: tuple[tuple[int, int], ...], today: int) -> tuple[tuple[int, int], ...]:
    """The records within the window, and the one before it, with the volume at its beginning."""
    older = [pair for pair in days if pair[0] <= _window_start(today)]
    return (*older[-1:], *[pair for pair in days if pair[0] > _window_start(today)])
