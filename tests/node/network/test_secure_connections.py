"""What somebody on the way, or a stranger at the door, can do to connections between nodes: end them, and no more."""

import asyncio
import contextlib
import itertools
import os
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_bytes
from coinone.base.primitives.types import ZERO_HASH
from coinone.node.network import bootstrap, handshakes, peers
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.handshakes import Identity, open_channel
from coinone.protocols.relay.framing import frame
from coinone.protocols.relay.messages import Goodbye, Hello, encode_message
from coinone.protocols.secure_channel.errors import OtherNetwork
from coinone.protocols.secure_channel.handshake import SIZES
from coinone.protocols.secure_channel.opening import PREAMBLE_BYTES
from tests.node.network.peer_nodes import Node, identity, make_batch, running, stranger, until

Tamper = Callable[[int, bytes], bytes | None]
SECRET = b"what nobody on the way may read"


class Middle:
    """Somebody on the way: passes bytes on, and messages to the follower as `tamper` says; None cuts the connection."""

    def __init__(self, leader: PeerAddress, tamper: Tamper) -> None:
        self._leader = leader
        self._tamper = tamper
        self.to_leader = bytearray()
        self.to_follower = bytearray()
        self.connections = 0

    async def start(self, key: bytes | None = None) -> PeerAddress:
        """The address that a follower takes for the leader's."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return PeerAddress("127.0.0.1", self._server.sockets[0].getsockname()[1], key)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        leader_reader, leader_writer = await asyncio.open_connection(self._leader.host, self._leader.port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.gather(
                self._pass_on(reader, leader_writer), self._tamper_with(leader_reader, writer)
            )
        writer.close()
        leader_writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            self.to_leader += data
            writer.write(data)
        writer.close()

    async def _tamper_with(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for size in (PREAMBLE_BYTES, SIZES[1]):
            writer.write(await reader.readexactly(size))
        for number in itertools.count():
            header = await reader.readexactly(2)
            message = header + await reader.readexactly(int.from_bytes(header, "big"))
            self.to_follower += message
            passed = self._tamper(number, message)
            if passed is None:
                writer.write(message[:-1])
                raise ConnectionAbortedError
            writer.write(passed)


def once(number: int, what: Callable[[bytes], bytes | None]) -> tuple[Tamper, list[bytes]]:
    """Tampers with message `number` of the first connection that has one; the list says that it happened."""
    done: list[bytes] = []

    def tamper(at: int, message: bytes) -> bytes | None:
        if at == number and not done:
            done.append(message)
            return what(message)
        return message

    return tamper, done


def changed(message: bytes) -> bytes:
    place = len(message) // 2
    return message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (changed, "changed"),
        (lambda message: message * 2, "repeated"),
        (lambda message: b"", "left out"),
        (lambda message: None, None),  # cut off within the message
    ],
)
def test_whoever_changes_repeats_leaves_out_or_cuts_a_message_gets_nothing_taken(
    monkeypatch: pytest.MonkeyPatch, number: int, what: Callable[[bytes], bytes | None], reason: str | None
) -> None:
    """Message 0 is the leader's hello, 1 the answer with the batches. The follower goes on over a new connection."""
    monkeypatch.setattr(peers, "RECONNECT_S", 0.05)

    async def scenario() -> None:
        leader, follower = Node(*(make_batch(seq) for seq in range(1, 40))), Node(own=identity(2))
        [address] = await running(leader)
        tamper, done = once(number, what)
        middle = Middle(address, tamper)
        await follower.network.start(None, [await middle.start()])
        await until(lambda: bool(done))
        if what(b"x" * 40) == b"":  # the message that is missing is missed when the next one comes
            leader.kept[40] = leader.kept[39]
            leader.network.published(make_batch(40))
        await until(lambda: middle.connections == 2 and len(follower.kept) >= 39)
        assert follower.refused == 0 and follower.kept.items() <= leader.kept.items() | {
            (40, follower.kept.get(40))
        }
        await follower.network.stop()
        await leader.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    ends = [line["reason"] for line in lines if line["event"] == "peer dropped"]
    assert reason is None or any(reason in end for end in ends)


def test_somebody_on_the_way_reads_nothing_of_what_passes() -> None:
    async def scenario() -> None:
        leader, follower = Node(make_batch(1, SECRET)), Node(own=identity(2))
        [address] = await running(leader)
        middle = Middle(address, lambda number, message: message)
        await follower.network.start(None, [await middle.start(leader.identity.public_key)])
        await until(lambda: follower.kept == leader.kept)
        passed = bytes(middle.to_leader + middle.to_follower)
        assert len(passed) > 500 and SECRET in leader.kept[1]
        assert SECRET not in passed and leader.identity.public_key not in passed
        assert follower.identity.public_key not in passed
        await follower.network.stop()
        await leader.network.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("is_pinned", [True, False])
