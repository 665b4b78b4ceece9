"""Simulated calls run beside the node, end in time whatever they execute, and do not delay another sender's."""

import asyncio
import os
import time
from collections.abc import Iterator

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.admission.sender import NOBODY, PURSE, Sender, unless_left
from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.ethereum.calls import lanes
from coinone.interfaces.api.ethereum.calls.lanes import Lanes
from coinone.interfaces.api.ethereum.calls.trials import warm_up
from coinone.interfaces.api.ethereum.calls.worker import Desk, OutOfTime, Stopwatch, metered
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.limits import PRECOMPILE_GAS_PER_S
from coinone.node.executor.workers import Servant, WorkerLost
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.vm.errors import OutOfGas
from coinone.rules.vm.precompiles import pay

ADDRESS = bytes(19) + b"\x09"


def contract(data: bytes, gas: int) -> tuple[int, bytes]:
    """Costs what its input says."""
    return pay(int.from_bytes(data, "big"), gas), b"done"


def run_metered(cost: int, gas: int, seconds: float) -> tuple[int, bytes]:
    return metered({ADDRESS: contract}, Stopwatch(seconds))[ADDRESS](cost.to_bytes(8, "big"), gas)


def test_a_precompiled_contract_gets_no_more_gas_than_the_time_left_allows() -> None:
    # half a second at 5 million gas a second is 2.5 million
    assert PRECOMPILE_GAS_PER_S == 5_000_000
    assert run_metered(2_000_000, 50_000_000, 0.5) == (2_000_000, b"done")
    with pytest.raises(OutOfTime):
        run_metered(2_600_000, 50_000_000, 0.5)


def test_one_that_lacks_gas_of_its_own_fails_as_ever() -> None:
    with pytest.raises(OutOfGas):
        run_metered(2_000, 1_000, 0.5)


def test_no_precompiled_contract_starts_after_the_time_is_over() -> None:
    with pytest.raises(OutOfTime):
        run_metered(0, 1_000, -1.0)


# Lanes, with jobs that need no contract


def short(job: str, desk: Desk) -> tuple[str, int]:
    return job, os.getpid()


def endless(job: None, desk: Desk) -> None:
    while True:
        desk.budget()


def stuck(job: None, desk: Desk) -> None:
    time.sleep(3600)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def made(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """Lanes of this module, since a process takes two seconds to start; long jobs have half a second."""
    node = Node(load_network("dev"), tmp_path_factory.mktemp("node"), map_size_bytes=2**28)
    node.start()
    reads = ChainReads(node, Queries(node))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "CALL_TIMEOUT_S", 0.5)
        lanes_of_node = Lanes(node, reads, warm_up)
        loop.run(lanes_of_node.start())
        yield lanes_of_node
    lanes_of_node.close()
    reads.close()
    node.stop()


def test_long_jobs_are_ended_and_keep_short_ones_waiting_only_briefly(
    loop: asyncio.Runner, made: Lanes
) -> None:
    async def use() -> None:
        hostile = [asyncio.create_task(made.run(endless, None, Sender("hostile"))) for _ in range(8)]
        await asyncio.sleep(0)
        honest = [await made.run(short, str(number), Sender("honest")) for number in range(3)]
        assert [name for name, _ in honest] == ["0", "1", "2"]
        assert all(pid != os.getpid() for _, pid in honest)
        assert not all(task.done() for task in hostile), "the honest ones waited for all of the hostile"
        for task in hostile:
            task.cancel()
        with pytest.raises(RpcError, match=r"timeout = 0\.5s"):
            await made.run(endless, None, Sender("another"))

    loop.run(use())


def test_a_process_that_does_not_answer_is_replaced(
    loop: asyncio.Runner, made: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use() -> None:
        _, before = await made.run(short, "", NOBODY)
        monkeypatch.setattr(lanes, "CALL_OVERRUN_S", 0.2)
        with pytest.raises(RpcError, match="the call's process ended"):
            await made.run(stuck, None, NOBODY)
        monkeypatch.undo()
        _, after = await made.run(short, "", NOBODY)
        assert after != before

    loop.run(use())


def test_no_job_runs_for_an_address_that_reads_none_of_its_answers(loop: asyncio.Runner, made: Lanes) -> None:
    """58 traces of 17 MB each, not read, took 743 MB. Two of them are more than 32 MiB."""
    purse = RateLimits(1200).purse("203.0.113.5")

    async def use() -> None:
        PURSE.set(purse)
        with purse.unread(17_400_000):
            assert (await made.run(short, "one", NOBODY))[0] == "one"
            with purse.unread(17_400_000), pytest.raises(LimitExceeded, match="too many answers unread"):
                await made.run(short, "two", NOBODY)
        assert (await made.run(short, "three", NOBODY))[0] == "three"

    loop.run(use())


def test_a_process_that_cannot_begin_is_an_error_not_a_wait() -> None:
    with pytest.raises(WorkerLost):
        Servant(os._exit, 3).ask("anything", 1.0)


# Senders


def test_work_is_cancelled_when_its_sender_leaves() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("work")

    async def left() -> None:
        await asyncio.sleep(0.01)

    with pytest.raises(HttpError, match="client left"):
        asyncio.run(unless_left(Sender("who", left), work()))
    assert ended == ["work"]


def test_work_that_ends_first_answers() -> None:
    async def work() -> str:
        return "answer"

    async def never() -> None:
        await asyncio.sleep(3600)

    assert asyncio.run(unless_left(Sender("who", never), work())) == "answer"
    assert asyncio.run(unless_left(NOBODY, work())) == "answer"
