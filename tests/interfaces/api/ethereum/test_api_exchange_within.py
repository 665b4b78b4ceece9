"""Traces of transactions that read the exchange: it is executed again within the block, so that they read the same."""

from typing import Any

import msgspec
import pytest

from coinone.interfaces.api.ethereum.calls import exchange_within
from coinone.interfaces.api.ethereum.calls.exchange_within import ExchangeWithin
from coinone.interfaces.api.ethereum.calls.tracing import BlockTrace, Traced, trace
from coinone.interfaces.api.ethereum.calls.worker import Desk, Stopwatch
from coinone.node.views.archive import Archive
from coinone.rules.chain.ethereum.execution import create_address
from coinone.rules.ledger.block import Block
from coinone.rules.vm import REFERENCE
from tests.rules.chain.chain_world import KEYS, NETWORK, START_MS, World, account, order, transfer
from tests.rules.chain.test_replay import sealed

# Asks 0x080e (best bid and ask) about the market in the first word, and logs the two words of the answer.
_RUNTIME = bytes.fromhex("60206000600037604060006020600061080e5afa5060406000a000")
_INIT = bytes.fromhex(f"60{len(_RUNTIME):02x}600c60003960{len(_RUNTIME):02x}6000f3") + _RUNTIME
READER = create_address(account(0), 0)
BTC = bytes(32)
LOGS = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}


def ask_best(nonce: int) -> bytes:
    return transfer(KEYS[0], nonce, READER, 0, BTC)


@pytest.fixture
def block() -> tuple[World, Block]:
    """One block in which BTC's best bid is 96,000, then 96,500, each read in an EVM batch of its own."""
    world = World()
    world.evm_batch(transfer(KEYS[0], 0, None, 0, _INIT, gas=200_000))
    world.batch(order(KEYS[1], START_MS + 1, 0, True, "95500", "0.01"))
    sealed(world)
    world.batch(order(KEYS[1], START_MS + 2, 0, True, "96000", "0.01"))
    world.evm_batch(ask_best(1))
    world.batch(order(KEYS[2], START_MS + 3, 0, True, "96500", "0.01"))
    world.evm_batch(ask_best(2))
    world.batch(order(KEYS[2], START_MS + 4, 0, True, "96600", "0.01"))
    return world, sealed(world)


def traced(world: World, block: Block, index: int | None) -> Traced:
    job = BlockTrace(NETWORK, block.number, block.hash, index, LOGS)
    return trace(job, Desk(world.storage.store, NETWORK, Stopwatch(60), REFERENCE))


def seen_in(call: Any) -> tuple[int, int]:
    data = bytes.fromhex(call["logs"][0]["data"][2:])
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


@pytest.mark.parametrize(("index", "bid"), [(0, 960_000), (1, 965_000)])
def test_a_transaction_is_traced_over_the_exchange_that_it_read(
    block: tuple[World, Block], index: int, bid: int
) -> None:
    """Prices of BTC have one decimal: 96,000 is 960,000. Nobody sells."""
    answer = traced(*block, index)
    assert answer.error is None
    call = msgspec.json.decode(answer.json)
    record = Archive(block[0].storage.blocks).records(block[1].number)[index].record
    assert seen_in(call) == (bid, 0)
    assert bytes.fromhex(call["logs"][0]["data"][2:]) == record.logs[0].data
    assert int(call["gasUsed"], 16) == record.gas_used


def test_all_of_a_block_are_traced_each_over_its_own_batch(block: tuple[World, Block]) -> None:
    calls = msgspec.json.decode(traced(*block, None).json)
    assert [seen_in(call["result"])[0] for call in calls] == [960_000, 965_000]


def test_an_exchange_too_large_to_be_run_again_is_refused_by_name(
    block: tuple[World, Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_within, "TRACE_EXCHANGE_ROWS_MAX", 10)
    answer = traced(*block, 0)
    assert answer.error is not None and "too large to be run again" in answer.error


def test_the_time_is_looked_at_before_each_batch(block: tuple[World, Block]) -> None:
    world, newest = block
    batches = [certified.batch for certified in world.certified if certified.batch.seq >= newest.first_seq]
    looks: list[None] = []
    within = ExchangeWithin(
        NETWORK, world.storage.store, newest.number, batches, lambda: looks.append(None), REFERENCE
    )
    within.after(batches[2].seq)
    assert len(looks) == 3
    assert within.after(batches[-1].seq).ledger.cursor.seq == newest.header.batch_seq
    assert len(looks) == len(batches)