def test_a_node_that_answers_in_anothers_place_is_refused_by_its_key_if_one_is_pinned(
    monkeypatch: pytest.MonkeyPatch, is_pinned: bool
) -> None:
    """Without a pinned key it is taken for the leader, and only its key in the log tells."""
    monkeypatch.setattr(peers, "RECONNECT_S", 0.05)

    async def scenario() -> None:
        impostor, follower = Node(make_batch(1), own=identity(3)), Node(own=identity(2))
        [address] = await running(impostor)
        pinned = identity(1).public_key if is_pinned else None
        await follower.network.start(None, [replace(address, key=pinned)])
        await until(lambda: (len(lines) > 3) if is_pinned else (follower.kept == impostor.kept))
        assert bool(follower.kept) is not is_pinned
        await follower.network.stop()
        await impostor.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    shown = format_bytes(identity(3).public_key)
    if is_pinned:
        refusals = [line["reason"] for line in lines if "another key" in line.get("reason", "")]
        assert len(refusals) > 1 and all(f"have={shown}" in reason for reason in refusals)
        assert not any(line["event"] == "peer connected" for line in lines)
    else:
        assert any(line.get("key") == shown and line["pinned"] is False for line in lines)


def test_a_recorded_connection_cannot_be_played_again() -> None:
    """The other side's part of the secret is new for every connection."""

    async def scenario() -> None:
        leader, follower = Node(make_batch(1)), Node(own=identity(2))
        [address] = await running(leader)
        middle = Middle(address, lambda number, message: message)
        await follower.network.start(None, [await middle.start()])
        await until(lambda: follower.kept == leader.kept)
        await follower.network.stop()
        await until(lambda: leader.network.peers == 0)
        assert len(middle.to_leader) > PREAMBLE_BYTES + SIZES[0] + SIZES[2]
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(middle.to_leader)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert len(await reader.read()) <= PREAMBLE_BYTES + SIZES[1]
        await until(lambda: any("does not belong" in line.get("reason", "") for line in lines))
        assert leader.network.peers == 0
        await leader.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (identity(2, chain_id=1), "is on another network"),
        (identity(2, genesis=b"\x22" * 32), "is on another chain, with another genesis"),
        (replace(identity(2), version=8), "has other rules or messages (want=8, have=7)"),
    ],
)
def test_a_node_of_another_network_is_refused_by_name_on_both_sides(other: Identity, reason: str) -> None:
    async def scenario() -> None:
        node, follower = Node(make_batch(1)), Node(own=other)
        [address] = await running(node)
        await follower.network.start(None, [address])
        await until(lambda: len(lines) >= 2)
        assert node.network.peers == follower.network.peers == 0
        await follower.network.stop()
        await node.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    reasons = [line["reason"] for line in lines if line["event"] == "peer refused"]
    assert len(reasons) == 2 and any(each.startswith(reason) for each in reasons)


def test_whoever_joins_a_node_of_another_version_or_key_is_told_so() -> None:
    async def scenario() -> None:
        node = Node(make_batch(1), own=replace(identity(), version=8))
        [address] = await running(node)
        with pytest.raises(InvalidInput, match=r"is refused: has other rules or messages \(want=7, have=8\)"):
            await bootstrap.fetch_genesis(address, 926002)
        await node.network.stop()
        node = Node(make_batch(1), own=identity(3))
        [address] = await running(node)
        with pytest.raises(InvalidInput, match="is refused: proved another key than the pinned one"):
            await bootstrap.fetch_genesis(replace(address, key=identity(1).public_key), 926002)
        await node.network.stop()

    asyncio.run(scenario())


def test_a_node_never_answers_in_plain_text() -> None:
    """A node of version 4 spoke without encryption, and began with this."""
    hello = frame(encode_message(Hello(4, 926002, ZERO_HASH, 0, 0)))

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(hello.ljust(PREAMBLE_BYTES, b"\x80"))
        async with asyncio.timeout(5):
            assert len(await reader.read()) == PREAMBLE_BYTES  # the node's own, then the end
        assert node.network.peers == 0
        await node.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert "is no Coinone node that encrypts" in lines[0]["reason"]


def test_silent_connections_of_an_address_push_out_only_the_oldest_and_let_others_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKES_PER_ADDRESS_MAX", 4)

    async def scenario() -> None:
        node, follower = Node(make_batch(1)), Node(own=identity(2))
        [address] = await running(node)
        silent = [await asyncio.open_connection(address.host, address.port) for _ in range(4)]
        await until(lambda: len(node.network._handshakes) == 4)
        await follower.network.start(None, [address])
        await until(lambda: follower.kept == node.kept)
        async with asyncio.timeout(2):
            with contextlib.suppress(ConnectionError):
                await silent[0][0].read()  # cut: it ends
        assert len(node.network._handshakes) == 3 and not any(reader.at_eof() for reader, _ in silent[1:])
        await follower.network.stop()
        await node.network.stop()

    asyncio.run(scenario())


