"""A federation of four real nodes: batches by votes over sockets, equal blocks, changes of term, restarts."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode
from coinone.node.node import ChainReader, Node
from coinone.protocols.member.messages import Forward, encode_message
from coinone.rules.exchange.trading import open_orders
from coinone.rules.ledger.batch import CertifiedBatch
from tests.node.federation.members import Members, until
from tests.rules.chain.chain_world import KEYS, account, order, transfer


def orders_of(key: bytes) -> Callable[[ChainReader], int]:
    def count(reader: ChainReader) -> int:
        slot = reader.exchange.rows.slot_of(address_of(key))
        return 0 if slot is None else open_orders.count(reader.exchange, slot)

    return count


def balance(reader: ChainReader) -> int:
    return reader.state.balance(account(1))


async def until_is(node: Node, read: Callable[[ChainReader], int], wanted: int) -> None:
    for _ in range(200):
        if await node.query(read) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not in time")


def signers(members: Members, seq: int) -> list[int]:
    """Who signed the certificate of a batch that all have."""
    raw = next(iter(members.nodes.values())).storage.batch(seq)
    assert raw is not None
    return [member for member, _ in decode(CertifiedBatch, raw).certificate.signatures]


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    found = Members(tmp_path / "federation")
    yield found
    found.stop_all()


def test_batches_are_certified_by_three_of_four_and_all_make_the_same_blocks(members: Members) -> None:
    async def run() -> None:
        await until(lambda: min(members.seqs) >= 20, 60)
        await until(lambda: min(node.view.head.number for node in members.nodes.values()) >= 2)

    asyncio.run(run())
    for seq in range(1, 20):
        raws = [node.storage.batch(seq) for node in members.nodes.values()]
        batches = [decode(CertifiedBatch, raw) for raw in raws if raw]
        assert len(batches) == 4 and len({batch.batch.hash for batch in batches}) == 1
        assert all(len(batch.certificate.signatures) >= 3 for batch in batches)
    for number in (0, 1, 2):
        headers = [node.archive.header(number) for node in members.nodes.values()]
        assert len({header.hash for header in headers if header}) == 1


def test_orders_are_answered_at_any_member_and_seen_by_all(members: Members) -> None:
    async def run() -> None:
        await until(lambda: min(members.seqs) >= 3, 60)
        leader = await until(lambda: members.leader + 1) - 1
        nodes = [members.nodes[(leader + place) % 4] for place in range(4)]
        now_ms = nodes[0].view.time_ms
        actions = [order(KEYS[0], now_ms + 1 + n, 0, False, str(98_000 + n), "0.01") for n in range(4)]
        outcomes = await asyncio.gather(*[node.submit(raw) for node, raw in zip(nodes, actions, strict=True)])
        assert [outcome.status for outcome in outcomes] == ["executed"] * 4
        await until(lambda: min(members.seqs) >= max(outcome.seq for outcome in outcomes))
        assert [await each.query(orders_of(KEYS[0])) for each in nodes] == [4, 4, 4, 4]
        with pytest.raises(InvalidInput, match="nonce"):
            await nodes[1].submit(actions[2])
        with pytest.raises(InvalidInput):
            await nodes[0].hear((leader + 1) % 4, encode_message(Forward(b"\x70 no action")))
        before = await nodes[2].query(balance)
        await nodes[2].submit_ethereum(transfer(KEYS[0], 0, account(1), 10**18))
        for node in nodes:
            await until_is(node, balance, before + 10**18)

    asyncio.run(run())


def test_what_comes_to_a_member_while_no_leader_is_there_is_answered(members: Members) -> None:
    """The leader is gone when the client comes: the action reaches the next one."""

    async def run() -> None:
        await until(lambda: min(members.seqs) >= 3, 60)
        leader = await until(lambda: members.leader + 1) - 1
        await asyncio.to_thread(members.stop, leader)
        node = members.nodes[(leader + 2) % 4]
        raw = order(KEYS[0], node.view.time_ms + 1, 0, False, "98000", "0.01")
        assert (await asyncio.wait_for(node.submit(raw), 30)).status == "executed"

    asyncio.run(run())


def test_the_others_change_the_term_and_the_leader_comes_back_to_all_that_was_answered(
    members: Members,
) -> None:
    async def run() -> None:
        await until(lambda: min(members.seqs) >= 10, 60)
        leader = await until(lambda: members.leader + 1) - 1
        node = members.nodes[leader]
        outcome = await node.submit(order(KEYS[0], node.view.time_ms + 1, 0, False, "98000", "0.01"))
        await asyncio.to_thread(members.stop, leader)
        before = max(members.seqs)
        await until(lambda: min(members.seqs) >= before + 20, 60)
        assert members.leader not in (-1, leader)
        assert [await each.query(orders_of(KEYS[0])) for each in members.nodes.values()] == [1, 1, 1]
        await asyncio.to_thread(members.start, leader)
        await until(lambda: members.nodes[leader].view.seq >= before + 30, 60)
        assert outcome.seq <= before and await members.nodes[leader].query(orders_of(KEYS[0])) == 1
        await until(lambda: len({node.view.head.hash for node in members.nodes.values()}) == 1)
        newest = max(members.seqs)
        signed = [signers(members, seq) for seq in range(newest - 5, newest)]
        assert all(len(each) >= 3 for each in signed) and any(leader in each for each in signed)

    asyncio.run(run())


def test_all_stop_and_start_again_and_nothing_is_lost(members: Members) -> None:
    async def first() -> int:
        await until(lambda: min(members.seqs) >= 10, 60)
        leader = await until(lambda: members.leader + 1) - 1
        node = members.nodes[leader]
        return (await node.submit(order(KEYS[0], node.view.time_ms + 1, 0, False, "98000", "0.01"))).seq

    async def second(seq: int) -> None:
        await until(lambda: min(members.seqs) >= seq + 10, 60)
        assert [await each.query(orders_of(KEYS[0])) for each in members.nodes.values()] == [1, 1, 1, 1]

    seq = asyncio.run(first())
    members.stop_all()
    for number in range(4):
        members.start(number)
    asyncio.run(second(seq))


def test_two_of_four_certify_nothing_and_their_reads_are_answered(members: Members) -> None:
    async def run() -> None:
        await until(lambda: min(members.seqs) >= 5, 60)
        for number in (2, 3):
            await asyncio.to_thread(members.stop, number)
        await asyncio.sleep(2)
        before = members.seqs
        await asyncio.sleep(2)
        assert members.seqs == before and max(before) - min(before) <= 1
        for node in members.nodes.values():
            assert await asyncio.wait_for(node.query(lambda reader: reader.chain.cursor.seq), 5) > 0
            assert node.halted is None
        await asyncio.to_thread(members.start, 2)
        await until(lambda: min(members.seqs) >= max(before) + 5, 60)

    asyncio.run(run())
