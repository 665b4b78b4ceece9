"""Which oracle reports wait for the next batch."""

from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidTransaction
from coinone.node.executor.reports import WaitingReports
from coinone.rules.exchange.state.ledger import Reported
from coinone.rules.exchange.wire.types import OracleReport

ANN, BOB, EVE = (bytes([n]) * 20 for n in (1, 2, 3))
NOW = 1_000_000


def chain(**known: int) -> Any:
    """A chain at NOW whose reporters are Ann and Bob; `known`: when Ann's last reports of BTC and ETH were made."""
    reports = {(("btc", "eth").index(name), ANN): Reported(time_ms, 1) for name, time_ms in known.items()}
    return SimpleNamespace(
        genesis=SimpleNamespace(reporters=(ANN, BOB)),
        cursor=SimpleNamespace(time_ms=NOW),
        exchange=SimpleNamespace(ledger=SimpleNamespace(reports=reports)),
    )


def report(reporter: bytes, time_ms: int, *markets: int) -> OracleReport:
    return OracleReport(
        reporter, time_ms, tuple((market, 500_000) for market in markets or (0, 1)), bytes(32)
    )


def test_whoever_hands_in_old_reports_by_the_hundred_keeps_no_new_one_out() -> None:
    """Reports are public once they are in a batch. 32 places for all of them, and any report with a good signature
    took one: who filled them before the reporters spoke made every market stale."""
    waiting, at = WaitingReports(), chain(btc=NOW - 500, eth=NOW - 500)
    for age in range(500, 900):
        with pytest.raises(InvalidTransaction, match="an old oracle report"):
            waiting.add(at, b"old", report(ANN, NOW - age), NOW)
    with pytest.raises(InvalidTransaction, match="an old oracle report"):
        waiting.add(at, b"withheld", report(BOB, NOW - 20_001), NOW)
    waiting.add(at, b"new", report(ANN, NOW + 250), NOW)
    assert waiting.all() == [b"new"]


def test_a_reporter_that_speaks_by_the_hundred_takes_no_others_place() -> None:
    waiting, at = WaitingReports(), chain()
    for n in range(100):
        waiting.add(at, b"%d" % n, report(ANN, NOW + n), NOW)
    waiting.add(at, b"bob", report(BOB, NOW), NOW)
    assert waiting.all() == [b"96", b"97", b"98", b"99", b"bob"]


def test_a_report_is_news_if_it_is_of_one_market_and_waits_once() -> None:
    waiting, at = WaitingReports(), chain(btc=NOW, eth=NOW - 10)
    with pytest.raises(InvalidTransaction, match="an old oracle report"):
        waiting.add(at, b"btc", report(ANN, NOW, 0), NOW)
    for _ in range(3):
        waiting.add(at, b"both", report(ANN, NOW, 0, 1), NOW)
    assert waiting.all() == [b"both"]
    waiting.clear()
    assert waiting.all() == []


def test_reports_of_a_time_to_come_keep_no_new_one_out() -> None:
    """Ann's clock was an hour ahead for four reports. Whoever handed these in again ahead of each batch had her four
    places for an hour, for they were the newest, always news, and no batch ever took them: Ann was silent."""
    waiting, at = WaitingReports(), chain(btc=NOW - 500, eth=NOW - 500)
    for n in range(4):
        with pytest.raises(InvalidTransaction, match="of a time to come"):
            waiting.add(at, b"ahead", report(ANN, NOW + 3_600_000 + n), NOW)
    with pytest.raises(InvalidTransaction, match="of a time to come"):
        waiting.add(at, b"ahead", report(ANN, NOW + 2_001), NOW)
    waiting.add(at, b"new", report(ANN, NOW + 2_000), NOW)
    assert waiting.all() == [b"new"]
    waiting.add(at, b"after a pause", report(ANN, NOW + 3_600_000), NOW + 3_600_000)
    assert waiting.all() == [b"new", b"after a pause"]


def test_only_reporters_report() -> None:
    with pytest.raises(InvalidTransaction, match="not a reporter"):
        WaitingReports().add(chain(), b"eve", report(EVE, NOW), NOW)
