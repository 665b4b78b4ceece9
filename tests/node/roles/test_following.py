"""Nodes that follow: over real sockets they reach the leader's roots, across restarts, and refuse what is
forged."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput, LimitExceeded, NotSupported, StorageError
from coinone.base.primitives.records import decode
from coinone.node.dev.tools import Dev
from coinone.node.executor import executor
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.bootstrap import PeerUnreachable, fetch_genesis
from coinone.node.network.peering import Peering
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.roles import block_pipeline
from coinone.rules.chain.genesis import Genesis
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from tests.functional.waiting import wait_for

DEV = load_network("dev")
MAP_BYTES = 2**30
LOOPBACK = ("127.0.0.1", 0)


@contextmanager
def leading(folder: Path) -> Iterator[tuple[Node, PeerAddress]]:
    node = Node(DEV, folder, map_size_bytes=MAP_BYTES)
    node.start()
    peering = Peering(node, socket.create_server(LOOPBACK), [])
    peering.start()
    try:
        yield node, PeerAddress("127.0.0.1", peering.port or 0)
    finally:
        peering.stop()
        node.stop()


@contextmanager
def following(folder: Path, leader: PeerAddress, listens: bool = False) -> Iterator[tuple[Node, Peering]]:
    genesis = asyncio.run(fetch_genesis(leader, DEV.chain_id))
    node = Node(DEV, folder, map_size_bytes=MAP_BYTES, genesis=genesis)
    node.start()
    peering = Peering(node, socket.create_server(LOOPBACK) if listens else None, [leader])
    peering.start()
    try:
        yield node, peering
    finally:
        peering.stop()
        node.stop()


def roots(node: Node, number: int) -> tuple[bytes, bytes, bytes]:
    header = node.archive.header(number)
    assert header is not None
    return header.hash, header.state_root, header.exchange_root


def test_two_followers_in_a_line_reach_the_leaders_roots_and_go_on_after_a_restart(tmp_path: Path) -> None:
    with leading(tmp_path / "leader") as (leader, address):
        asyncio.run(Dev(leader).faucet(b"\x11" * 20))
        wait_for(lambda: leader.view.head.number >= 2, "the leader's second block")
        with following(tmp_path / "one", address, listens=True) as (one, relaying):
            second = PeerAddress("127.0.0.1", relaying.port or 0)
            with following(tmp_path / "two", second) as (two, _):
                wait_for(lambda: two.view.head.number >= 2, "the second follower's second block")
                number = two.view.head.number
                assert roots(two, number) == roots(one, number) == roots(leader, number)
        behind = one.view.seq
        wait_for(lambda: leader.view.seq > behind + 4, "batches that the follower has not")
        with following(tmp_path / "one", address) as (one, _):
            target = leader.view.head.number + 1
            wait_for(lambda: one.view.head.number >= target, "the follower's way to the leader's block")
            assert roots(one, target) == roots(leader, target)
            assert one.halted is None


def test_a_node_proves_one_key_at_every_start_and_keeps_it_to_itself(tmp_path: Path) -> None:
    file = tmp_path / "leader" / "keys" / "transport"
    with leading(tmp_path / "leader") as (leader, address):
        key = Peering(leader, None, []).public_key
        assert file.stat().st_mode & 0o777 == 0o600
        assert asyncio.run(fetch_genesis(replace(address, key=key), DEV.chain_id)) == leader.genesis
    with leading(tmp_path / "leader") as (leader, _):
        assert Peering(leader, None, []).public_key == key
        file.chmod(0o644)
        with pytest.raises(StorageError, match="open to others"):
            Peering(leader, None, [])


def test_a_folder_made_before_connections_were_encrypted_gets_a_key(tmp_path: Path) -> None:
    """The key belongs to no chain: the others of a folder are not replaced when they are gone, this one is."""
    with leading(tmp_path / "leader") as (leader, _):
        key = Peering(leader, None, []).public_key
    (tmp_path / "leader" / "keys" / "transport").unlink()
    with leading(tmp_path / "leader") as (leader, _):
        assert Peering(leader, None, []).public_key != key


def test_a_follower_makes_nothing_and_says_where_to_send_instead(tmp_path: Path) -> None:
    with leading(tmp_path / "leader") as (_, address), following(tmp_path / "one", address) as (one, _):
        assert one.follows
        with pytest.raises(NotSupported, match="this node follows the chain"):
            asyncio.run(Dev(one).faucet(b"\x11" * 20))


def test_a_batch_with_a_foreign_certificate_or_other_bytes_changes_nothing(tmp_path: Path) -> None:
    with leading(tmp_path / "leader") as (leader, address):
        wait_for(lambda: leader.view.seq >= 3, "three batches")
        genesis = asyncio.run(fetch_genesis(address, DEV.chain_id))
        raw = leader.storage.log.batches.get(1) or leader.storage.blocks.batch(1)
        assert raw is not None
    honest = decode(CertifiedBatch, raw)
    follower = Node(DEV, tmp_path / "follower", map_size_bytes=MAP_BYTES, genesis=genesis)
    follower.start()
    later = replace(honest.batch, time_ms=honest.batch.time_ms + 1)
    signature = bytes([honest.certificate.signatures[0][1][0] ^ 1]) + honest.certificate.signatures[0][1][1:]
    forged = (
        CertifiedBatch(later, honest.certificate),
        CertifiedBatch(later, replace(honest.certificate, batch_hash=later.hash)),
        CertifiedBatch(honest.batch, replace(honest.certificate, signatures=())),
        CertifiedBatch(honest.batch, replace(honest.certificate, signatures=((0, signature),))),
    )
    try:
        for item in forged:
            with pytest.raises(InvalidInput):
                asyncio.run(follower.follow(item))
            assert (follower.view.seq, follower.halted) == (0, None)
        asyncio.run(follower.follow(honest))
        assert follower.view.seq == 1
    finally:
        follower.stop()


def stopped_leader(folder: Path) -> tuple[Genesis, Block, list[CertifiedBatch]]:
    """What a leader left behind: its genesis, its first block with batches, and these."""
    with leading(folder) as (leader, _):
        asyncio.run(Dev(leader).faucet(b"\x11" * 20))
        wait_for(lambda: leader.view.head.batch_seq > 0, "a block with batches")
        block = leader.archive.block(1)
        assert block is not None
        batches = [leader.archive.batch(seq) for seq in range(1, block.header.batch_seq + 1)]
        return leader.genesis, block, [batch for batch in batches if batch is not None]


@contextmanager
def fed(folder: Path, genesis: Genesis, batches: list[CertifiedBatch]) -> Iterator[Node]:
    """A follower that has taken `batches` by hand."""
    node = Node(DEV, folder, map_size_bytes=MAP_BYTES, genesis=genesis)
    node.start()
    try:
        for batch in batches:
            asyncio.run(node.follow(batch))
        yield node
    finally:
        node.stop()


def test_a_follower_answers_queries_between_the_slices_of_a_block_and_announces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genesis, block, batches = stopped_leader(tmp_path / "leader")
    monkeypatch.setattr(block_pipeline, "SEAL_SLICE_MS", -1)  # a step a visit

    async def follow(node: Node) -> tuple[list[int], list[int]]:
        stream, heads, taken = node.subscribe(), [], asyncio.create_task(node.follow(block))
        while not taken.done():
            heads.append(await node.query(lambda reader: reader.head.number))
        await taken
        published = await stream.get()
        assert published is not None
        return heads, [new.block.number for new in published.blocks]

    with fed(tmp_path / "follower", genesis, batches) as node:
        heads, announced = asyncio.run(follow(node))
        assert heads.count(0) > 3 and announced == [1]
        assert node.view.head == block.header and node.halted is None


def test_a_follower_whose_disk_fails_shows_only_what_it_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genesis, block, (first, *rest) = stopped_leader(tmp_path / "leader")

    def full(*arguments: object) -> None:
        raise StorageError("no space left on device")

    def shown(node: Node) -> tuple[int, int]:
        return asyncio.run(node.query(lambda reader: (reader.chain.cursor.seq, reader.head.number)))

    with fed(tmp_path / "log", genesis, [first]) as node:
        monkeypatch.setattr(node.storage.log, "append", full)
        with pytest.raises(StorageError, match="no space left"):
            asyncio.run(node.follow(rest[0]))
        assert shown(node) == (1, 0) and node.disk_failed
    with fed(tmp_path / "store", genesis, [first, *rest]) as node:
        monkeypatch.setattr(node.storage.store, "write", full)
        with pytest.raises(StorageError, match="no space left"):
            asyncio.run(node.follow(block))
        assert shown(node) == (len(rest) + 1, 0) and node.disk_failed


def test_a_follower_whose_clients_fill_its_queue_takes_what_its_peer_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genesis, block, batches = stopped_leader(tmp_path / "leader")
    monkeypatch.setattr(executor, "EXECUTOR_JOBS_MAX", 0)  # as full as it can be
    with fed(tmp_path / "follower", genesis, batches) as node:
        with pytest.raises(LimitExceeded, match="overloaded"):
            asyncio.run(node.query(lambda reader: reader.head.number))
        asyncio.run(node.follow(block))
        assert (node.view.seq, node.view.head.number) == (len(batches), 1)


def test_nobody_home_and_another_network_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PeerUnreachable, match="no Coinone node answers"):
        asyncio.run(fetch_genesis(PeerAddress("127.0.0.1", 1), DEV.chain_id))
    with leading(tmp_path) as (_, address), pytest.raises(InvalidInput, match="another network"):
        asyncio.run(fetch_genesis(address, 1))
