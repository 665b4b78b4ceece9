"""Fee tiers: what a trade costs, by the account's volume over the last 14 days.

Rates are in 10^-7 of the notional. The rows carry an account's rates and its lifetime volume; here the volume is
noted at the first action of each UTC day, and the difference over 14 days chooses the tier (Hyperliquid's table,
without its staking and referral discounts). An account that sends nothing keeps its rates until it does.
"""

from dataclasses import replace

from coinone.rules.exchange.batch import Batch

DAY_MS = 86_400_000
WINDOW_DAYS = 14
_QUOTE = 10**6

# (14-day volume in micro-quote from which it holds, taker rate, maker rate)
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
    """(taker, maker) for a 14-day volume in micro-quote."""
    _, taker, maker = max(tier for tier in TIERS if tier[0] <= volume)
    return taker, maker


def recent_volume(days: tuple[tuple[int, int], ...], lifetime: int, today: int) -> int:
    """Volume since the start of the oldest noted day within the window."""
    known = [volume for day, volume in days if day > today - WINDOW_DAYS]
    return lifetime - known[0] if known else 0


def turn_fee_day(batch: Batch, slot: int) -> None:
    """At an account's first action of a UTC day: note its volume and choose its tier for the day."""
    number, today = batch.ex.number(slot), batch.now // DAY_MS
    settings = batch.ledger.settings_of(number)
    if settings.volume_days and settings.volume_days[-1][0] == today:
        return
    row = batch.rows.accounts[slot]
    lifetime = int(row["taker_volume"]) + int(row["maker_volume"])
    kept = tuple(pair for pair in settings.volume_days if pair[0] > today - WINDOW_DAYS)
    batch.ledger.settings.put(number, replace(settings, volume_days=(*kept, (today, lifetime))))
    taker, maker = rates_for(recent_volume((*kept, (today, lifetime)), lifetime, today))
    if (int(row["taker_rate"]), int(row["maker_rate"])) != (taker, maker):
        batch.rows.journal.account(slot)
        row["taker_rate"], row["maker_rate"] = taker, maker
