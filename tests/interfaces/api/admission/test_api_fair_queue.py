"""Senders are served in turns, and none can fill the queue against the others."""

import asyncio

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.fair_queue import FairQueue


def served(queue: "FairQueue[str]") -> list[str]:
    async def drain() -> list[str]:
        return [await queue.next() for _ in range(len(queue))]

    return asyncio.run(drain())


def test_one_who_asks_once_comes_after_at_most_one_of_each_other() -> None:
    queue: FairQueue[str] = FairQueue(100, 64)
    for number in range(64):
        queue.put("greedy", f"greedy {number}")
    queue.put("modest", "modest 0")
    assert served(queue)[:3] == ["greedy 0", "modest 0", "greedy 1"]


def test_nobody_may_have_more_than_the_bound_waiting() -> None:
    queue: FairQueue[str] = FairQueue(100, 2)
    queue.put("a", "1")
    queue.put("a", "2")
    with pytest.raises(LimitExceeded, match="wait for answers first"):
        queue.put("a", "3")
    assert queue.put("b", "4") is None


def test_in_a_full_queue_whoever_has_most_makes_room() -> None:
    queue: FairQueue[str] = FairQueue(3, 3)
    for item in ("1", "2", "3"):
        queue.put("greedy", item)
    assert queue.put("modest", "4") == "3"  # the newest of the greedy one
    # now 2 and 1 wait: room for a second one would only turn the two round
    with pytest.raises(LimitExceeded, match="try again"):
        queue.put("modest", "5")
    assert served(queue) == ["1", "4", "2"]


def test_the_lines_of_one_ipv6_site_share_its_turns_and_make_room_for_another() -> None:
    """A site of 100 lines in a queue of 100: another's two push out the site's first two, of
    equals the first, and come after one of the site's each."""
    queue: FairQueue[str] = FairQueue(100, 64)
    for number in range(100):
        queue.put(f"2001:db8:0:{number:x}::/64", f"line {number}")
    assert queue.put("2001:db8:1::/64", "modest 0") is not None
    assert queue.put("2001:db8:1::/64", "modest 1") is not None
    assert served(queue)[:4] == ["line 2", "modest 0", "line 3", "modest 1"]


def test_what_was_taken_out_is_not_served() -> None:
    queue: FairQueue[str] = FairQueue(10, 10)
    queue.put("a", "1")
    queue.put("a", "2")
    queue.put("b", "3")
    queue.remove("a", "1")
    queue.remove("a", "no longer there")
    queue.remove("c", "never there")
    assert len(queue) == 2 and served(queue) == ["2", "3"]


def test_what_was_taken_and_not_served_is_next_again() -> None:
    queue: FairQueue[str] = FairQueue(10, 10)
    for who, item in (("a", "1"), ("a", "2"), ("b", "3")):
        queue.put(who, item)
    taken = [("a", queue.pop()), ("b", queue.pop())]
    for who, item in reversed(taken):
        queue.put_back(who, item, had_turn=False)
    assert len(queue) == 3 and served(queue) == ["1", "3", "2"]


def test_whoever_had_a_turn_comes_after_the_others_with_what_was_put_back() -> None:
    queue: FairQueue[str] = FairQueue(10, 10)
    queue.put("a", "1")
    queue.put("a", "2")
    taken = [queue.pop(), queue.pop()]
    queue.put("b", "3")
    queue.put_back("a", taken[1], had_turn=True)  # and the other was served
    assert served(queue) == ["3", "2"]
