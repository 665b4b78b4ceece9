"""Nodes that follow: over real sockets they reach the leader's roots, across restarts, and refuse what is
forged."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.node.network.bootstrap import PeerUnreachable, fetch_genesis
from coinone.node.network.peers import Endpoint
from coinone.node.runtime.dev import Dev
from coinone.node.runtime.networks import load_network
from coinone.node.runtime.node import Node
from coinone.node.runtime.peering import Peering
from coinone.rules.chain.batch import CertifiedBatch, decode_certified

DEV = load_network("dev")
MAP_BYTES = 2**30
LOOPBACK = ("127.0.0.1", 0)


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def leading(folder: Path) -> Iterator[tuple[Node, Endpoint]]:
    node = Node(DEV, folder, map_size_bytes=MAP_BYTES)
    node.start()
    peering = Peering(node, socket.create_server(LOOPBACK), [])
    peering.start()
    try:
        yield node, Endpoint("127.0.0.1", peering.port or 0)
    finally:
        peering.stop()
        node.stop()


@contextmanager
def following(folder: Path, leader: Endpoint, listens: bool = False) -> Iterator[tuple[Node, Peering]]:
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
        until(lambda: leader.view.head.number >= 2)
        with following(tmp_path / "one", address, listens=True) as (one, relaying):
            second = Endpoint("127.0.0.1", relaying.port or 0)
            with following(tmp_path / "two", second) as (two, _):
                until(lambda: two.view.head.number >= 2)
                number = two.view.head.number
                assert roots(two, number) == roots(one, number) == roots(leader, number)
        behind = one.view.seq
        until(lambda: leader.view.seq > behind + 4)
        with following(tmp_path / "one", address) as (one, _):
            target = leader.view.head.number + 1
            until(lambda: one.view.head.number >= target)
            assert roots(one, target) == roots(leader, target)
            assert one.halted is None


def test_a_follower_makes_nothing_and_says_where_to_send_instead(tmp_path: Path) -> None:
    with leading(tmp_path / "leader") as (_, address), following(tmp_path / "one", address) as (one, _):
        assert one.follows
        with pytest.raises(NotSupported, match="this node follows the chain"):
            asyncio.run(Dev(one).faucet(b"\x11" * 20))


def test_a_batch_with_a_foreign_certificate_or_other_bytes_changes_nothing(tmp_path: Path) -> None:
    with leading(tmp_path / "leader") as (leader, address):
        until(lambda: leader.view.seq >= 3)
        genesis = asyncio.run(fetch_genesis(address, DEV.chain_id))
        raw = leader.storage.log.batches.get(1) or leader.storage.blocks.batch(1)
        assert raw is not None
    honest = decode_certified(raw)
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


def test_nobody_home_and_another_network_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PeerUnreachable, match="no Coinone node answers"):
        asyncio.run(fetch_genesis(Endpoint("127.0.0.1", 1), DEV.chain_id))
    with leading(tmp_path) as (_, address), pytest.raises(InvalidInput, match="another network"):
        asyncio.run(fetch_genesis(address, 1))