def test_handshakes_of_all_addresses_together_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKES_MAX", 3)

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        silent = [await asyncio.open_connection(address.host, address.port) for _ in range(5)]
        async with asyncio.timeout(2):
            for reader, _ in silent[:2]:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
        assert len(node.network._handshakes) == 3 and not any(reader.at_eof() for reader, _ in silent[2:])
        await (await stranger(address)).say()
        await node.network.stop()

    asyncio.run(scenario())


def test_one_address_alone_does_not_take_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PEERS_PER_ADDRESS_MAX", 2)

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        first, second, third = [await stranger(address) for _ in range(3)]
        async with asyncio.timeout(5):
            assert await third.heard() == [Goodbye("too many peers of one address")]
        assert node.network.peers == 2 and not first.reader.at_eof()
        second.writer.close()
        first.writer.close()
        await until(lambda: node.network.peers == 0)
        assert not node.network._incoming
        fourth, fifth = [await stranger(address) for _ in range(2)]  # the places are free again
        await until(lambda: node.network.peers == 2)
        assert not fourth.reader.at_eof() and not fifth.reader.at_eof()
        await node.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["reason"] for line in lines if line["event"] == "peer refused"] == [
        "too many peers of one address"
    ]


@pytest.mark.parametrize("said", [0, PREAMBLE_BYTES, PREAMBLE_BYTES + SIZES[0]])
def test_a_handshake_that_takes_too_long_is_cut(monkeypatch: pytest.MonkeyPatch, said: int) -> None:
    """After nothing, after the preamble, and after the first message."""
    monkeypatch.setattr(handshakes, "HANDSHAKE_S", 0.3)

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        opening = identity(2).opening(initiates=True)
        first = opening.take(identity().opening(initiates=False).begin())
        writer.write((opening.begin() + first)[:said])
        async with asyncio.timeout(3):
            await reader.read()
        assert len(node.network._handshakes) == node.network.peers == 0
        await node.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["reason"] for line in lines] == ["no handshake within 0.3 s"]


def test_one_address_begins_a_bounded_number_of_handshakes_in_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKES_PER_SECOND_MAX", 3)

    async def scenario() -> list[int]:
        node, answered = Node(make_batch(1)), []
        [address] = await running(node)
        node.network._handshakes._now_ms = lambda: now_ms
        for now_ms in (5_000, 5_200, 5_400, 5_900, 5_999, 6_000):
            reader, _ = await asyncio.open_connection(address.host, address.port)
            with contextlib.suppress(ConnectionError):
                if await reader.read(PREAMBLE_BYTES):
                    answered.append(now_ms)
        await node.network.stop()
        return answered

    assert asyncio.run(scenario()) == [5_000, 5_200, 5_400, 6_000]


def test_random_bytes_at_the_door_end_their_connection_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of them behind a right preamble, so that the handshake itself reads them."""
    monkeypatch.setattr(handshakes, "HANDSHAKES_PER_SECOND_MAX", 100)
    noise = random.Random(926002)

    async def scenario() -> int:
        node, ended = Node(make_batch(1)), 0
        [address] = await running(node)
        preamble = identity().opening(initiates=True).begin()
        for number in range(60):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(preamble * (number % 2) + noise.randbytes(noise.randrange(150, 70_000)))
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionError):
                    assert len(await reader.read()) <= PREAMBLE_BYTES + SIZES[1]
            writer.close()
            ended += 1
        follower = Node(own=identity(2))
        await follower.network.start(None, [address])
        await until(lambda: follower.kept == node.kept)
        await follower.network.stop()
        await node.network.stop()
        return ended

    with capture_logs() as lines:
        assert asyncio.run(scenario()) == 60
    assert sum(line["event"] == "peer refused" for line in lines) == 60


def test_a_node_of_another_genesis_is_refused_before_the_handshake_begins() -> None:
    """Refusing costs no multiplication on the curve."""

    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        opening = identity(2, genesis=os.urandom(32)).opening(initiates=True)
        with pytest.raises(OtherNetwork):
            await open_channel(reader, writer, opening)
        assert opening._handshake is None
        await node.network.stop()

    asyncio.run(scenario())


def test_a_stranger_whose_proof_is_wrong_does_not_become_a_peer() -> None:
    async def scenario() -> None:
        node = Node(make_batch(1))
        [address] = await running(node)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        opening = identity(2).opening(initiates=True)
        writer.write(opening.begin())
        writer.write(opening.take(await reader.readexactly(opening.wants)))
        proof = opening.take(await reader.readexactly(opening.wants))
        writer.write(changed(proof))
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert node.network.peers == 0
        await node.network.stop()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert "does not belong to this handshake" in lines[0]["reason"]
