"""A node's own report of its health: late, without peers, or with a wrong clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coinone.node.clock import SystemClock
from coinone.node.health import Health, clock_warning, health_of
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.chain.genesis import Genesis

DEV = load_network("dev")
DAY_MS = 86_400_000
NOON_MS = 1_796_126_400_000  # 2026-12-01 12:00:00 UTC


class SetClock(SystemClock):
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now_ms, self.steady = NOON_MS, 0.0

    def wall_ms(self) -> int:
        return self.now_ms

    def steady_s(self) -> float:
        return self.steady


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def leader(tmp_path: Path, clock: SetClock) -> Iterator[Node]:
    """Not started: batches are made by hand."""
    node = Node(DEV, tmp_path / "leader", clock=clock, map_size_bytes=2**28)
    yield node
    node.stop()


@pytest.fixture
def follower(tmp_path: Path, clock: SetClock, leader: Node) -> Iterator[Node]:
    genesis: Genesis = leader.genesis
    node = Node(DEV, tmp_path / "follower", clock=clock, map_size_bytes=2**28, genesis=genesis)
    yield node
    node.stop()


def test_a_leader_is_late_when_forty_intervals_brought_no_batch(leader: Node, clock: SetClock) -> None:
    """40 * 250 ms = 10 s."""
    clock.steady = 10.0
    assert health_of(leader, 0) == Health("ok")
    clock.steady = 11.5
    assert health_of(leader, 0) == Health("late", "the newest batch is 11 s old")
    leader._core.close_batch(clock.now_ms)
    assert health_of(leader, 0) == Health("ok")


def test_a_follower_without_peers_or_with_old_batches_is_not_well(follower: Node, clock: SetClock) -> None:
    assert health_of(follower, 0).status == "alone"
    assert health_of(follower, 1) == Health("ok")
    clock.now_ms += 60_000  # batches may come, but those of a minute ago
    assert health_of(follower, 1) == Health("late", "the newest batch is 60 s old")
    clock.now_ms, clock.steady = NOON_MS - DAY_MS, 60.0  # and with a clock that is behind, none comes
    assert health_of(follower, 1) == Health("late", "the newest batch is 60 s old")


def test_a_halted_node_says_why(leader: Node) -> None:
    leader._core.halt(AssertionError("money was made"))
    assert health_of(leader, 0) == Health("halted", "AssertionError: money was made")


def test_batches_ahead_of_the_clock_by_more_than_a_nonce_lives_are_told(
    leader: Node, clock: SetClock
) -> None:
    """A nonce is the clock's time, and no more than two days older than the batch."""
    clock.now_ms -= 2 * DAY_MS
    assert health_of(leader, 0).status == "ok" and clock_warning(leader) is None
    clock.now_ms -= 1000
    health, warning = health_of(leader, 0), clock_warning(leader)
    assert health.status == "ahead" and warning is not None
    both = (
        "the newest batch is of 2026-12-01 12:00:00 UTC, this computer's clock says 2026-11-29 11:59:59 UTC"
    )
    assert both in str(health.reason) and both in warning


def test_a_start_long_after_the_newest_batch_is_told_to_a_leader(
    leader: Node, follower: Node, clock: SetClock
) -> None:
    clock.now_ms += DAY_MS
    assert clock_warning(leader) is None
    clock.now_ms += 399 * DAY_MS
    warning = clock_warning(leader)
    assert warning is not None and "clock says 2028-01-05 12:00:00 UTC" in warning
    assert clock_warning(follower) is None, "it has a year to catch up with"


def test_a_clock_beyond_all_calendars_is_told_too(leader: Node, clock: SetClock) -> None:
    clock.now_ms = 10**15
    assert "this computer's clock says 1000000000000000 ms" in str(clock_warning(leader))
