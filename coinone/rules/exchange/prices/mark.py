"""The mark price, at which positions are valued and liquidated. It is the oracle price (decision 006).

Nothing of the exchange's own book is part of it, neither trades nor quotes nor an average of them. So nobody can move a
mark by trading or quoting, and the price at which an account is liquidated depends on the index alone. A lasting
difference between the book and its index is closed by funding, and initial margin covers it (state/distance.py).

Without a fresh oracle, and while a jump is pending, the mark does not change.
"""

from __future__ import annotations

from coinone.rules.exchange.accounts.equity import apply_marks
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.prices.oracle import is_fresh


def apply_mark_prices(batch: Execution) -> None:
    """Set each market's mark, and note by how much it moved."""
    marks: dict[int, int] = {}
    for market in range(batch.rows.market_count):
        row = batch.rows.markets[market]
        oracle, mark = int(row["oracle"]), int(row["mark"])
        if oracle != mark and is_fresh(batch.rows, market):
            batch.mark_changes[market] = oracle - mark
            marks[market] = oracle
    apply_marks(batch.rows, marks)
