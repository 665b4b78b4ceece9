"""Events are read from the kernel's rows: every column has to arrive in its own field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.events.event_log import EventLog, Trades
from coinone.rules.exchange.events.events import Fill, FillSide, MarketUpdate
from coinone.rules.exchange.events.orders import OrderUpdate
from coinone.rules.exchange.rows.status import API_NAME
from coinone.rules.exchange.rows.tables import FILL, UPDATE

ADDRESSES = np.arange(1, 61, dtype=np.uint8).reshape(3, 20)
FIRST, SECOND, THIRD = (bytes(row) for row in ADDRESSES)


def filled(dtype: Any, **changes: int) -> Any:
    """One row whose n-th column holds n + 1."""
    row = np.zeros(1, dtype)
    for n, name in enumerate(dtype.names, 1):
        row[name] = n
    for name, value in changes.items():
        row[name] = value
    return row


@pytest.fixture
def trades() -> Trades:
    fills = np.concatenate([
        filled(FILL, taker=0, maker=2, side=0, liquidation=0, taker_has_cloid=0, op=4),
        filled(FILL, taker=1, maker=0, side=1, liquidation=1, taker_has_cloid=1, taker_cloid_hi=-1, op=5),
    ])  # fmt: skip
    updates = filled(UPDATE, account=2, side=1, tif=2, reduce_only=1, has_cloid=0, status=5)
    return Trades(7, 1_000, fills, updates, ADDRESSES, [0, 5, 6], [b"a" * 32, b"b" * 32])


def test_a_fill_has_every_column_in_its_place(trades: Trades) -> None:
    places = {name: n for n, name in enumerate(FILL.names or (), 1)}
    maker_cloid = places["maker_cloid_hi"] << 64 | places["maker_cloid_lo"]
    maker_fee = places["maker_builder_fee"]
    first, second = trades.fill_events
    assert first == Fill(
        seq=7, time_ms=1_000, tid=places["tid"], market=places["market"], px=places["px"], sz=places["sz"],
        taker_is_buy=True,
        taker=FillSide(
            FIRST, places["taker_oid"], 0, places["taker_start"], places["taker_pnl"],
            places["taker_fee"] + places["taker_builder_fee"], places["taker_builder_fee"],
        ),
        maker=FillSide(
            THIRD, places["maker_oid"], maker_cloid, places["maker_start"], places["maker_pnl"],
            places["maker_fee"] + maker_fee, maker_fee,
        ),
        tx_hash=b"a" * 32,
    )  # fmt: skip
    assert (second.kind, second.taker_is_buy, second.tx_hash) == ("liquidation", False, b"b" * 32)
    assert (second.taker.account, second.maker.account) == (SECOND, FIRST)
    assert second.taker.cloid == (2**64 - 1) << 64 | places["taker_cloid_lo"]  # halves are signed


def test_an_order_update_has_every_column_in_its_place(trades: Trades) -> None:
    places = {name: n for n, name in enumerate(UPDATE.names or (), 1)}
    (update,) = trades.update_events
    assert update == OrderUpdate(
        seq=7, time_ms=1_000, account=THIRD, oid=places["oid"], cloid=0, market=places["market"], is_buy=False,
        px=places["px"], sz=places["sz"], orig_sz=places["orig_sz"], tif="Alo", reduce_only=True,
        placed_ms=places["time_ms"], status="marginCanceled",
    )  # fmt: skip


def test_every_status_of_an_order_has_its_word() -> None:
    for status, word in API_NAME.items():
        rows = filled(UPDATE, account=0, tif=0, status=int(status))
        (update,) = Trades(1, 1, np.zeros(0, FILL), rows, ADDRESSES, [0, 9], [b""]).update_events
        assert update.status == word


def test_a_log_tells_its_parts_in_order_and_names_their_markets(trades: Trades) -> None:
    market = MarketUpdate(7, 1_000, 60, 1, 1, True, 0, 0, 0)
    log = EventLog([market, trades])
    assert list(log) == [market, *trades.fill_events, *trades.update_events]
    assert len(log) == 4 and list(log.fills()) == list(trades.fill_events)
    markets = {60, *trades.fills["market"].tolist(), *trades.updates["market"].tolist()}
    assert log.markets() == sorted(markets)


def test_events_and_answers_outlive_the_batch_and_its_undoing(world: Callable[..., Any]) -> None:
    """Read late, after the arrays they came from went on, they say the same as read at once."""
    w = world({1: 100_000, 2: 100_000})
    actions = [w.sell(1, 0.2, 50_000, cloid=9), w.buy(2, 0.1, 50_010, "Ioc"), w.buy(2, 0.1, 49_000)]
    late = w.batch(*actions)
    apply_undo(w.ex, late.undo)
    w.now, w.seq = w.now - 250, w.seq - 1
    early = w.batch(*actions)
    told = list(early.events), [outcome.response for outcome in early.outcomes]
    w.batch(w.buy(2, 0.3, 50_020), w.sell(1, 0.3, 48_000))
    assert (list(late.events), [outcome.response for outcome in late.outcomes]) == told
