"""A request for many slots of one account is charged by their number, and delays nobody while they are read."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.interfaces.api.admission.queries import Queries
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.methods import state as state_methods
from coinone.interfaces.api.http.guard import Caller
from coinone.node.node import Node

ADDRESS = "0x00000000000000000000000000000000c0110001"
LOOP, BESIDE = "MainThread", "api-read_"
OTHER = "0x" + "11" * 20


class Asking:
    """Both methods of a node: what they cost beyond the call, and which threads looked into the state."""

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self._node = node
        self.spent: list[int] = []
        self.threads: set[str] = set()
        for name in ("prove", "word", "storage_slot"):
            monkeypatch.setattr(state_methods, name, self._noting(getattr(state_methods, name)))

    def _noting(self, work: Any) -> Any:
        def noted(*given: Any) -> Any:
            self.threads.add(threading.current_thread().name.rstrip("01"))
            return work(*given)

        return noted

    def answer(self, method: Any, *params: Any) -> Any:
        async def run() -> Any:
            reads = ChainReads(self._node, Queries(self._node))
            purse = SimpleNamespace(spend=self.spent.append)
            try:
                return await method(Context(SimpleNamespace(reads=reads), Caller.PROGRAM, purse), *params)  # type: ignore[arg-type]
            finally:
                reads.close()

        return asyncio.run(run())


@pytest.fixture
def asking(node: Node, monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(node, monkeypatch)


def keys(count: int) -> list[str]:
    return [hex(n) for n in range(count)]


@pytest.mark.parametrize("block", ["latest", "0x0"])  # the newest one of a node that has just begun
@pytest.mark.parametrize(
    ("count", "weight", "thread"), [(1, 0, LOOP), (16, 0, LOOP), (17, 0, BESIDE), (1024, 32, BESIDE)]
)
def test_many_slots_are_proved_beside_the_event_loop_and_paid_by_number(
    asking: Asking, block: str, count: int, weight: int, thread: str
) -> None:
    """1,024 / 32 = 32. All of them took 30 ms of the thread that answers everybody, for the weight of one."""
    proof = asking.answer(state_methods.get_proof, ADDRESS, keys(count), block)
    assert [row["key"] for row in proof["storageProof"]] == keys(count)
    assert (sum(asking.spent), asking.threads) == (weight, {thread})


@pytest.mark.parametrize(("count", "weight", "thread"), [(8, 0, LOOP), (9, 0, BESIDE), (512, 32, BESIDE)])
def test_many_slots_are_read_beside_the_event_loop_and_paid_by_number(
    asking: Asking, count: int, weight: int, thread: str
) -> None:
    """Of two accounts: 2 x 9 = 18 slots are more than 16; 2 x 512 / 32 = 32."""
    values = asking.answer(
        state_methods.get_storage_values, {ADDRESS: keys(count), OTHER: keys(count)}, "latest"
    )
    assert [len(words) for words in values.values()] == [count, count]
    assert (sum(asking.spent), asking.threads) == (weight, {thread})


def test_an_account_without_slots_counts_as_one(asking: Asking) -> None:
    wanted: dict[str, list[str]] = {f"0x{n:040x}": [] for n in range(1024)}
    with pytest.raises(RpcError, match="most 1024"):
        asking.answer(state_methods.get_storage_values, {**wanted, ADDRESS: ["0x0"]}, "latest")
    assert (
        asking.answer(state_methods.get_storage_values, {OTHER: [], ADDRESS: ["0x0"]}, "latest")[OTHER] == []
    )
