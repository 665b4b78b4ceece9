"""A dev node in this process, for tests of the interface above it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.api.ethereum.calls.lanes import Lanes
from coinone.interfaces.api.ethereum.news import logs as log_news
from coinone.interfaces.api.ethereum.news import subscriptions
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.vm import Log
from tests.interfaces.api.stream_stand import Stand


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(load_network("dev"), tmp_path, map_size_bytes=2**28)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def calls_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process for contract calls starts with the first call, as it does when it is replaced, and not with the
    interface: it costs two seconds of processor time, and many tests make no call."""

    async def start(self: Lanes) -> None:
        pass

    monkeypatch.setattr(Lanes, "start", start)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Log]:
    """The logs that were made into JSON."""
    found: list[Log] = []

    def log_json(log: Log, *place: Any) -> dict[str, Any]:
        found.append(log)
        return {"topic": log.topics[0][0]}

    monkeypatch.setattr(log_news, "log_json", log_json)
    monkeypatch.setattr(subscriptions, "header_json", lambda header: {})
    return found
