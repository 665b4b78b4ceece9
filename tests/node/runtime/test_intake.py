"""Transactions that come together: same outcomes as one by one, signatures recovered by another process or not."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import CURVE_ORDER
from coinone.base.forms.ethereum import decode_transaction, encode_transaction
from coinone.base.primitives.errors import CoinoneError, InvalidSignature, LimitExceeded
from coinone.node.executor import intake
from coinone.node.executor.signers import Signers
from coinone.node.limits import SIGNERS_POOL_LEAST
from coinone.node.networks import load_network
from coinone.node.node import Node
from tests.rules.chain.chain_world import KEYS, account, transfer

DEV = load_network("dev")
HOUR = replace(DEV, batches=replace(DEV.batches, interval_ms=3_600_000))  # everything stays in the pool


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


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "INTAKE_WAITING_MAX", 5)
    entered: list[bytes] = []

    async def enter(transactions):
        entered.extend(tx.encoded for tx in transactions)
        return [tx.hash for tx in transactions]

    async def work() -> list[object]:
        line = intake.Intake(enter, Signers(processes=0))
        raws = [transfer(KEYS[0], nonce, account(1), 1) for nonce in range(7)]
        return await asyncio.gather(*map(line.submit, raws), return_exceptions=True)

    found = asyncio.run(work())
    assert len(entered) == 5 and [isinstance(item, LimitExceeded) for item in found] == 5 * [False] + 2 * [
        True
    ]
