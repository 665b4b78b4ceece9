"""A node with its peer thread: it proves its number, hears on the executor, and speaks through the thread's loop.

The federation has one member, so the node is made to believe that there are others; what they say is put in its place.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coinone.base.primitives.errors import DecodeError, InvalidInput, StorageError
from coinone.base.primitives.records import encode
from coinone.node.executor.core import Core
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.handshakes import Identity
from coinone.node.network.peering import Peering
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.protocols.relay.attestation import check_attestation
from coinone.protocols.relay.messages import PROTOCOL_VERSION, Attestation, Hello
from coinone.protocols.secure_channel.handshake import KeyPair
from tests.node.network.peer_nodes import stranger, until

NETWORK = load_network("dev")


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Node, Peering]]:
    monkeypatch.setattr(Node, "is_one_of_several", True)
    node = Node(NETWORK, tmp_path, map_size_bytes=2**28)
    node.start()
    peering = Peering(node, socket.create_server(("127.0.0.1", 0)), [])
    peering.start()
    try:
        yield node, peering
    finally:
        peering.stop()
        node.stop()


def test_a_member_proves_its_number_to_a_peer_by_the_key_in_genesis(member: tuple[Node, Peering]) -> None:
    node, peering = member
    block0 = node.archive.header(0)
    assert block0 is not None
    own = Identity(NETWORK.chain_id, block0.hash, KeyPair(b"\x09" * 32))

    async def proof_of() -> tuple[bytes, Attestation]:
        peer = await stranger(PeerAddress("127.0.0.1", peering.port or 0), own)
        await peer.say(Hello(PROTOCOL_VERSION, NETWORK.chain_id, encode(node.genesis), 0, 0))
        listening = asyncio.ensure_future(peer.heard())
        await until(lambda: peering.seen.connected == 1)
        await asyncio.sleep(0.2)
        await asyncio.get_running_loop().run_in_executor(None, peering.stop)
        [proof] = [message for message in await listening if isinstance(message, Attestation)]
        return peer.channel.handshake_hash, proof

    handshake_hash, proof = asyncio.run(proof_of())
    federation = node.genesis.federation
    check_attestation(federation, NETWORK.chain_id, handshake_hash, proof.member, proof.signature)
    assert proof.member == 0


def test_what_a_member_says_is_processed_on_the_executor_and_its_fault_is_passed_on(
    member: tuple[Node, Peering], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, peering = member
    heard: list[tuple[int, bytes, str]] = []

    def hear(core: Core, number: int, payload: bytes, now_ms: int) -> None:
        assert abs(now_ms - node.clock_ms) < 60_000
        if payload == b"malformed":
            raise DecodeError("no message between members")
        heard.append((number, payload, threading.current_thread().name))

    monkeypatch.setattr(Core, "hear", hear)
    asyncio.run(peering._hear(2, b"vote"))
    assert heard == [(2, b"vote", "coinone-executor")]
    with pytest.raises(InvalidInput, match="no message between members"):
        asyncio.run(peering._hear(2, b"malformed"))
    assert node.halted is None


def test_a_failing_disk_halts_the_node_and_blames_no_member(
    member: tuple[Node, Peering], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, peering = member
    calls = []

    def hear(*given: object) -> None:
        calls.append(given)
        raise StorageError("disk full")

    monkeypatch.setattr(Core, "hear", hear)
    asyncio.run(peering._hear(2, b"vote"))
    assert node.halted == "StorageError: disk full"
    asyncio.run(peering._hear(2, b"next"))
    assert len(calls) == 1


def test_what_the_node_says_leaves_through_the_loop_of_its_peers_and_after_its_end_nowhere(
    member: tuple[Node, Peering],
) -> None:
    node, peering = member
    network, said = peering._network, []
    assert network is not None
    network.say = lambda *given: said.append((*given, threading.current_thread().name))  # type: ignore[method-assign, func-returns-value]
    asyncio.run(node.query(lambda reader: node._core.say(1, b"vote")))
    asyncio.run(until(lambda: bool(said)))
    assert said == [(1, b"vote", "coinone-peers")]
    peering.stop()
    asyncio.run(node.query(lambda reader: node._core.say(1, b"late")))
    assert len(said) == 1
