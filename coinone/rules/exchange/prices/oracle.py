"""The oracle: each reporter's signed prices, and the median of the fresh ones.

A market's oracle price is the median over reporters whose last report is at most 20 s old (jump.py), and its time is
the latest time since which two thirds of the reporters have reported. Its age decides what the market allows
(tables.py, MarketStatus):

    up to 6 s    everything
    up to 20 s   takers and new orders may only reduce: a trader who knows the next price cannot open on this one
    beyond       the price is stale: every fill must reduce; no mark, funding or liquidation there. Positions keep
                 the last mark. Their holders may only cancel and reduce in other markets too, and send nothing

A price far from the last one must first be confirmed (jump.py): meanwhile only cancels are accepted.

While makers may not quote, and in the batch in which they may again, an account that is alone in the book would be paid
the most that a liquidation may give. So a quarter of a liquidation's limit applies then, and it grows again from batch
to batch with time, by at most an eighth per batch: neither a leader's timestamps nor batches in quick succession leave
makers behind.
"""

from coinone.base.primitives.parameters import ORACLE_AHEAD_MS, ORACLE_FRESH_MS, ORACLE_RISK_MS
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.jump import agree, drop_overdue, is_quorum, taking_effect
from coinone.rules.exchange.rows.tables import LIMIT_WHOLE, MarketStatus
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.ledger import Reported
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.wire.types import OracleReport

LIMIT_QUARTER, LIMIT_STEP = LIMIT_WHOLE // 4, LIMIT_WHOLE // 8  # in 1 / LIMIT_WHOLE; one unit per ms
_AGED = int(MarketStatus.AGED)


def apply_oracle(batch: Execution) -> None:
    """Apply the oracle reports, and set each market's oracle price and status."""
    for report in batch.ctx.oracle:
        if _acceptable(batch, report):
            _take(batch, report)
    for market in range(batch.rows.market_count):
        _set_oracle(batch, market)


def is_fresh(rows: Rows, market: int) -> bool:
    """Whether mark, funding and liquidations may rely on the market's oracle price, as of this batch."""
    return int(rows.markets[market]["status"]) <= _AGED


def _acceptable(batch: Execution, report: OracleReport) -> bool:
    age = batch.now - report.time_ms
    return report.reporter in batch.ex.config.reporters and -ORACLE_AHEAD_MS <= age <= ORACLE_FRESH_MS


def _take(batch: Execution, report: OracleReport) -> None:
    """Store a report. It never replaces a later one; a price of 0 or beyond the market's range is ignored."""
    for market, px in report.prices:
        if market >= batch.rows.market_count or not 0 < px <= int(batch.rows.markets[market]["max_px"]):
            continue
        before = batch.ledger.reports.get((market, report.reporter))
        if before is None or before.time_ms < report.time_ms:
            batch.ledger.reports.put((market, report.reporter), Reported(report.time_ms, px))


def _set_oracle(batch: Execution, market: int) -> None:
    row = batch.rows.markets[market]
    known, before = int(row["oracle_ms"]) > 0, int(row["status"])
    fresh = _fresh_reports(batch.ex, market, batch.now)
    if is_quorum(batch, fresh) and agree(fresh, int(row["max_leverage"])):
        price = taking_effect(batch, market, fresh)
        if price is not None:
            since = _quorum_time(batch.ex, fresh)
            _write(batch, market, oracle=price, oracle_ms=min(since, batch.now))
    else:
        drop_overdue(batch, market)
    if int(row["status"]) <= MarketStatus.JUMPING:
        status = _allows(batch.now - int(row["oracle_ms"]))
        if batch.ledger.memory_of(market).jump_ms:
            status = MarketStatus.JUMPING
        _write(batch, market, status=int(status))
        if known:
            opens = before == status == MarketStatus.ACTIVE
            share = int(row["limit_share"]) + min(batch.now - batch.ledger.cursor.time_ms, LIMIT_STEP)
            _write(batch, market, limit_share=min(share, LIMIT_WHOLE) if opens else LIMIT_QUARTER)


def _allows(age: int) -> MarketStatus:
    """The market status that a price of this age allows."""
    if age > ORACLE_FRESH_MS:
        return MarketStatus.REDUCE_ONLY
    return MarketStatus.AGED if age > ORACLE_RISK_MS else MarketStatus.ACTIVE


def _fresh_reports(ex: Exchange, market: int, now: int) -> list[Reported]:
    reports = [ex.ledger.reports.get((market, reporter)) for reporter in ex.config.reporters]
    return [report for report in reports if report is not None and now - report.time_ms <= ORACLE_FRESH_MS]


def _quorum_time(ex: Exchange, fresh: list[Reported]) -> int:
    """The latest time since which two thirds of the reporters have reported."""
    times = sorted((report.time_ms for report in fresh), reverse=True)
    needed = -(-2 * len(ex.config.reporters) // 3)
    return times[needed - 1]


def _write(batch: Execution, market: int, **columns: int) -> None:
    row = batch.rows.markets[market]
    if any(int(row[name]) != value for name, value in columns.items()):
        batch.rows.journal.market(market)
        for name, value in columns.items():
            row[name] = value
