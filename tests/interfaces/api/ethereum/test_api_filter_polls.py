"""A log filter returns each log once, whatever happens to its polls and however many logs there are."""

import asyncio
from collections.abc import Callable
from itertools import chain as chained
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.chain import parts
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.filters import Filter
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.methods import logs as log_methods
from coinone.interfaces.api.http.guard import Caller
from coinone.rules.vm import Log


class Chain:
    """Its block n, from 1, has `counts[n - 1]` logs, in two transactions; a filter of all of them is open. `before` is
    called before each part of a walk."""

    def __init__(self, *counts: int, wanted: dict[str, Any] | None = None) -> None:
        self.counts = list(counts)
        self.filter = Filter(log_filter(wanted or {}), 1, 0)
        self.before: Callable[[], None] = lambda: None
        archive = SimpleNamespace(headers=self._headers, records_size=lambda number: 0, stored=self._stored)
        reads = SimpleNamespace(
            archive=archive, in_thread=self._in_thread, head_number=lambda: len(self.counts)
        )
        backend = SimpleNamespace(reads=reads, filters=SimpleNamespace(poll=lambda _: self.filter))
        self._context = Context(backend, Caller.PROGRAM, TokenBucket(100_000, lambda: 0.0))  # type: ignore[arg-type]

    def _headers(self, first: int, last: int) -> Any:
        for number in range(first, min(last, len(self.counts)) + 1):
            yield SimpleNamespace(number=number, bloom=bytes(256), hash=bytes(32), timestamp=7)

    def _stored(self, number: int) -> Any:
        half = self.counts[number - 1] // 2
        for size in (half, self.counts[number - 1] - half):
            yield SimpleNamespace(
                hash=bytes(32), logs=lambda size=size: iter([Log(bytes(20), (), b"")] * size)
            )

    async def _in_thread(self, work: Any) -> Any:
        await asyncio.sleep(0)
        self.before()
        return work()

    async def poll(self) -> list[tuple[int, int]]:
        """Block and place of each log that is told."""
        told = await log_methods.get_filter_changes(self._context, "0x1")
        return [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in told]

    def logs(self, *numbers: int) -> list[tuple[int, int]]:
        """All of these blocks."""
        return [(number, place) for number in numbers for place in range(self.counts[number - 1])]


async def polled(chain: Chain, times: int) -> list[list[tuple[int, int]]]:
    return [await chain.poll() for _ in range(times)]


def test_a_poll_that_finds_too_much_tells_of_whole_blocks_and_the_next_goes_on() -> None:
    """Five honest logs, then a stranger's 11,000, were refused as more than 10,000 and lost. Of 6,000 and 4,000 both
    blocks are told; of 6,000 and 4,001 the first, and the second by the next poll."""
    chain = Chain(6_000, 4_000, 6_000, 4_001)
    told = asyncio.run(polled(chain, 4))
    assert told == [chain.logs(1, 2), chain.logs(3), chain.logs(4), []]


def test_a_block_that_alone_is_too_much_is_told_in_parts() -> None:
    """5 honest logs before it; of 25,001 logs 10,000, 10,000, and the last 5,001 with the 2 of the next block."""
    chain = Chain(5, 25_001, 2)
    told = asyncio.run(polled(chain, 5))
    assert list(map(len, told)) == [5, 10_000, 10_000, 5_003, 0]
    assert list(chained(*told)) == chain.logs(1, 2, 3)


def test_blocks_before_the_filters_own_bounds_are_told_neither_whole_nor_in_part() -> None:
    chain = Chain(3, 3, 3, 3, wanted={"fromBlock": "0x2", "toBlock": "0x3"})
    assert asyncio.run(polled(chain, 2)) == [chain.logs(2, 3), []]
    assert chain.filter.next_block == 5


@pytest.mark.parametrize("refusal", [LimitExceeded("too many reads at once"), asyncio.CancelledError()])
def test_a_poll_that_is_refused_or_whose_sender_leaves_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, refusal: BaseException
) -> None:
    """A full queue refuses the second part of a walk; a client leaves meanwhile."""
    monkeypatch.setattr(parts, "PART_S", 0.0)

    def refuse() -> None:
        def now() -> None:
            raise refusal

        chain.before = now

    async def run() -> list[tuple[int, int]]:
        chain.before = refuse
        with pytest.raises(type(refusal)):
            await chain.poll()
        chain.before = lambda: None
        return await chain.poll()

    chain = Chain(3, 200, 3)
    assert asyncio.run(run()) == chain.logs(1, 2, 3)


def test_a_poll_that_runs_out_of_time_tells_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is one step and takes two seconds, so that a poll has eight of them in 14 s. A block has one step for each
    transaction, each 64 logs, and its end: the first poll comes into block 3, the second to log 256 of block 4, the
    third tells the rest of it, and the fourth block 5."""
    clock = count()
    monkeypatch.setattr(parts, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", 14.0)
    chain = Chain(0, 0, 0, 264, 3)
    told = asyncio.run(polled(chain, 5))
    assert list(map(len, told)) == [0, 256, 8, 3, 0]
    assert list(chained(*told)) == chain.logs(4, 5)


def test_a_poll_that_comes_nowhere_in_its_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", -1.0)
    chain = Chain(200)
    chain.filter.next_log = 150
    with pytest.raises(RpcError, match="query timeout exceeded"):
        asyncio.run(chain.poll())
    assert (chain.filter.next_block, chain.filter.next_log) == (1, 150)


def test_two_polls_at_once_tell_of_each_log_once() -> None:
    chain = Chain(3, 3)

    async def run() -> list[list[tuple[int, int]]]:
        return await asyncio.gather(chain.poll(), chain.poll())

    assert asyncio.run(run()) == [chain.logs(1, 2), []]
