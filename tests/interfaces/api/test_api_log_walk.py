"""A walk through the blocks' blooms comes back after each part, and is paid for by what it looked for."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.ethereum import log_methods
from coinone.interfaces.api.ethereum.errors import RpcError
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.log_filter import log_filter
from coinone.interfaces.api.limits import SYNC_WAITS_PER_SENDER_MAX
from coinone.interfaces.api.weights import Purse

BLOCKS = 1_000


def context_of(parts: list[int]) -> Any:
    """Of a chain whose blocks have no logs; `parts` says where each part of a walk began."""

    def headers(first: int, last: int) -> Any:
        parts.append(first)
        return (SimpleNamespace(number=n, bloom=bytes(256)) for n in range(first, min(last, BLOCKS) + 1))

    async def in_thread(work: Any) -> Any:
        return work()

    archive = SimpleNamespace(headers=headers, records_size=lambda _: 0, records=lambda _: ())
    reads = SimpleNamespace(archive=archive, in_thread=in_thread)
    return SimpleNamespace(backend=SimpleNamespace(reads=reads), purse=Purse(100_000, lambda: 0.0))


def test_a_walk_lets_others_have_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_methods, "_PART_S", 0.0)
    parts: list[int] = []
    asked = log_methods._walked(context_of(parts), log_filter({}), 1, 50)
    assert asyncio.run(asked) == []
    assert len(parts) > 10
    assert parts[0] == 1
    assert parts == sorted(set(parts))  # each goes on where the one before ended


def test_a_walk_beyond_the_last_block_ends() -> None:
    assert asyncio.run(log_methods._walked(context_of([]), log_filter({}), BLOCKS - 1, BLOCKS + 5)) == []


def test_a_thousand_topics_in_a_thousand_blocks_cost_what_looking_for_them_takes() -> None:
    """Each block is one look and one for each topic: 1,000 x 1,001 / 20,000 = 50, beside the 20 of the call."""
    context = context_of([])
    topics = ["0x" + n.to_bytes(32, "big").hex() for n in range(1_000)]
    asyncio.run(log_methods._walked(context, log_filter({"topics": [topics]}), 1, BLOCKS))
    assert context.purse._held == 100_000 - 50


def test_a_walk_has_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_methods, "_PART_S", 0.0)
    monkeypatch.setattr(log_methods, "CALL_TIMEOUT_S", 0.0)
    with pytest.raises(RpcError, match="query timeout exceeded"):
        asyncio.run(log_methods._walked(context_of([]), log_filter({}), 1, BLOCKS))


def test_one_sender_leaves_places_to_wait_for_a_receipt() -> None:
    """1,024 of one sender, who had left, kept everybody from waiting for a minute."""

    async def wait() -> None:
        inclusions = Inclusions()
        held = [inclusions.expect(bytes(32), "greedy") for _ in range(SYNC_WAITS_PER_SENDER_MAX)]
        for one in held:
            one.__enter__()
        with pytest.raises(RpcError, match="of one sender"), inclusions.expect(bytes(32), "greedy"):
            pass
        with inclusions.expect(bytes(32), "other"):
            pass
        held[0].__exit__(None, None, None)
        with inclusions.expect(bytes(32), "greedy"):
            pass

    asyncio.run(wait())
