"""What eth_subscribe costs a node: a block's logs are made once, and nothing is made for who is gone."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.ethereum import subscriptions
from coinone.interfaces.api.ethereum.errors import RpcError
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.log_filter import log_filter
from coinone.interfaces.api.ethereum.subscriptions import RpcHub, RpcSession, Subscription
from coinone.interfaces.api.limits import FILTERS_PER_SENDER_MAX, RPC_FILTER_ENTRIES_MAX
from coinone.rules.vm import Log

TOPIC, OTHER = b"\1" * 32, b"\2" * 32


class Link:
    """A connection that is cut after so many messages."""

    def __init__(self, most: int) -> None:
        self.sent: list[bytes] = []
        self.most = most

    @property
    def open(self) -> bool:
        return len(self.sent) < self.most

    def send(self, payload: bytes) -> None:
        self.sent.append(payload)


def session_of(hub: RpcHub, most: int = 10**6) -> RpcSession:
    made = RpcSession(Link(most), None, None, hub, None)  # type: ignore[arg-type]
    hub.sessions[made] = None
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Log]:
    """The logs that were made into JSON."""
    found: list[Log] = []

    def log_json(log: Log, *place: Any) -> dict[str, Any]:
        found.append(log)
        return {"topic": log.topics[0][0]}

    monkeypatch.setattr(subscriptions, "log_json", log_json)
    monkeypatch.setattr(subscriptions, "header_json", lambda header: {})
    return found


def publish(hub: RpcHub, *topics: bytes) -> None:
    logs = [Log(bytes(20), (topic,), b"") for topic in topics]
    row = SimpleNamespace(record=SimpleNamespace(logs=logs, hash=bytes(32)), index=0, first_log_index=0)
    hub.inclusions = SimpleNamespace(publish=lambda rows: None)  # type: ignore[assignment]
    hub.publish_block(SimpleNamespace(number=5), [row])  # type: ignore[arg-type,list-item]


def test_a_log_is_made_once_whoever_listens_and_for_who_is_cut_off_no_further(made: list[Log]) -> None:
    """A hundred subscriptions of each of 64 connections made each log 6,400 times: 50 s for a block of a thousand."""
    hub = RpcHub()
    all_logs, some, cut = Subscription("logs"), {"topics": ["0x" + TOPIC.hex()]}, session_of(hub, most=2)
    sessions = [session_of(hub) for _ in range(3)]
    for session in sessions:
        session.subscribe(Subscription("logs", log_filter(some)))
        session.subscribe(all_logs)
    cut.subscribe(all_logs)
    publish(hub, TOPIC, OTHER, TOPIC)
    assert len(made) == 3
    assert [len(session.connection.sent) for session in sessions] == [5] * 3  # type: ignore[attr-defined]
    assert len(cut.connection.sent) == 2  # type: ignore[attr-defined]


def test_a_connections_filters_are_bounded_together(made: list[Log]) -> None:
    session = session_of(RpcHub())
    wanted = {"topics": [["0x" + number.to_bytes(32, "big").hex() for number in range(1000)]]}
    for _ in range(RPC_FILTER_ENTRIES_MAX // 1000):
        session.subscribe(Subscription("logs", log_filter(wanted)))
    with pytest.raises(RpcError, match="too many addresses and topics"):
        session.subscribe(Subscription("logs", log_filter(wanted)))


def test_one_sender_leaves_filters_for_others(made: list[Log]) -> None:
    async def run() -> None:
        filters = Filters()
        for _ in range(FILTERS_PER_SENDER_MAX):
            filters.add(None, 0, "mallory")
        with pytest.raises(RpcError, match="too many filters of one sender"):
            filters.add_pending(False, "mallory")
        filters.add(None, 0, "alice")
        many = {"topics": [["0x" + number.to_bytes(32, "big").hex() for number in range(1000)]] * 4}
        filters.add(log_filter(many), 0, "bob")
        with pytest.raises(RpcError, match="too many addresses and topics"):
            filters.add(log_filter(many), 0, "bob")

    asyncio.run(run())
