"""Peers over real sockets on loopback: a follower catches up, and hostile ones cost nothing."""

import asyncio
import contextlib
import socket

import pytest
from structlog.testing import capture_logs

from coinone.base.primitives.records import encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.node.network import connection, peers
from coinone.node.network.addresses import PeerAddress
from coinone.node.storage.storage import FORMAT
from coinone.protocols.relay.framing import frame
from coinone.protocols.relay.limits import HELLO_BYTES_MAX
from coinone.protocols.relay.messages import (
    PROTOCOL_VERSION,
    GetBatches,
    Goodbye,
    Hello,
    Ping,
    encode_message,
)
from tests.node.network.peer_nodes import HELLO, Node, Stranger, make_batch, running, stranger, until


def test_a_late_follower_catches_up_and_then_gets_pushes() -> None:
    async def scenario() -> None:
        leader, follower = Node(*(make_batch(seq) for seq in range(1, 600))), Node()
        [address] = await running(leader)
        await follower.network.start(None, [address])
        await until(lambda: len(follower.kept) == 599)
        leader.kept[600] = encode(make_batch(600))
        leader.network.published(make_batch(600))
        await until(lambda: follower.kept == leader.kept)
        await follower.network.stop()
        await leader.network.stop()

    asyncio.run(scenario())


def test_a_follower_started_first_waits_for_its_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "RECONNECT_S", 0.05)

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        leader, follower = Node(make_batch(1)), Node()
        await follower.network.start(None, [PeerAddress("127.0.0.1", port)])
        await asyncio.sleep(0.1)
        await leader.network.start(socket.create_server(("127.0.0.1", port)), [])
        await until(lambda: follower.kept == leader.kept)
        await follower.network.stop()
        await leader.network.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xff\xff\xff\xff",
        bytes(4),
        frame(b"\xff"),
        frame(encode_message(Hello(PROTOCOL_VERSION, 1, ZERO_HASH, 9, 9))),
        b"GET / HTTP",
        (HELLO_BYTES_MAX + 1).to_bytes(4, "big"),  # a large frame, before hello
    ],
)
def test_a_hostile_peer_is_cut_and_the_node_goes_on(hostile: bytes) -> None:
    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        peer = await stranger(address)
        await peer.send(hostile)
        async with asyncio.timeout(5):
            assert [type(message) for message in await peer.heard()] == [Hello, Goodbye]
        assert node.network.peers == 0
        follower = Node()
        await follower.network.start(None, [address])
        await until(lambda: follower.kept == node.kept)
        await follower.network.stop()
        await node.network.stop()

    asyncio.run(scenario())


def test_a_new_format_of_the_folder_comes_with_a_new_version_between_peers() -> None:
    """Both count changes of the leaves or the rules, which genesis need not show: version 2 was that of format 4."""
    assert {b"4": 2, b"5": 3, b"6": 4, b"7": 5, b"8": 7}[FORMAT.partition(b".")[0]] == PROTOCOL_VERSION


def test_peers_together_hold_a_bounded_part_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sends most of a large frame and then waits: whoever has sent most is dropped."""
    monkeypatch.setattr(peers, "HELD_BYTES_MAX", 1_000_000)

    async def half_a_frame(address: PeerAddress, size: int) -> Stranger:
        peer = await stranger(address)
        await peer.say(HELLO)
        await peer.send((2_000_000).to_bytes(4, "big") + bytes(size))
        return peer

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        modest = await half_a_frame(address, 300_000)
        await until(lambda: node.network.peers == 1)
        greedy = await half_a_frame(address, 900_000)
        with contextlib.suppress(ConnectionError):
            await greedy.heard()  # to its end
        assert node.network.peers == 1 and not modest.reader.at_eof()
        await node.network.stop()

    asyncio.run(scenario())


def test_what_a_peer_asked_for_and_does_not_read_counts_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 7.9 MB, the system's buffers take some; the rest is in the transport's, and nothing in our queue."""

    async def scenario() -> None:
        node = Node(make_batch(1, bytes(7_900_000)))
        [address] = await running(node)
        modest = await greeted(address)
        await until(lambda: node.network.peers == 1)
        greedy = await greeted(address)
        await greedy.say(GetBatches(1, 1))
        await until(lambda: node.network.peers == 2)
        await asyncio.sleep(0.2)  # until the frame has left our queue
        assert node.network.peers == 2
        monkeypatch.setattr(peers, "HELD_BYTES_MAX", 1_000_000)
        await modest.say(Ping(0, 0))
        await until(lambda: node.network.peers == 1, 5.0)
        assert not modest.reader.at_eof()
        got = 0
        while part := await greedy.reader.read(2**20):
            got += len(part)
        assert got < 7_900_000, "what was unsent went with it, at once"
        await node.network.stop()

    asyncio.run(scenario())


async def greeted(address: PeerAddress) -> Stranger:
    """A peer with small buffers, which reads when it is told to."""
    peer = await stranger(address, receive_buffer=65_536)
    await peer.say(HELLO)
    return peer


def test_what_was_sent_no_longer_counts_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """599 batches come in three answers of at most 256; a peer may have little more than one of them unsent."""

    async def scenario() -> None:
        leader, follower = Node(*(make_batch(seq) for seq in range(1, 600))), Node()
        largest = sum(len(leader.kept[seq]) for seq in range(1, 257))
        monkeypatch.setattr(connection, "OUTBOX_BYTES_MAX", largest + 10_000)
        assert sum(map(len, leader.kept.values())) > 2 * largest
        [address] = await running(leader)
        await follower.network.start(None, [address])
        await until(lambda: follower.kept == leader.kept, 5.0)
        assert [each.held for each in leader.network._connections.values()] == [0]
        await follower.network.stop()
        await leader.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert not any(line.get("reason") == "too slow" for line in lines)


def test_a_peer_that_serves_a_forged_batch_is_dropped() -> None:
    async def scenario() -> None:
        liar, follower = Node(make_batch(1, b"forged")), Node()
        [address] = await running(liar)
        await follower.network.start(None, [address])
        await until(lambda: follower.refused > 0 and follower.network.peers == 0)
        assert follower.kept == {}
        await follower.network.stop()
        await liar.network.stop()

    asyncio.run(scenario())
