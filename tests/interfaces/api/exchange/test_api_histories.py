"""Histories from a start time are pages from the oldest row up; a client continues from the last row's time."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.exchange.info import histories
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.http import jsonio
from coinone.node.networks import load_network
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.history import history
from coinone.node.storage.storage import BlockCommit, Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.events.events import Fill, FillSide, FundingPayment, LedgerUpdate

NOW = 1_700_000_000_000
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
USER = "0x" + ALICE.hex()


def events_of(turn: int, tid: int, market: int = 0) -> list[Any]:
    """A row of each kind, `turn` seconds after the first."""
    time_ms, taker, maker = NOW + 1000 * turn, FillSide(ALICE, 1, 0, 0, 0, 0), FillSide(BOB, 2, 0, 0, 0, 0)
    return [
        Fill(turn, time_ms, tid, 0, 100 + turn, 1, True, taker, maker, bytes(32)),
        FundingPayment(turn, time_ms, ALICE, market, 5, 7, -turn, 9),
        LedgerUpdate(turn, time_ms, ALICE, "deposit", 50, BOB, bytes(32)),
    ]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Histories:
    """Seven rows of each kind, a second apart; a page holds three."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    for turn in range(7):
        storage.history.add_batch(turn, EventLog(events_of(turn, turn)))
    monkeypatch.setattr(histories, "INFO_ROWS_MAX", 3)
    return Histories(storage.history, lambda: Coins(load_network("dev").markets))


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Histories:
    """One row of each kind, three a second later, on disk, and two more after another; a page holds two."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    for turn, count in enumerate((1, 3, 2)):
        events = [event for n in range(count) for event in events_of(turn, 10 * turn + n, market=n)]
        storage.history.add_batch(turn, EventLog(events))
    storage.commit_block(BlockCommit(0, bytes(32), 1, b"", b"", {}))
    monkeypatch.setattr(histories, "INFO_ROWS_MAX", 2)
    return Histories(storage.history, lambda: Coins(load_network("dev").markets))


async def by_time(asked: Histories, request: Any, threads: list[str]) -> Any:
    """userFillsByTime as the interface answers it; `threads` gets where it was read."""

    async def in_thread(work: Callable[[], Any]) -> Any:
        threads.append("reader")
        return work()

    async def in_slow_thread(work: Callable[[], Any]) -> Any:
        threads.append("slow")
        return work()

    sources: Any = SimpleNamespace(histories=asked, in_thread=in_thread, in_slow_thread=in_slow_thread)
    return await INFO_TYPES["userFillsByTime"].handler(sources, request)


def ask(asked: Histories, name: str, **request: Any) -> Any:
    if name == "fills_by_time":
        return asyncio.run(by_time(asked, {"user": USER, **request}, []))
    return getattr(asked, name)({"user": USER, **request})


def seconds(rows: list[Any]) -> list[int]:
    return [(row["time"] - NOW) // 1000 for row in rows]


KINDS = pytest.mark.parametrize("name", ["fills_by_time", "fundings", "ledger"])


@KINDS
def test_pages_go_from_the_oldest_row_to_the_newest(asked: Histories, name: str) -> None:
    assert seconds(ask(asked, name, startTime=0)) == [0, 1, 2]
    assert seconds(ask(asked, name, startTime=NOW + 2000)) == [2, 3, 4]
    assert seconds(ask(asked, name, startTime=NOW + 4000, endTime=NOW + 5000)) == [4, 5]
    assert seconds(ask(asked, name, startTime=NOW + 6001)) == []
    assert seconds(ask(asked, name)) == [4, 5, 6], "the newest ones where no time is named"


@KINDS
def test_a_page_has_all_rows_of_its_last_time_and_one_that_begins_there_goes_further(
    crowded: Histories, name: str
) -> None:
    """Of two rows a page would be 0 1, and from there 1 1 for ever."""
    assert seconds(ask(crowded, name, startTime=0)) == [0, 1, 1, 1]
    assert seconds(ask(crowded, name, startTime=NOW + 1000)) == [1, 1, 1, 2, 2]
    assert seconds(ask(crowded, name, startTime=NOW + 2000)) == [2, 2]
    assert seconds(ask(crowded, name, startTime=0, endTime=NOW + 1000)) == [0, 1, 1, 1]
    assert seconds(ask(crowded, name)) == [1, 1, 1, 2, 2]
    assert seconds(ask(crowded, name, endTime=NOW + 1000)) == [0, 1, 1, 1]


def test_reversed_pages_have_all_rows_of_their_last_time_too(crowded: Histories) -> None:
    request = {"startTime": 0, "reversed": True}
    assert seconds(ask(crowded, "fills_by_time", **request)) == [2, 2, 1, 1, 1]
    assert seconds(ask(crowded, "fills_by_time", **request, endTime=NOW + 1000)) == [1, 1, 1, 0]


def test_a_page_of_very_many_rows_of_one_time_has_an_end(
    crowded: Histories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "WHOLE_MAX", 2)
    assert seconds(ask(crowded, "fills_by_time", startTime=NOW + 1000)) == [1, 1]


def test_who_asks_for_very_many_fills_of_one_time_does_not_keep_others_waiting(crowded: Histories) -> None:
    """From the second time on there are five, and four are read at once: 1 1 and 1 2."""

    def threads(start_ms: int) -> list[str]:
        found: list[str] = []
        asyncio.run(by_time(crowded, {"user": USER, "startTime": start_ms}, found))
        return found

    assert threads(NOW + 1000) == ["reader", "slow"]
    assert threads(NOW + 2000) == ["reader"]


def test_joined_fills_of_a_page_are_whole_and_cost_what_was_read_for_them(crowded: Histories) -> None:
    """Four fills of one lot, 0.00001 BTC: three of them of one order and time."""
    rows = ask(crowded, "fills_by_time", startTime=0, aggregateByTime=True)
    assert [(row["sz"], row["time"] - NOW) for row in rows] == [("0.00001", 0), ("0.00003", 1000)]
    assert rows.read == 4
    assert jsonio.decode(jsonio.encode(rows)) == rows
    rows.read = 2_000
    assert INFO_TYPES["userFillsByTime"].weight_of(rows) == 20 + 2_000 // 20


def test_reversed_pages_go_from_the_newest_row_to_the_oldest(asked: Histories) -> None:
    request = {"startTime": 0, "reversed": True}
    assert seconds(ask(asked, "fills_by_time", **request)) == [6, 5, 4]
    before = {"startTime": NOW + 1000, "endTime": NOW + 4000, "reversed": True}
    assert seconds(ask(asked, "fills_by_time", **before)) == [4, 3, 2]
    assert seconds(ask(asked, "fills_by_time", **{**before, "reversed": None})) == [1, 2, 3]


def test_what_portfolio_is_made_of_is_complete_behind_the_oldest_row_that_it_has(asked: Histories) -> None:
    """Rows 6, 5 and 4 of each history: of 4 there might be more."""
    past = asked.past({"user": USER})
    assert [(step.time_ms - NOW) // 1000 for step in past.steps] == [4, 5, 6]
    assert past.traded_ms == past.moved_ms == NOW + 4001
    earlier = asked.past({"user": USER}, NOW + 5000)
    assert [(step.time_ms - NOW) // 1000 for step in earlier.steps] == [3, 4, 5]


def test_user_fills_are_the_newest_first(asked: Histories) -> None:
    assert seconds(asked.fills({"user": USER})) == [6, 5, 4]


def test_joined_user_fills_end_before_a_time_that_may_go_on(asked: Histories) -> None:
    assert seconds(asked.fills({"user": USER, "aggregateByTime": True})) == [6, 5]


def test_a_snapshot_begins_with_the_candle_that_holds_its_start(asked: Histories) -> None:
    # The recorded answer of 2023 does: startTime 20:46:47, first candle 20:00:00.
    wanted = {"coin": "BTC", "interval": "1m", "startTime": NOW + 3000, "endTime": NOW + 9000}
    (candle,) = asked.candles({"req": wanted})
    assert candle["t"] <= NOW + 3000 <= candle["T"] and candle["n"] == 7
