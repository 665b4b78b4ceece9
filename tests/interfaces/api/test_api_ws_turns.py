"""Much to tell is told in parts: others have their turn in between, and nothing is lost or told twice by that."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.exchange import fills, reads
from coinone.interfaces.api.exchange import format as formats
from coinone.interfaces.api.limits import WS_ROWS_PER_TURN
from coinone.interfaces.api.ws import account_events
from coinone.interfaces.api.ws.batch_events import events_of, trades_of
from coinone.rules.exchange.event_log import EventLog, parties_of
from tests.interfaces.api.stream_stand import (
    ALICE,
    BOB,
    START_MS,
    Stand,
    deposit,
    fill,
    of_a_sweep,
)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_events_are_made_of_the_rows_that_somebody_listens_to_and_of_all_of_them() -> None:
    deleverage = replace(fill(9_000)(1, START_MS + 1), kind="adl")
    log = EventLog([of_a_sweep(600), deposit(5)(1, START_MS + 1), deleverage])
    assert list(events_of(log, {ALICE})) == [event for event in log if ALICE in parties_of(event)]
    assert list(events_of(log, {ALICE, BOB})) == list(log)
    in_book = [event for event in log.fills() if event.kind != "adl"]
    for market in (0, 1):
        assert list(trades_of(log, market)) == [event for event in in_book if event.market == market]


def test_a_batch_of_thousands_of_fills_is_told_in_parts_between_which_others_have_their_turn(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,200 fills for five accounts were 0.4 s in one go. Somebody who does nothing but take turns sees how many rows
    were made since the last one."""
    rows, at_most = [0], [0]

    def counted(real: Any) -> Any:
        def make(*given: Any) -> Any:
            rows[0] += 1
            return real(*given)

        return make

    monkeypatch.setattr(fills, "fill_json", counted(fills.fill_json))
    monkeypatch.setattr(formats, "trade_json", counted(formats.trade_json))
    for name in ("order_update_json", "order_history_json"):
        monkeypatch.setattr(account_events, name, counted(getattr(account_events, name)))

    async def take_turns() -> None:
        while True:
            at_most[0] = max(at_most[0], rows[0])
            rows[0] = 0
            await asyncio.sleep(0)

    async def run() -> dict[str, list[Any]]:
        streams = {}
        channels = ("userFills", "userEvents", "orderUpdates", "userHistoricalOrders")
        for channel in channels:
            streams[channel] = await stand.subscribe((channel, BOB.hex()))
        streams["trades"] = await stand.subscribe(("trades", "BTC"))
        stand.batches.append(EventLog([of_a_sweep(1000)]))
        others = asyncio.create_task(take_turns())
        await stand.tell()
        others.cancel()
        return {channel: messages[-1]["data"] for channel, messages in streams.items()}

    monkeypatch.setattr(reads, "account_view", lambda *_: SimpleNamespace(orders=()))
    told = asyncio.run(run())
    assert 0 < at_most[0] <= WS_ROWS_PER_TURN
    assert [row["tid"] for row in told["userFills"]["fills"]] == list(range(1000))
    assert told["userEvents"]["fills"] == told["userFills"]["fills"]
    assert [row["tid"] for row in told["trades"]] == [tid for tid in range(1000) if tid % 5]
    assert [row["order"]["oid"] for row in told["orderUpdates"]] == list(range(1, 1000, 2))
    assert [row["order"]["oid"] for row in told["userHistoricalOrders"]["orderHistory"]] == list(
        range(1, 1000, 2)
    )


def test_who_subscribes_while_a_batch_is_told_has_it_from_the_snapshot_and_not_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two parts of a batch another client begins to listen to an account whose part is still to come."""
    monkeypatch.setattr("coinone.interfaces.api.ws.turns.WS_ROWS_PER_TURN", 1)
    key = ("userFills", BOB.hex())

    async def run() -> list[list[Any]]:
        first = await stand.subscribe(key)
        stand.happen(*[fill(number) for number in range(10)])
        late = asyncio.create_task(stand.subscribe(key))
        await stand.tell()
        assert late.done()
        stand.happen(fill(10))
        await stand.tell()
        return [
            [(message["data"]["isSnapshot"], len(message["data"]["fills"])) for message in messages]
            for messages in (first, late.result())
        ]

    first, late = asyncio.run(run())
    assert first == [(True, 0), (False, 10), (False, 1)]
    assert late == [(True, 10), (False, 1)]
