"""Reads are grouped into visits to the executor, and a failing read does not affect the others."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded, StorageError
from coinone.interfaces.api.admission import queries
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.sender import SHARE


class Executor:
    """Runs what it is given a little later, and counts the visits; `fault` is raised instead if set."""

    def __init__(self) -> None:
        self.visits = 0
        self.fault: Exception | None = None

    async def query(self, job: Callable[[Any], Any]) -> Any:
        self.visits += 1
        await asyncio.sleep(0.01)
        if self.fault is not None:
            raise self.fault
        return job("reader")


def ask(count: int, read: Callable[[Any], Any], executor: Executor) -> list[Any]:
    async def run() -> list[Any]:
        asked = Queries(executor)  # type: ignore[arg-type]
        return await asyncio.gather(*(asked.run(read) for _ in range(count)), return_exceptions=True)

    return asyncio.run(run())


def test_reads_that_arrive_together_make_one_visit() -> None:
    executor = Executor()
    assert ask(50, lambda reader: reader, executor) == ["reader"] * 50
    assert executor.visits == 1


def test_a_visit_takes_a_bounded_number() -> None:
    executor = Executor()
    ask(2 * queries.QUERIES_PER_VISIT + 1, lambda reader: reader, executor)
    assert executor.visits == 3


def test_a_visit_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 reads of accounts with a thousand orders held the executor for 0.9 s. Here each takes all of the time."""
    monkeypatch.setattr(queries, "QUERY_VISIT_S", 0.0)
    executor = Executor()
    assert ask(5, lambda reader: reader, executor) == ["reader"] * 5
    assert executor.visits == 5


def test_reads_that_arrive_during_a_visit_make_the_next_one() -> None:
    async def run() -> int:
        executor = Executor()
        asked = Queries(executor)  # type: ignore[arg-type]
        first = asyncio.create_task(asked.run(lambda reader: 1))
        await asyncio.sleep(0.005)
        later = [asyncio.create_task(asked.run(lambda reader: 2)) for _ in range(5)]
        assert await first == 1 and [await task for task in later] == [2] * 5
        assert await asked.run(lambda reader: 3) == 3
        return executor.visits

    assert asyncio.run(run()) == 3


def test_a_failing_read_is_told_to_its_own_caller_only() -> None:
    turns = iter(range(3))

    def read(reader: Any) -> int:
        turn = next(turns)
        if turn == 1:
            raise ValueError("mine")
        return turn

    first, second, third = ask(3, read, Executor())
    assert (first, third) == (0, 2) and isinstance(second, ValueError)


def test_when_the_executor_refuses_everybody_is_told() -> None:
    executor = Executor()
    executor.fault = StorageError("node is stopping")
    assert [str(answer) for answer in ask(3, lambda reader: 1, executor)] == ["node is stopping"] * 3


def test_who_stops_waiting_holds_up_nobody() -> None:
    async def run() -> int:
        asked = Queries(Executor())  # type: ignore[arg-type]
        gone = asyncio.create_task(asked.run(lambda reader: 1))
        stays = asyncio.create_task(asked.run(lambda reader: 2))
        await asyncio.sleep(0.005)
        gone.cancel()
        return await stays

    assert asyncio.run(run()) == 2


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "QUERIES_WAITING_MAX", 10)
    answers = ask(20, lambda reader: 1, Executor())
    assert answers.count(1) == 10 and sum(isinstance(answer, LimitExceeded) for answer in answers) == 10


def in_turn(monkeypatch: pytest.MonkeyPatch, *asked: str, leaves: str = "") -> list[str]:
    """Whose reads were made, in their order, where each takes all the time of a visit; the first is under way before
    the others ask. Whoever `leaves` does so then."""
    monkeypatch.setattr(queries, "QUERY_VISIT_S", 0.0)
    made: list[str] = []

    async def one(queue: Queries[Any], who: str) -> None:
        SHARE.set(who)
        await queue.run(lambda reader: made.append(who))

    async def run() -> None:
        queue: Queries[Any] = Queries(Executor())  # type: ignore[arg-type]
        tasks = []
        for who in asked:
            tasks.append(asyncio.create_task(one(queue, who), name=who))
            await asyncio.sleep(0)
        for task in tasks:
            if task.get_name() == leaves:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    return made


def test_one_senders_reads_delay_another_by_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,500 of one address stood before everybody's: 26.7 s for one of 3 ms."""
    asked = ["greedy"] * 20 + ["other"]
    made = in_turn(monkeypatch, *asked)
    assert made[:3] == ["greedy", "greedy", "other"], "the one under way, and one"
    assert made[3:] == ["greedy"] * 18


def test_what_its_sender_has_left_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """57,500 questions of one address were read for nobody in 30 s."""
    asked = ["stays"] + ["gone"] * 20
    assert in_turn(monkeypatch, *asked, leaves="gone") == ["stays"]


def test_what_its_sender_has_left_is_not_read_by_a_visit_that_is_under_way() -> None:
    made: list[int] = []

    async def run() -> None:
        asked = Queries(Executor())  # type: ignore[arg-type]
        gone = [asyncio.create_task(asked.run(lambda reader: made.append(1))) for _ in range(5)]
        stays = asyncio.create_task(asked.run(lambda reader: made.append(2)))
        await asyncio.sleep(0.005)  # of the 10 ms that it takes to get there
        for task in gone:
            task.cancel()
        await stays

    asyncio.run(run())
    assert made == [2]


def test_a_sender_may_have_so_many_reads_waiting_and_others_have_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "READS_PER_SENDER_MAX", 5)
    asked = ["other"] + ["greedy"] * 20 + ["third"]
    made = in_turn(monkeypatch, *asked)
    assert (made.count("greedy"), made.count("other"), made.count("third")) == (5, 1, 1)
