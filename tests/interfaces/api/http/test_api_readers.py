"""Long reads take turns by sender."""

import asyncio
import threading
import time

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission import readers as readers_module
from coinone.interfaces.api.admission.readers import Readers
from coinone.interfaces.api.admission.sender import PURSE, SHARE
from coinone.interfaces.api.admission.weights import RateLimits


def test_one_senders_long_reads_delay_another_by_one_of_them() -> None:
    """Thirty of one sender stood before everybody's histories: 43 s for one of 4 ms."""
    ran: list[str] = []

    async def ask(readers: Readers, who: str) -> None:
        SHARE.set(who)
        await readers.run(lambda: ran.append(who))

    async def all_ask() -> None:
        readers, begun, go = Readers(1), threading.Event(), threading.Event()
        first = asyncio.create_task(readers.run(lambda: (begun.set(), go.wait())))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        asked = [asyncio.create_task(ask(readers, who)) for who in ["greedy"] * 20 + ["other"]]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, *asked)
        readers.close()

    asyncio.run(all_ask())
    assert ran == ["greedy", "other"] + ["greedy"] * 19


def test_whose_asker_left_is_not_read_and_a_fault_is_the_askers() -> None:
    ran: list[int] = []

    async def ask() -> None:
        readers = Readers(1)
        slow = asyncio.create_task(readers.run(lambda: time.sleep(0.05)))
        left = asyncio.create_task(readers.run(lambda: ran.append(1)))
        await asyncio.sleep(0)
        left.cancel()
        with pytest.raises(ZeroDivisionError):
            await readers.run(lambda: 1 // 0)
        assert await readers.run(lambda: 7) == 7
        await slow
        readers.close()

    asyncio.run(ask())
    assert not ran


def test_who_waits_when_the_node_stops_is_told() -> None:
    async def ask() -> None:
        readers = Readers(1)
        slow = asyncio.create_task(readers.run(lambda: time.sleep(0.05)))
        waiting = asyncio.create_task(readers.run(lambda: 1))
        await asyncio.sleep(0)
        readers.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await slow

    asyncio.run(ask())


def test_a_sender_may_have_so_many_reads_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers_module, "READS_PER_SENDER_MAX", 5)

    async def ask() -> list[object]:
        readers = Readers(1)
        asked = [readers.run(lambda: time.sleep(0.01)) for _ in range(10)]  # one of them at once
        found = await asyncio.gather(*asked, return_exceptions=True)
        readers.close()
        return found

    assert sum(isinstance(each, LimitExceeded) for each in asyncio.run(ask())) == 4


def test_who_reads_no_answers_has_nothing_more_read_for_it() -> None:
    """Each was let in while there was room; their answers of 15 MB would come all the same."""
    ran: list[int] = []

    async def ask() -> None:
        readers, purse = Readers(1), RateLimits(1200).purse("203.0.113.5")
        PURSE.set(purse)
        first = asyncio.create_task(readers.run(lambda: time.sleep(0.05)))
        second = asyncio.create_task(readers.run(lambda: ran.append(1)))
        await asyncio.sleep(0)
        with purse.unread(33 * 1024 * 1024):
            await first
            with pytest.raises(LimitExceeded, match="too many answers unread"):
                await second
        assert await readers.run(lambda: 7) == 7
        readers.close()

    asyncio.run(ask())
    assert not ran
