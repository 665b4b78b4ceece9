"""What goes wrong in the world: clocks that jump, disks that fail, callers who wait while the node stops."""

import asyncio
import time

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.node.clock import SystemClock
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.vm import REFERENCE, Engine, Evm, ExecutionResult, Message, Pair
from tests.functional.waiting import wait_for
from tests.rules.chain.chain_world import KEYS, account, order, transfer

NETWORK = load_network("dev")


class ShiftedClock(SystemClock):
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.shift_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.shift_ms


def started(folder, clock=None, engine: Engine = REFERENCE) -> Node:
    node = Node(NETWORK, folder, clock=clock, map_size_bytes=2**28, engine=engine)
    node.start()
    return node


def close_batches(count):
    def job(core, producer):
        times = []
        for _ in range(count):
            producer.close_batch()
            times.append(core.chain.cursor.time_ms)
        return times

    return job


def test_while_the_clock_lies_behind_time_advances_a_millisecond_a_batch(tmp_path):
    clock = ShiftedClock()
    node = started(tmp_path, clock)
    clock.shift_ms = -3_600_000
    times = asyncio.run(node.run_on_core(close_batches(5)))
    node.stop()
    assert times == list(range(times[0], times[0] + 5))


def test_after_a_long_sleep_one_batch_closes_and_the_cadence_goes_on(tmp_path):
    clock = ShiftedClock()
    node = started(tmp_path, clock)
    before = node.view.time_ms
    clock.shift_ms = 8 * 3_600_000
    times = asyncio.run(node.run_on_core(close_batches(2)))
    assert times[0] - before >= 8 * 3_600_000 and times[1] - times[0] < 1_000
    assert node.halted is None
    outcome = asyncio.run(node.submit(order(KEYS[0], node.view.time_ms, 0, True, "90000", "0.01")))
    assert outcome.status == "executed"
    node.stop()


def test_a_disk_that_fails_stops_batches_and_reads_go_on(tmp_path):
    async def order_into_the_void(node):
        return await node.submit(order(KEYS[0], node.view.time_ms + 1, 0, True, "90000", "0.01"))

    node = started(tmp_path)
    seq = asyncio.run(node.run_on_core(lambda core, producer: core.chain.cursor.seq))

    def fail(records):
        raise StorageError("no space left on device")

    node.storage.log.append = fail
    with pytest.raises(StorageError, match="no space left"):
        asyncio.run(order_into_the_void(node))
    assert "no space left" in node.halted and node.view.halted == node.halted
    with pytest.raises(StorageError, match="halted"):
        asyncio.run(node.submit_ethereum(transfer(KEYS[0], 0, account(1), 1)))
    now = asyncio.run(node.query(lambda reader: (reader.state.balance(account(0)), reader.chain.cursor.seq)))
    assert now[0] == 1000 * 10**18 and now[1] <= seq + 1, "what the disk refused is not shown"
    node.stop()
    again = started(tmp_path)
    assert again.halted is None and again.view.seq >= seq
    again.stop()


def test_a_broken_invariant_stops_batches(tmp_path):
    node = started(tmp_path)

    def steal(core, producer):
        token = NETWORK.quote_token
        from coinone.rules.chain.genesis import balance_slot

        core.chain.state.set_storage(token.address, balance_slot(token.system_address), 1)

    asyncio.run(node.run_on_core(steal))
    assert "moved apart" in wait_for(lambda: node.halted, "the node halts")
    node.stop()


class ShortOfAGas:
    """An engine that counts one gas too many."""

    name = "wrong"

    def execute(self, evm: Evm, message: Message) -> ExecutionResult:
        result = REFERENCE.execute(evm, message)
        return result._replace(gas_left=result.gas_left - 1)


def test_two_engines_that_differ_stop_batches_and_the_difference_is_named(tmp_path):
    node = started(tmp_path, engine=Pair(REFERENCE, ShortOfAGas()))
    asyncio.run(node.submit_ethereum(transfer(KEYS[0], 0, NETWORK.quote_token.address, 0)))
    assert "gas left" in wait_for(lambda: node.halted, "the node halts")
    node.stop()


def test_who_waits_for_an_answer_is_told_when_the_node_stops(tmp_path):
    async def wait_for_answer(node):
        raw = order(KEYS[0], node.view.time_ms + 1, 0, True, "90000", "0.01")
        answer = asyncio.ensure_future(node.submit(raw))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(node.stop)
        return await asyncio.wait_for(answer, 30)

    node = started(tmp_path)
    node._roles.leader._next_batch += 60  # no batch in this test
    time.sleep(0.3)  # a batch that was due has closed
    node._roles.leader._next_batch += 60
    with pytest.raises(StorageError, match="stopp"):
        asyncio.run(wait_for_answer(node))
