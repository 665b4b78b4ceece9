"""Transactions that come together: same outcomes as one by one, signatures recovered by another process or not."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import CURVE_ORDER
from coinone.base.forms.ethereum import decode_transaction, encode_transaction
from coinone.base.primitives.errors import CoinoneError, InvalidSignature, StorageError
from coinone.node.executor import intake
from coinone.node.executor.executor import Overloaded
from coinone.node.executor.signers import Signers
from coinone.node.limits import SIGNERS_POOL_LEAST
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.exchange.wire import decode_envelope, encode_envelope
from tests.rules.chain.chain_world import KEYS, account, order, transfer

DEV = load_network("dev")
HOUR = replace(DEV, batches=replace(DEV.batches, interval_ms=3_600_000))  # everything stays in the pool
QUICK = replace(DEV, batches=replace(DEV.batches, interval_ms=20))


def mixed(count: int) -> list[bytes]:
    """Transfers of ten senders in the order of their nonces; every seventh has a signature with a high s, every
    eleventh no funds."""
    raws, nonces = [], [0] * 10
    for number in range(count):
        sender = number % 10
        raw = transfer(KEYS[sender], nonces[sender], account(0), 10**30 if number % 11 == 0 else number)
        if number % 7 == 0:
            tx = decode_transaction(raw)
            raw = encode_transaction(replace(tx, s=CURVE_ORDER - tx.s, v=1 - tx.v))
        elif number % 11:
            nonces[sender] += 1
        raws.append(raw)
    return raws


async def outcome_of(node: Node, raw: bytes) -> str:
    try:
        return (await node.submit_ethereum(raw)).hex()
    except CoinoneError as error:
        return f"{type(error).__name__}: {error}"


def test_together_transactions_have_the_outcomes_they_have_one_by_one(tmp_path: Path) -> None:
    raws = mixed(4 * SIGNERS_POOL_LEAST)

    async def together(node: Node) -> list[str]:
        return await asyncio.gather(*(outcome_of(node, raw) for raw in raws))

    async def one_by_one(node: Node) -> list[str]:
        return [await outcome_of(node, raw) for raw in raws]

    found = []
    for name, way in (("a", together), ("b", one_by_one)):
        node = Node(HOUR, tmp_path / name, map_size_bytes=2**28)
        node.start()
        outcomes = asyncio.run(way(node))
        pooled = asyncio.run(node.run_on_core(lambda core, producer: len(core.ethereum_pool)))
        node.stop()
        found.append((outcomes, pooled))
    assert found[0] == found[1]
    outcomes, pooled = found[0]
    assert (
        pooled
        == sum(outcome == keccak256(raw).hex() for raw, outcome in zip(raws, outcomes, strict=True))
        > 90
    )
    assert sum(outcome.startswith("InvalidSignature") for outcome in outcomes) == len(raws[::7])
    assert any("insufficient funds" in outcome for outcome in outcomes)


def test_another_process_recovers_the_same_senders_and_none_where_the_signature_does_not_hold() -> None:
    signers = Signers(processes=1)
    transactions = [decode_transaction(raw) for raw in mixed(SIGNERS_POOL_LEAST)]
    signers.start().result(60)
    asyncio.run(signers.recover(transactions))
    signers.close()
    bad = transactions[::7]
    assert signers.recovered_beside == len(transactions) - len(bad)
    for number, tx in enumerate(transactions):
        if number % 7 == 0:
            with pytest.raises(InvalidSignature):
                _ = tx.sender
        else:
            assert "sender" in tx.__dict__ and tx.sender == account(number % 10) == replace(tx).sender


def test_if_the_other_process_dies_signatures_are_recovered_here() -> None:
    async def work(signers: Signers) -> None:
        raws = mixed(SIGNERS_POOL_LEAST)
        await asyncio.wrap_future(signers.start())
        await signers.recover([decode_transaction(raw) for raw in raws])
        beside = signers.recovered_beside
        assert signers._pool is not None and beside > 0
        for process in signers._pool._processes.values():
            process.kill()
            process.join()
        transactions = [decode_transaction(raw) for raw in raws]
        await signers.recover(transactions)
        await signers.recover(transactions)
        assert signers.recovered_beside == beside and signers._pool is None
        assert transactions[1].sender == account(1)

    asyncio.run(work(Signers(processes=1)))


def test_few_signatures_or_a_single_processor_start_no_other_process() -> None:
    transactions = [decode_transaction(raw) for raw in mixed(SIGNERS_POOL_LEAST)]
    for signers, some in ((Signers(processes=1), transactions[1:]), (Signers(processes=0), transactions)):
        asyncio.run(signers.recover(some))
        assert signers._pool is None and signers.recovered_beside == 0


def test_while_the_other_process_starts_nobody_waits_for_it() -> None:
    async def work(signers: Signers) -> int:
        transactions = [decode_transaction(raw) for raw in mixed(SIGNERS_POOL_LEAST)]
        await signers.recover(transactions)
        beside = signers.recovered_beside
        await asyncio.wrap_future(signers.start())
        await signers.recover(transactions)
        return beside

    signers = Signers(processes=1)
    assert asyncio.run(work(signers)) == 0 < signers.recovered_beside
    signers.close()


class Executor:
    """Runs each visit's jobs, and notes of whom they were."""

    def __init__(self) -> None:
        self.visits: list[tuple[bool, list[Any]]] = []

    async def __call__(self, job: Callable[[], list[Any]], first: bool) -> list[Any]:
        await asyncio.sleep(0.01)
        outcomes = job()
        self.visits.append((first, outcomes))
        return outcomes


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "INTAKE_WAITING_MAX", 5)

    async def work() -> list[object]:
        line = intake.Intake(Executor(), Signers(processes=0))
        return await asyncio.gather(
            *(line.submit([], partial(int, number)) for number in range(8)), return_exceptions=True
        )

    found = asyncio.run(work())
    assert found[:6] == [0, 1, 2, 3, 4, 5], "one on its way, and five that wait"
    assert [type(item) for item in found[6:]] == [Overloaded, Overloaded]


