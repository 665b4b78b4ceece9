"""Recorded markets through the kernel: what real exchanges did, order by order.

Raw kernel mode: the tape's own units, one event per segment, one funded account per order of the tape, no tick,
minimum, band or fee. All of that is market parameters and balances, not code.

Needs COINONE_DATA/market: Bitstamp BTC/USD of 2015-05-01 (phil8192/ob-analytics, inst/extdata/orders.csv.xz) and the
first messages of AAPL of 2012-06-21 with the ten best levels after each (the free sample of lobsterdata.com, by way of
YileZheng/OrderBook_HLS).
"""

from __future__ import annotations

import csv
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import OP, OpKind, Side, Tif
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.twin.compare import ops_of, twin_of
from coinone.rules.exchange.twin.run import Twin

NEEDS = "set COINONE_DATA to a folder with market/ (origins in this file's docstring)"
FUNDS = 1 << 59


def tape(name: str) -> Iterator[list[str]]:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    with lzma.open(Path(os.environ["COINONE_DATA"], "market", name), "rt") as lines:
        yield from csv.reader(lines)


class Raw:
    """A market without terms; orders are named by the tape's ids, each with an account of its own."""

    def __init__(self, accounts: int, mark: int, max_px: int, max_sz: int, twin: bool) -> None:
        self.rows = Rows(accounts=accounts)
        self.rows.add_market(
            0, 1, mark, min_notional=0, band_bps=0, sig_figs=0, px_unit=1, max_px=max_px, max_sz=max_sz
        )
        for number in range(accounts):
            slot = self.rows.add_account(number.to_bytes(20, "big"), 0, 0, 0)
            self.rows.accounts[slot]["cash"] = FUNDS
        self.twin: Twin | None = twin_of(self.rows) if twin else None
        self.slots: dict[Any, int] = {}
        self.oids: dict[Any, int] = {}
        self.op = np.zeros(1, OP)

    def slot(self, name: Any) -> int:
        return self.slots.setdefault(name, len(self.slots))

    def run(self, **fields: int) -> Any:
        """One operation as a segment; its result, after the twin said the same."""
        self.op[:] = 0
        for field, value in fields.items():
            self.op[field] = value
        segment = run_segment(self.rows, self.op, 0)
        self.rows.journal.begin()
        if self.twin is not None:
            results, fills, updates = self.twin.run(ops_of(self.op), 0)
            assert segment.results.tolist() == results
            assert segment.fills.tolist() == fills
            assert segment.updates.tolist() == updates
        return segment

    def place(self, name: Any, side: int, px: int, sz: int, tif: Tif = Tif.GTC) -> Any:
        segment = self.run(account=self.slot(name), side=side, px=px, sz=sz, tif=tif)
        self.oids[name] = int(segment.results[0]["oid"])
        return segment

    def left(self, name: Any) -> int:
        slot = self.rows.book.find(self.rows, self.oids.get(name, 0))
        return 0 if slot is None else int(self.rows.orders[slot]["sz"])

    def shrink(self, name: Any, sz: int) -> None:
        """Make an order smaller, or take it away."""
        slot = self.rows.book.find(self.rows, self.oids[name])
        assert slot is not None
        fields = {field: int(self.rows.orders[slot][field]) for field in ("account", "side", "px", "oid")}
        kind = int(OpKind.MODIFY if sz else OpKind.CANCEL)
        status = self.run(**fields, sz=sz, kind=kind).results[0]["status"]
        assert status == (Status.OPEN if sz else Status.CANCELED)


def bitstamp_events() -> list[tuple[str, int, int, str, int]]:
    """(order, price in cents, satoshi left, action, side)."""
    rows = tape("bitstamp_btcusd_l3_20150501_part1.csv.xz")
    next(rows)
    return [
        (row[0], round(float(row[3]) * 100), int(row[4]), row[5], Side.BUY if row[6] == "bid" else Side.SELL)
        for row in rows
    ]


