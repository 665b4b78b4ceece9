"""Peers over real sockets on loopback: a follower catches up, and hostile ones cost nothing."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

import pytest

from coinone.base.primitives.errors import InvalidBatch, InvalidInput, NotSupported
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.node.network import bootstrap, peers
from coinone.node.network.peers import Item, PeerAddress, PeerNetwork, parse_endpoint
from coinone.node.storage.storage import FORMAT
from coinone.protocols.relay import messages
from coinone.protocols.relay.effects import Head
from coinone.protocols.relay.framing import frame
from coinone.protocols.relay.limits import HELLO_BYTES_MAX
from coinone.protocols.relay.messages import PROTOCOL_VERSION, GetBatches, Hello, Ping, encode_message
from coinone.protocols.relay.relay import Relay
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.certificate import Certificate

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def make_batch(seq: int, body: bytes = b"tx") -> CertifiedBatch:
    batch = Batch(0, seq, ZERO_HASH, 0, ZERO_HASH, seq, 0, ZERO_HASH, None, 0, (body,))
    return CertifiedBatch(batch, Certificate(0, seq, batch.hash, ZERO_HASH, ()))


class Node:
    def __init__(self, *batches: CertifiedBatch) -> None:
        self.kept = {one.batch.seq: encode(one) for one in batches}
        self.refused = 0
        self.relay = Relay(926002, ZERO_HASH, self, Head(len(batches), 0), lambda item: None)
        self.network = PeerNetwork(
            self.relay, self.apply, lambda: int(asyncio.get_running_loop().time() * 1000)
        )

    async def apply(self, item: Item) -> None:
        assert isinstance(item, CertifiedBatch)
        if item.batch.transactions == (b"forged",):
            self.refused += 1
            raise InvalidBatch("forged")
        self.kept[item.batch.seq] = encode(item)

    def batches(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return [self.kept[seq] for seq in range(first, first + count) if seq in self.kept]

    def blocks(self, first: int, count: int, bytes_max: int) -> Sequence[bytes]:
        return []


async def until(condition: object, timeout_s: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def running(*nodes: Node) -> list[PeerAddress]:
    for node in nodes:
        await node.network.start(socket.create_server(("127.0.0.1", 0)), [])
    return [PeerAddress("127.0.0.1", node.network.port or 0) for node in nodes]


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
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(hostile)
        async with asyncio.timeout(5):
            assert b"" in (await reader.read(), await reader.read())  # hello and goodbye, then the end
        assert node.network.peers == 0
        follower = Node()
        await follower.network.start(None, [address])
        await until(lambda: follower.kept == node.kept)
        await follower.network.stop()
        await node.network.stop()

    asyncio.run(scenario())


def test_a_new_format_of_the_folder_comes_with_a_new_version_between_peers() -> None:
    """Both count changes of the leaves, which genesis need not show: version 2 was that of format 4."""
    assert {b"4": 2, b"5": 3, b"6": 4, b"7": 5}[FORMAT.partition(b".")[0]] == PROTOCOL_VERSION


def test_whoever_joins_a_node_of_another_version_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        monkeypatch.setattr(messages, "PROTOCOL_VERSION", 2)
        with pytest.raises(InvalidInput, match=r"is refused: has other rules or messages \(want=2, have=5\)"):
            await bootstrap.fetch_genesis(address, 926002)
        await node.network.stop()

    asyncio.run(scenario())


def test_peers_together_hold_a_bounded_part_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sends most of a large frame and then waits: whoever has sent most is dropped."""
    monkeypatch.setattr(peers, "HELD_BYTES_MAX", 1_000_000)

    async def half_a_frame(address: PeerAddress, size: int) -> Streams:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(frame(encode_message(Hello(PROTOCOL_VERSION, 926002, ZERO_HASH, 0, 0))))
        writer.write((2_000_000).to_bytes(4, "big") + bytes(size))
        await writer.drain()
        return reader, writer  # a writer that nobody holds closes its connection

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        modest, _modest_writer = await half_a_frame(address, 300_000)
        await until(lambda: node.network.peers == 1)
        greedy, _greedy_writer = await half_a_frame(address, 900_000)
        with contextlib.suppress(ConnectionError):
            await greedy.read()  # to its end
        assert node.network.peers == 1 and not modest.at_eof()
        await node.network.stop()

    asyncio.run(scenario())


def test_what_a_peer_asked_for_and_does_not_read_counts_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 7.9 MB, the system's buffers take some; the rest is in the transport's, and nothing in our queue."""

    async def scenario() -> None:
        node = Node(make_batch(1, bytes(7_900_000)))
        [address] = await running(node)
        modest, modest_writer = await greeted(address)
        await until(lambda: node.network.peers == 1)
        greedy, greedy_writer = await greeted(address)
        greedy_writer.write(frame(encode_message(GetBatches(1, 1))))
        await until(lambda: node.network.peers == 2)
        await asyncio.sleep(0.2)  # until the frame has left our queue
        assert node.network.peers == 2
        monkeypatch.setattr(peers, "HELD_BYTES_MAX", 1_000_000)
        modest_writer.write(frame(encode_message(Ping(0, 0))))
        await until(lambda: node.network.peers == 1, 5.0)
        assert not modest.at_eof()
        got = 0
        while part := await greedy.read(2**20):
            got += len(part)
        assert got < 7_900_000, "what was unsent went with it, at once"
        await node.network.stop()

    asyncio.run(scenario())


async def greeted(address: PeerAddress) -> Streams:
    """A peer with small buffers, which reads when it is told to."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (address.host, address.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=2**10)
    writer.write(frame(encode_message(Hello(PROTOCOL_VERSION, 926002, ZERO_HASH, 0, 0))))
    await writer.drain()
    return reader, writer


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


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:１", ":30301", "x:1x"]
)
def test_a_peer_is_written_host_and_port(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_endpoint(text)


@pytest.mark.parametrize("text", ["10.0.0.1:30301", "0.0.0.0:30301", "example.org:30301"])
def test_another_machine_is_refused_while_connections_are_plain(text: str) -> None:
    with pytest.raises(NotSupported, match="not encrypted"):
        parse_endpoint(text)


def test_both_loopbacks_are_accepted() -> None:
    assert parse_endpoint("127.0.0.1:30301") == PeerAddress("127.0.0.1", 30301)
    assert parse_endpoint("[::1]:30301") == PeerAddress("::1", 30301)
