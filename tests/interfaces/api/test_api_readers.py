"""Long reads take turns by sender."""

import asyncio
import threading
import time

import pytest

from coinone.interfaces.api.readers import Readers
from coinone.interfaces.api.sender import SHARE


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
