"""Tapes: written and read back, refused when they are none, and recorded without what means nothing elsewhere."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.tapes.record import Recorder
from coinone.interfaces.cli.tapes.tape import TapeHead, TapeMarket, TapeStep, read_tape, write_tape
from coinone.interfaces.client import Market

HEAD = TapeHead(1, 926002, 1_700_000_000_000, (TapeMarket("BTC", 5, 50),))
CANCEL: dict[str, Any] = {"type": "cancel", "cancels": [{"a": 0, "o": 1}]}
STEPS = (TapeStep(0, prices={"BTC": "97000"}), TapeStep(250, "0xab", CANCEL), TapeStep(250, "0xcd", CANCEL))
CLOID = "0x" + "9f" * 16


def test_a_tape_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.tape"
    assert write_tape(file, HEAD, STEPS) == 3
    tape = read_tape(file)
    assert (tape.head, tape.steps) == (HEAD, STEPS)
    assert tape.users == ["0xab", "0xcd"] and tape.seconds == 0.25


def test_equal_tapes_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tape(tmp_path / name, HEAD, STEPS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b""),
        gzip.compress(b"{}"),
        gzip.compress(b'{"version":1,"chainId":1,"startMs":0,"markets":[],"more":1}'),
        gzip.compress(b'{"version":1,"chainId":1,"startMs":0,"markets":[]}\n{"atMs":"x"}'),
        gzip.compress(b'{"version":1,"chainId":1,"startMs":0,"markets":[]}\n{"atMs":1'),
        gzip.compress(b'{"version":1,"chainId":1,"startMs":0,"markets":[]}\n')[:-9],
    ],
)
def test_what_is_no_tape_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="not a tape"):
        read_tape(file)


def test_steps_out_of_order_and_foreign_versions_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    write_tape(file, HEAD, (TapeStep(500), TapeStep(250)))
    with pytest.raises(InvalidInput, match="time order"):
        read_tape(file)
    write_tape(file, TapeHead(2, 1, 0, ()), ())
    with pytest.raises(InvalidInput, match="another format"):
        read_tape(file)


@pytest.mark.parametrize("action", [{"type": "usdSend"}, {"type": ["order"]}, {"orders": []}])
def test_a_tape_holds_nothing_but_trading(tmp_path: Path, action: dict[str, Any]) -> None:
    file = tmp_path / "x"
    write_tape(file, HEAD, (TapeStep(0, "0xab", action),))
    with pytest.raises(InvalidInput, match="not a trading action"):
        read_tape(file)


class Answers:
    """What a node would say about the orders and agents of these tests."""

    def info(self, kind: str, user: str, oid: int | None = None) -> Any:
        if kind == "userRole":
            return {"role": "agent", "data": {"user": "0xowner"}} if user == "0xagent" else {"role": "user"}
        cloid = {7: CLOID}.get(oid or 0)
        return {"status": "order", "order": {"order": {"oid": oid, "cloid": cloid}}}


def recorded(*transactions: tuple[str, dict[str, Any]]) -> tuple[Recorder, list[TapeStep]]:
    recorder = Recorder(Answers(), [Market(0, "BTC", 5, 50)])  # type: ignore[arg-type]
    rows = [{"user": user, "action": action} for user, action in transactions]
    return recorder, list(recorder.steps({"blockTime": 1_250, "txs": rows}, 1_000))


def test_agents_are_recorded_as_the_accounts_they_trade_for() -> None:
    action = {"type": "scheduleCancel"}
    _, steps = recorded(("0xagent", action), ("0xtrader", action))
    assert steps == [TapeStep(250, "0xowner", action), TapeStep(250, "0xtrader", action)]


def test_a_cancel_by_number_becomes_one_by_cloid_where_there_is_one() -> None:
    order = {"type": "order", "orders": [{"a": 0, "c": CLOID}], "grouping": "na"}
    both = {"type": "cancel", "cancels": [{"a": 0, "o": 7}, {"a": 0, "o": 8}]}
    unnamed = {"type": "cancel", "cancels": [{"a": 0, "o": 8}]}
    recorder, steps = recorded(("0xt", order), ("0xt", both), ("0xt", unnamed))
    name = steps[0].action["orders"][0]["c"]
    assert name != CLOID and len(name) == 34
    assert steps[1].action == {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": name}]}
    assert len(steps) == 2 and recorder.left_out == 2


def test_oracle_prices_are_recorded_and_money_transfers_are_not() -> None:
    _, steps = recorded(
        ("0xreporter", {"type": "oracle", "prices": [[0, 970_005], [1, 7]]}),  # 1 was listed meanwhile
        ("0xt", {"type": "usdSend", "destination": "0x1", "amount": "5"}),
        ("0xt", {"type": "approveAgent"}),
        ("0xt", {"type": "ethereum", "to": None}),
    )
    assert steps == [TapeStep(250, prices={"BTC": "97000.5"})]  # BTC: six minus five decimals


@pytest.mark.parametrize(
    "action",
    [
        {"type": "order", "orders": [{"a": 0}, {"a": 1}]},
        {"type": "cancel", "cancels": [{"a": 1, "o": 7}]},
        {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": "0x0c"}]},
        {"type": "modify", "oid": "0x0c", "order": {"a": 1}},
        {"type": "batchModify", "modifies": [{"oid": "0x0c", "order": {"a": 1}}]},
        {"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 3},
    ],
)
def test_what_is_done_in_a_market_listed_meanwhile_is_not_on_the_tape(action: dict[str, Any]) -> None:
    before = {"type": "order", "orders": [{"a": 0}]}
    _, steps = recorded(("0xt", action), ("0xt", before), ("0xt", {"type": "scheduleCancel"}))
    assert [step.action for step in steps] == [before, {"type": "scheduleCancel"}]
