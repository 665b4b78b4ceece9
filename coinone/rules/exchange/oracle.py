"""The oracle: each reporter's signed prices, and the median of the fresh ones.

A market's oracle price is the lower median over reporters whose last report is at most 20 s old. With fewer
than two thirds of the reporters fresh the price is stale: no funding, no liquidation, and whoever holds a
position in the market may only cancel and reduce. After 60 s its mark stands still (mark.py).
"""

import numpy as np

from coinone.base.primitives.limits import ORACLE_AHEAD_MS, ORACLE_FRESH_MS, ORACLE_HALT_MS
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.ledger import Reported
from coinone.rules.exchange.rows import NOBODY, Rows
from coinone.rules.exchange.state import Exchange
from coinone.rules.exchange.tables import ACCOUNT_RESTRICTED, MarketStatus
from coinone.rules.exchange.wire.types import OracleReport


def apply_oracle(batch: Batch) -> None:
    """Take in the reports, set each market's oracle price and status, and restrict or free its holders."""
    for report in batch.ctx.oracle:
        if _acceptable(batch, report):
            _take(batch, report)
    for market in range(batch.rows.market_count):
        _set_oracle(batch, market)
    _restrict_holders(batch.rows)


def is_fresh(rows: Rows, market: int, now: int) -> bool:
    """May funding and liquidations rely on the market's oracle price?"""
    known = int(rows.markets[market]["oracle_ms"])
    return known > 0 and now - known <= ORACLE_FRESH_MS


def is_halted(rows: Rows, market: int, now: int) -> bool:
    return now - int(rows.markets[market]["oracle_ms"]) > ORACLE_HALT_MS


def _acceptable(batch: Batch, report: OracleReport) -> bool:
    age = batch.now - report.time_ms
    return report.reporter in batch.ex.config.reporters and -ORACLE_AHEAD_MS <= age <= ORACLE_FRESH_MS


def _take(batch: Batch, report: OracleReport) -> None:
    """A report never replaces a later one; prices outside the market's range say nothing."""
    for market, px in report.prices:
        if market >= batch.rows.market_count or px > int(batch.rows.markets[market]["max_px"]):
            continue
        before = batch.ledger.reports.get((market, report.reporter))
        if before is None or before.time_ms < report.time_ms:
            batch.ledger.reports.put((market, report.reporter), Reported(report.time_ms, px))


def _set_oracle(batch: Batch, market: int) -> None:
    row = batch.rows.markets[market]
    fresh = _fresh_reports(batch.ex, market, batch.now)
    quorum = 3 * len(fresh) >= 2 * len(batch.ex.config.reporters) > 0
    if quorum:
        prices = sorted(report.px for report in fresh)
        price = prices[(len(prices) - 1) // 2]
        since = _quorum_time(batch.ex, fresh)
        _write(batch, market, oracle=price, oracle_ms=min(since, batch.now))
    if int(row["status"]) in (MarketStatus.ACTIVE, MarketStatus.REDUCE_ONLY):
        active = quorum and is_fresh(batch.rows, market, batch.now)
        _write(batch, market, status=int(MarketStatus.ACTIVE if active else MarketStatus.REDUCE_ONLY))


def _fresh_reports(ex: Exchange, market: int, now: int) -> list[Reported]:
    reports = [ex.ledger.reports.get((market, reporter)) for reporter in ex.config.reporters]
    return [report for report in reports if report is not None and now - report.time_ms <= ORACLE_FRESH_MS]


def _quorum_time(ex: Exchange, fresh: list[Reported]) -> int:
    """The latest moment since when two thirds of the reporters have spoken."""
    times = sorted((report.time_ms for report in fresh), reverse=True)
    needed = -(-2 * len(ex.config.reporters) // 3)
    return times[needed - 1]


def _write(batch: Batch, market: int, **columns: int) -> None:
    row = batch.rows.markets[market]
    if any(int(row[name]) != value for name, value in columns.items()):
        batch.rows.journal.market(market)
        for name, value in columns.items():
            row[name] = value


def _restrict_holders(rows: Rows) -> None:
    """Flag whoever holds a position in a market that is not active; free whoever no longer does."""
    idle = (rows.markets["status"][: rows.market_count] != MarketStatus.ACTIVE).nonzero()[0].tolist()
    held = np.unique(np.concatenate([NOBODY, *[rows.positioned(market) for market in idle]]))
    for slot in np.setxor1d(held, rows.restricted, assume_unique=True).tolist():
        rows.journal.account(slot)
        rows.accounts[slot]["flags"] ^= ACCOUNT_RESTRICTED
    rows.restricted = held
