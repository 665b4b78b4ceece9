"""Invariants after every batch, in tests, in simulation and in production; a breach halts the node.

1. Conservation: cash of all accounts + insurance + fees + funding clearing + unclaimed changes by exactly what was
   deposited and withdrawn. Checked over the journalled rows before a batch ends, and as a full sum now and then
   (`conserved_sum`).
2. Zero-sum: position sizes of a market add up to zero, and open interest is the sum of the long ones.
3. Solvency: no account is below zero. Debts are settled in the batch in which they arise (closing/debts.py).
4. Book: not crossed; the sizes reserved in positions are those of the open orders; an account's reduce-only orders
   do not exceed the position that they reduce.
"""

from __future__ import annotations

import numpy as np

from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.rows.arrays import SAVED_ACCOUNTS, SAVED_GLOBALS
from coinone.rules.exchange.rows.tables import Array, Side
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.rows import Rows

_GLOBAL_MONEY = ("insurance", "fees", "funding_clearing", "unclaimed")


def check_batch(batch: Execution, touched: Array) -> None:
    """Check the changes of the open batch; `touched` are its accounts' slots.

    A breach undoes the batch and halts the node (engine.py).
    """
    change = _change_of_touched(batch.rows)
    expected = batch.money_in - batch.money_out
    assert change == expected, f"money not conserved: changed by {change}, expected {expected}"
    assert int(batch.rows.globals["insurance"][0]) >= 0, "insurance fund below zero"
    for market in batch.rows.journal.touched_markets().tolist():
        _check_market(batch.rows, market)
    held = batch.rows.positions[batch.rows.journal.saved_positions()]
    assert (held["reduce_size"] <= abs(held["size"])).all(), "reduce-only orders exceed their position"
    assert not _owing(batch.rows, touched), "an account is below zero"


def check_exchange(ex: Exchange) -> None:
    """Check the whole exchange from scratch: in tests, when a node starts, and every so many blocks."""
    for market in range(ex.rows.market_count):
        _check_market(ex.rows, market)
        _check_reserved(ex.rows, market)
        _check_unbooked(ex.rows, market)
        _check_reduce_only(ex.rows, market)
    assert not _owing(ex.rows, np.arange(ex.rows.account_count)), "an account is below zero"
    assert int(ex.rows.globals["insurance"][0]) >= 0, "insurance fund below zero"
    clearing = int(ex.rows.globals["funding_clearing"][0])
    assert clearing == 0 or ex.rows.markets["unbooked"].any(), (
        "all funding is booked, but clearing holds money"
    )
    unclaimed = sum(amount for _, amount in ex.ledger.unclaimed.items())
    assert unclaimed == int(ex.rows.globals["unclaimed"][0]), "unclaimed total differs from its entries"


def conserved_sum(ex: Exchange) -> int:
    """The total of all money on the exchange, in micro-quote, as a Python integer: a column's sum may exceed 64
    bits."""
    cash: int = sum(ex.rows.accounts["cash"][: ex.rows.account_count].tolist())
    return cash + sum(int(ex.rows.globals[name][0]) for name in _GLOBAL_MONEY)


def _change_of_touched(rows: Rows) -> int:
    """The change of the conserved sum. An account opened in this batch was saved before its first credit, with zero."""
    journal = rows.journal
    count = int(journal.counters[SAVED_ACCOUNTS])
    before: int = sum(journal.images["account"]["cash"][:count].tolist())
    after: int = sum(rows.accounts["cash"][journal.keys["account"][:count]].tolist())
    change = after - before
    if journal.counters[SAVED_GLOBALS]:
        for name in _GLOBAL_MONEY:
            change += int(rows.globals[name][0]) - int(journal.globals_image[name][0])
    return change


def _owing(rows: Rows, slots: Array) -> bool:
    accounts = rows.accounts
    return bool((accounts["cash"][slots] + accounts["position_value"][slots] < 0).any())


def _check_market(rows: Rows, market: int) -> None:
    sizes = rows.positions["size"][rows.positioned(market), market]
    assert int(sizes.sum()) == 0, f"market {market}: positions do not add up to zero"
    longs = int(sizes[sizes > 0].sum())
    assert longs == int(rows.markets[market]["open_interest"]), f"market {market}: open interest is off"
    bid, ask = rows.book.best(market, Side.BUY), rows.book.best(market, Side.SELL)
    assert bid is None or ask is None or bid < ask, f"market {market}: book crossed"


def _check_unbooked(rows: Rows, market: int) -> None:
    slots, row = rows.positioned(market), rows.markets[market]
    waiting = int((rows.positions["funding_ms"][slots, market] != row["funding_ms"]).sum())
    assert waiting == int(row["unbooked"]), f"market {market}: {waiting} positions wait for their funding"


def _check_reserved(rows: Rows, market: int) -> None:
    orders = rows.orders[(rows.orders["oid"] != 0) & (rows.orders["market"] == market)]
    for side, column in ((Side.BUY, "bid_size"), (Side.SELL, "ask_size")):
        counted = (orders["side"] == side) & (orders["reduce_only"] == 0)
        reserved = np.zeros(len(rows.accounts), np.int64)
        np.add.at(reserved, orders["account"][counted], orders["sz"][counted])
        held = rows.positions[column][:, market]
        assert (reserved == held).all(), f"market {market}: reserved {column} differs from the open orders"


def _check_reduce_only(rows: Rows, market: int) -> None:
    orders = rows.orders[(rows.orders["oid"] != 0) & (rows.orders["market"] == market)]
    orders = orders[orders["reduce_only"] != 0]
    sizes = rows.positions["size"][:, market]
    total = np.zeros(len(rows.accounts), np.int64)
    for side, most in ((Side.BUY, np.maximum(-sizes, 0)), (Side.SELL, np.maximum(sizes, 0))):
        own = orders[orders["side"] == side]
        resting = np.zeros(len(rows.accounts), np.int64)
        np.add.at(resting, own["account"], own["sz"])
        assert (resting <= most).all(), f"market {market}: reduce-only orders exceed their position"
        total += resting
    kept = rows.positions["reduce_size"][:, market]
    assert (total == kept).all(), f"market {market}: the sum of reduce-only orders is off"
