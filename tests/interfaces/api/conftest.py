"""A dev node in this process, for tests of the interface above it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coinone.node.runtime.networks import load_network
from coinone.node.runtime.node import Node
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