@pytest.mark.slow
def test_kernel_and_twin_trade_a_day_of_bitstamp_alike_and_mostly_as_it_did(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = bitstamp_events()
    raw = Raw(len({event[0] for event in events}), 23_600, 1 << 17, 1 << 38, twin=True)
    left: dict[str, int] = {}  # on the tape
    created = {name for name, _, _, action, _ in events if action == "created"}
    for name, px, volume, _, side in events:
        if name not in created and name not in left and volume:  # rested before the tape began
            left[name] = volume
            raw.place(name, side, px, volume)
    executed = reproduced = 0
    for name, px, volume, action, side in events:
        if action == "created":
            left[name] = volume
            if px < 1 << 17:
                raw.place(name, side, px, volume)
            continue
        fills = action == "changed" or volume == 0
        if name in left and fills and volume < left[name]:
            executed += 1
            reproduced += raw.left(name) <= volume
        ours = raw.left(name)
        now = volume if fills else 0
        if ours > now:
            raw.shrink(name, now)
        left[name] = now
    share = reproduced / executed
    with capsys.disabled():
        print(f"\nBitstamp: {reproduced} of {executed} executions reproduced ({share:.1%})")
    assert share > 0.85


def lobster() -> list[tuple[list[int], list[tuple[int, int, int]]]]:
    """(message: kind, id, size, price, direction; levels after it: side, price, size)."""
    messages = [[int(x) for x in row[1:6]] for row in tape("lobster_aapl_20120621_first_messages.csv.xz")]
    books = []
    for row in tape("lobster_aapl_20120621_first_orderbook10.csv.xz"):
        v = [int(x) for x in row]
        asks = [(Side.SELL, v[n], v[n + 1]) for n in range(0, 40, 4)]
        bids = [(Side.BUY, v[n + 2], v[n + 3]) for n in range(0, 40, 4)]
        books.append(asks + bids)
    return list(zip(messages, books, strict=True))


class Lobster(Raw):
    """The visible book. What is known of it reaches from the tenth bid to the tenth ask of the last row."""

    def __init__(self, levels: list[tuple[int, int, int]]) -> None:
        super().__init__(4096, 5_856_000, 1 << 24, 1 << 31, twin=False)
        self.low, self.high = 1, 0
        self.learn(levels)

    def known(self, px: int) -> bool:
        return self.low <= px <= self.high

    def learn(self, levels: list[tuple[int, int, int]]) -> None:
        """Take levels that came into view as single orders of unknown name; forget what is out of view."""
        for side in Side:
            prices = [px for s, px, _ in levels if s == side]
            for slot in self.rows.book.queue(0, side):
                px = int(self.rows.orders[slot]["px"])
                if not self.known(px) or not min(prices) <= px <= max(prices):
                    order = self.rows.orders[slot]
                    self.run(account=int(order["account"]), oid=int(order["oid"]), kind=int(OpKind.CANCEL))
        for side, px, sz in levels:
            if not self.known(px):
                self.place((side, px), side, px, sz)
        self.low, self.high = min(px for _, px, _ in levels), max(px for _, px, _ in levels)

    def apply(self, kind: int, name: int, size: int, px: int, direction: int) -> bool | None:
        """One message; for an execution, whether price-time priority chose the order that the tape names."""
        side = Side.BUY if direction == 1 else Side.SELL
        who: Any = name if self.left(name) else (side, px)  # one that rested before belongs to its level
        if kind == 1:
            assert not len(self.place(name, side, px, size, Tif.ALO).fills)
        elif kind in (2, 3) and self.known(px):
            self.shrink(who, self.left(who) - size)
        elif kind == 4:
            segment = self.place("taker", 1 - side, px, size, Tif.IOC)
            assert segment.fills["sz"].sum() == size
            return bool(segment.fills[0]["maker"] == self.slot(who))
        return None

    def view(self) -> list[tuple[int, int, int]]:
        levels = [(side, px, sz) for side in Side for px, sz, _ in self.rows.book.side_levels(0, side, 10)]
        return sorted(level for level in levels if self.known(level[1]))


def test_the_book_of_aapl_equals_ten_levels_of_nasdaq_after_every_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (_, first), *rest = lobster()
    book = Lobster(first)
    in_view = 0
    chosen: list[bool] = []
    for message, levels in rest:
        priority = book.apply(*message)
        if priority is not None:
            chosen.append(priority)
        assert book.view() == sorted(level for level in levels if book.known(level[1]))
        in_view += all(book.known(px) for _, px, _ in levels)
        book.learn(levels)
    with capsys.disabled():
        print(
            f"\nLOBSTER: {in_view} of {len(rest)} messages with all ten levels known before, all equal;",
            end=" ",
        )
        print(f"{sum(chosen)} of {len(chosen)} executions hit the order that the tape names")
    assert in_view / len(rest) > 0.65  # the others brought an unknown level into view
    assert all(chosen) and len(chosen) > 90
