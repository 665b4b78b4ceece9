"""A search of the blocks' bloom filters pauses after each part, and is charged by what it searches for."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.chain import parts
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.methods import logs as log_methods
from coinone.interfaces.api.ethereum.methods import send as send_methods
from coinone.interfaces.api.http.guard import Caller
from coinone.interfaces.api.limits import SYNC_WAITS_MAX, SYNC_WAITS_PER_SENDER_MAX
from coinone.rules.vm import Log

BLOCKS = 1_000


def context_of(ended: list[int]) -> Any:
    """Of a chain whose blocks have no logs, but block 3 has a thousand, in one transaction of 1 MiB; `ended` says at
    which block each part of a walk ended."""
    at = [0]

    def headers(first: int, last: int) -> Any:
        for at[0] in range(first, min(last, BLOCKS) + 1):
            yield SimpleNamespace(number=at[0], bloom=bytes(256), hash=bytes(32), timestamp=7)

    def stored(number: int) -> Any:
        logs = (Log(bytes(20), (), b"") for _ in range(1_000 if number == 3 else 0))
        return [SimpleNamespace(hash=bytes(32), logs=lambda: logs)]

    async def in_thread(work: Any) -> Any:
        part = work()
        ended.append(at[0])
        return part

    archive = SimpleNamespace(
        headers=headers, records_size=lambda number: 2**20 if number == 3 else 0, stored=stored
    )
    reads = SimpleNamespace(archive=archive, in_thread=in_thread)
    backend: Any = SimpleNamespace(reads=reads)
    return Context(backend, Caller.PROGRAM, TokenBucket(100_000, lambda: 0.0))


def test_a_walk_lets_others_have_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_S", 0.0)
    ended: list[int] = []
    asked = log_methods._walked(context_of(ended), log_filter({}), 4, 50)
    assert asyncio.run(asked) == []
    assert len(ended) > 40 and ended == sorted(ended)  # each goes on where the one before ended


def test_a_block_of_very_many_logs_is_read_in_parts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """40,500 logs, made by one transaction for 0.001 coins, were one job of half a second."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    ended: list[int] = []
    context = context_of(ended)
    found = asyncio.run(log_methods._walked(context, log_filter({}), 3, 3))
    assert [log["logIndex"] for log in found] == [hex(place) for place in range(1_000)]
    assert ended.count(3) > 1_000 // 64


def test_a_walk_beyond_the_last_block_ends() -> None:
    assert asyncio.run(log_methods._walked(context_of([]), log_filter({}), BLOCKS - 1, BLOCKS + 5)) == []


def test_a_thousand_topics_in_a_thousand_blocks_cost_what_looking_for_them_takes() -> None:
    """Each block is one look and one for each topic: 1,000 x 1,001 / 20,000 = 50, beside the 20 of the call."""
    context = context_of([])
    topics = ["0x" + n.to_bytes(32, "big").hex() for n in range(1_000)]
    asyncio.run(log_methods._walked(context, log_filter({"topics": [topics]}), 1, BLOCKS))
    assert context.purse._held == 100_000 - 50


def test_a_walk_has_five_seconds_and_pays_for_what_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends in block 3, whose 1 MiB costs 1,048,576 / 8,192 = 128."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", 0.0)
    context = context_of([])
    with pytest.raises(RpcError, match="query timeout exceeded"):
        asyncio.run(log_methods._walked(context, log_filter({}), 3, BLOCKS))
    assert context.purse._held == 100_000 - 128


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


def test_whoever_waits_for_most_receipts_makes_room_for_who_waits_for_few() -> None:
    """Sixteen addresses held all 1,024 places, 64 each. Alice takes the newest of one of them; where everybody has one
    place, she gets none."""

    async def wait() -> None:
        inclusions = Inclusions()
        held = {n: [inclusions.expect(bytes(32), n) for _ in range(64)] for n in range(16)}
        greedy = {n: [one.__enter__() for one in ones] for n, ones in held.items()}
        with inclusions.expect(b"\1" * 32, "alice") as hers:
            lost = [(n, k) for n, ones in greedy.items() for k, one in enumerate(ones) if one.cancelled()]
            assert [k for _, k in lost] == [63]
            inclusions.publish([SimpleNamespace(record=SimpleNamespace(hash=b"\1" * 32))])  # type: ignore[list-item]
            assert hers.done()
        for ones in held.values():
            for one in ones:
                one.__exit__(None, None, None)
        assert not inclusions._waiting and not inclusions._held
        single = [inclusions.expect(bytes(32), n) for n in range(SYNC_WAITS_MAX)]
        for one in single:
            one.__enter__()
        with pytest.raises(RpcError, match="too many callers"), inclusions.expect(bytes(32), "alice"):
            pass

    asyncio.run(wait())


def test_who_loses_the_place_to_wait_is_told_so_with_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mallory has all 64 places of its own and others the rest; the newest of its transactions stays in the pool."""
    inclusions = Inclusions()

    async def nothing(*_: Any) -> None:
        return None

    async def run() -> None:
        held = [inclusions.expect(bytes(32), n // 63) for n in range(SYNC_WAITS_MAX - 64)]
        held += [inclusions.expect(bytes(32), "mallory") for _ in range(63)]
        for one in held:
            one.__enter__()
        backend, sender = SimpleNamespace(inclusions=inclusions), SimpleNamespace(share="mallory", left=None)
        context: Any = SimpleNamespace(backend=backend, sender=sender, of_transaction=nothing)
        asked = asyncio.create_task(send_methods.send_raw_transaction_sync(context, "0x02"))
        await asyncio.sleep(0)
        with (
            inclusions.expect(bytes(32), "alice"),
            pytest.raises(RpcError, match="no place to wait") as refused,
        ):
            await asked
        assert (refused.value.code, refused.value.data) == (4, "0x" + keccak256(b"\2").hex())

    monkeypatch.setattr(send_methods, "send_raw_transaction", nothing)
    asyncio.run(run())