def test_alone_one_goes_immediately_those_that_come_meanwhile_together_and_cancels_before_them() -> None:
    async def work(executor: Executor) -> None:
        line = intake.Intake(executor, Signers(processes=0))
        alone = asyncio.ensure_future(line.submit([], lambda: "alone"))
        await asyncio.sleep(0)  # it is under way
        names = ["a", "b", "c"]
        together = [line.submit([], partial(str, name), first=False) for name in names]
        cancel = line.submit([], lambda: "cancel", first=True)
        assert await asyncio.gather(alone, *together, cancel) == ["alone", "a", "b", "c", "cancel"]

    executor = Executor()
    asyncio.run(work(executor))
    assert sorted(executor.visits) == [(False, ["a", "b", "c"]), (False, ["alone"]), (True, ["cancel"])]


def test_one_that_fails_spoils_nothing_for_those_that_go_with_it_and_who_left_does_not_enter() -> None:
    def fail() -> None:
        raise StorageError("no space left on device")

    async def work(executor: Executor) -> list[object]:
        line = intake.Intake(executor, Signers(processes=0))
        tx = decode_transaction(mixed(1)[0])  # whose signature does not hold
        tasks = [
            asyncio.ensure_future(line.submit(signed, enter))
            for signed, enter in (
                ([], lambda: 1),
                ([], fail),
                ([tx], lambda: 2),
                ([], lambda: 3),
                ([], lambda: 4),
            )
        ]
        await asyncio.sleep(0)
        tasks[3].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    executor = Executor()
    found = asyncio.run(work(executor))
    assert [type(item) for item in found] == [
        int,
        StorageError,
        InvalidSignature,
        asyncio.CancelledError,
        int,
    ]
    assert [len(outcomes) for _, outcomes in executor.visits] == [1, 2]


def orders(node: Node, count: int) -> list[bytes]:
    """Of ten accounts; every seventh has a signature that does not hold, every eleventh is of a stranger."""
    raws = []
    for number in range(count):
        key = b"\x07" * 32 if number % 11 == 0 else KEYS[number % 10]
        raw = order(key, node.view.time_ms + number, 0, True, "90000", "0.001")
        if number % 7 == 0:
            envelope = decode_envelope(raw)
            raw = encode_envelope(replace(envelope, s=CURVE_ORDER - envelope.s))
        raws.append(raw)
    return raws


def test_together_orders_have_the_outcomes_they_have_one_by_one_and_signers_are_recovered_beside(
    tmp_path: Path,
) -> None:
    async def outcome(node: Node, raw: bytes) -> str:
        try:
            return (await node.submit(raw)).status
        except CoinoneError as error:
            return f"{type(error).__name__}: {error}"

    async def together(node: Node) -> list[str]:
        await asyncio.wrap_future(node._signers.start())
        return await asyncio.gather(*(outcome(node, raw) for raw in orders(node, 3 * SIGNERS_POOL_LEAST)))

    async def one_by_one(node: Node) -> list[str]:
        return [await outcome(node, raw) for raw in orders(node, 3 * SIGNERS_POOL_LEAST)]

    found, beside = [], []
    for name, way in (("a", together), ("b", one_by_one)):
        node = Node(QUICK, tmp_path / name, map_size_bytes=2**28)
        node._signers = node._intake._signers = Signers(processes=1)
        node.start()
        found.append(asyncio.run(way(node)))
        beside.append(node._signers.recovered_beside)
        node.stop()
    assert found[0] == found[1] and found[0].count("executed") > 70
    assert sum(one.startswith("InvalidSignature: signature: s") for one in found[0]) == 14
    assert any("does not exist" in one for one in found[0])
    assert beside[0] >= 3 * SIGNERS_POOL_LEAST - 14 - 1 and beside[1] == 0
