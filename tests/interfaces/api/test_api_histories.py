"""Histories from a time on are pages from the oldest row up; a client goes on from the last row's time."""

import os
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.api.exchange import histories
from coinone.interfaces.api.exchange.coins import Coins
from coinone.interfaces.api.exchange.histories import Histories
from coinone.node.runtime.networks import load_network
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.exchange.event_log import EventLog
from coinone.rules.exchange.events import Fill, FillSide, FundingPayment, LedgerUpdate

NOW = 1_700_000_000_000
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
USER = "0x" + ALICE.hex()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Histories:
    """Seven rows of each kind, a second apart; a page holds three."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path), b"dev", os.urandom)
    for turn in range(7):
        taker, maker = FillSide(ALICE, 1, 0, 0, 0, 0), FillSide(BOB, 2, 0, 0, 0, 0)
        time_ms = NOW + 1000 * turn
        events = [
            Fill(turn, time_ms, turn, 0, 100 + turn, 1, True, taker, maker, bytes(32)),
            FundingPayment(turn, time_ms, ALICE, 0, 5, 7, -turn, 9),
            LedgerUpdate(turn, time_ms, ALICE, "deposit", 50, BOB, bytes(32)),
        ]
        storage.history.add_batch(turn, EventLog(events))
    monkeypatch.setattr(histories, "INFO_ROWS_MAX", 3)
    return Histories(storage.history, Coins(load_network("dev")))


def seconds(rows: list[Any]) -> list[int]:
    return [(row["time"] - NOW) // 1000 for row in rows]


@pytest.mark.parametrize("name", ["fills_by_time", "fundings", "ledger"])
def test_pages_go_from_the_oldest_row_to_the_newest(asked: Histories, name: str) -> None:
    ask = getattr(asked, name)
    assert seconds(ask({"user": USER, "startTime": 0})) == [0, 1, 2]
    assert seconds(ask({"user": USER, "startTime": NOW + 2000})) == [2, 3, 4]
    assert seconds(ask({"user": USER, "startTime": NOW + 4000, "endTime": NOW + 5000})) == [4, 5]
    assert seconds(ask({"user": USER, "startTime": NOW + 6001})) == []
    assert seconds(ask({"user": USER})) == [4, 5, 6], "the newest ones where no time is named"


def test_reversed_pages_go_from_the_newest_row_to_the_oldest(asked: Histories) -> None:
    ask = asked.fills_by_time
    assert seconds(ask({"user": USER, "startTime": 0, "reversed": True})) == [6, 5, 4]
    before = {"user": USER, "startTime": NOW + 1000, "endTime": NOW + 4000, "reversed": True}
    assert seconds(ask(before)) == [4, 3, 2]
    assert seconds(ask({**before, "reversed": None})) == [1, 2, 3]


def test_a_full_page_of_joined_fills_ends_before_a_time_that_may_go_on(asked: Histories) -> None:
    request = {"user": USER, "startTime": 0, "aggregateByTime": True}
    assert seconds(asked.fills_by_time(request)) == [0, 1]
    assert seconds(asked.fills_by_time({**request, "startTime": NOW + 5000})) == [5, 6], "no full page"


def test_user_fills_are_the_newest_first(asked: Histories) -> None:
    assert seconds(asked.fills({"user": USER})) == [6, 5, 4]


def test_a_snapshot_begins_with_the_candle_that_holds_its_start(asked: Histories) -> None:
    # The recorded answer of 2023 does: startTime 20:46:47, first candle 20:00:00.
    wanted = {"coin": "BTC", "interval": "1m", "startTime": NOW + 3000, "endTime": NOW + 9000}
    (candle,) = asked.candles({"req": wanted})
    assert candle["t"] <= NOW + 3000 <= candle["T"] and candle["n"] == 7
