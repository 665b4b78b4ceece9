"""A dev node in this process, for tests of the interface above it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
