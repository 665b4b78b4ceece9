"""Nodes that keep batches in a dictionary, and peers that say what a test wants, over real sockets on loopback."""

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import DecodeError, InvalidBatch
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.handshakes import Identity, open_channel
from coinone.node.network.peers import Item, PeerNetwork
from coinone.protocols.relay.attestation import sign_attestation
from coinone.protocols.relay.effects import Head
from coinone.protocols.relay.framing import FrameReader, frame
from coinone.protocols.relay.members import Attest
from coinone.protocols.relay.messages import PROTOCOL_VERSION, Hello, Message, decode_message, encode_message
from coinone.protocols.relay.relay import Relay
from coinone.protocols.secure_channel.channel import SecureChannel
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.protocols.secure_channel.limits import PLAIN_BYTES_MAX
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.certificate import Certificate

CHAIN_ID = 926002
GENESIS = b"\x11" * 32  # hash of block 0
HELLO = Hello(PROTOCOL_VERSION, CHAIN_ID, ZERO_HASH, 0, 0)


KEYS = [bytes(31) + bytes((number,)) for number in (1, 2, 3, 4)]  # of the federation
FEDERATION = Federation(tuple(map(address_of, KEYS)))


def attester(member: int) -> Attest:
    return lambda handshake_hash: (member, sign_attestation(CHAIN_ID, handshake_hash, KEYS[member]))


def make_batch(seq: int, body: bytes = b"tx") -> CertifiedBatch:
    batch = Batch(0, seq, ZERO_HASH, 0, ZERO_HASH, seq, 0, ZERO_HASH, None, 0, (body,))
    return CertifiedBatch(batch, Certificate(0, seq, batch.hash, ZERO_HASH, ()))


def identity(key: int = 1, chain_id: int = CHAIN_ID, genesis: bytes = GENESIS) -> Identity:
    return Identity(chain_id, genesis, KeyPair(bytes([key]) * 32))


class Node:
    """With `member`, it is that one of four members."""

    def __init__(
        self, *batches: CertifiedBatch, own: Identity | None = None, member: int | None = None
    ) -> None:
        self.kept = {one.batch.seq: encode(one) for one in batches}
        self.refused = 0
        self.heard: list[tuple[int, bytes]] = []
        self.pauses: dict[int, asyncio.Event] = {}  # it is done with a message of that member only then
        self.at_a_time = 0  # the most messages of one member that it was handed together
        self._handed: Counter[int] = Counter()
        attest = None if member is None else attester(member)
        self.relay = Relay(
            CHAIN_ID,
            ZERO_HASH,
            self,
            Head(len(batches), 0),
            lambda item: None,
            FEDERATION,
            attest,
            takes=member is None,
        )
        self.identity = own or identity()
        self.network = PeerNetwork(
            self.relay,
            self.apply,
            lambda: int(asyncio.get_running_loop().time() * 1000),
            self.identity,
            self.hear,
        )

    async def hear(self, member: int, payload: bytes) -> None:
        self._handed[member] += 1
        self.at_a_time = max(self.at_a_time, self._handed[member])
        await asyncio.sleep(0)
        if member in self.pauses:
            await self.pauses[member].wait()
        self._handed[member] -= 1
        if payload == b"malformed":
            raise DecodeError("no message between members")
        self.heard.append((member, payload))

    def heard_of(self, member: int) -> list[bytes]:
        return [payload for sender, payload in self.heard if sender == member]

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


class Stranger:
    """A peer that has opened its channel."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, channel: SecureChannel
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.channel = channel
        self._frames = FrameReader()

    async def say(self, *messages: Message) -> None:
        for message in messages:
            await self.send(frame(encode_message(message)))

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), PLAIN_BYTES_MAX):
            self.writer.write(self.channel.seal(data[start : start + PLAIN_BYTES_MAX]))
        await self.writer.drain()

    async def heard(self) -> list[Message]:
        """What the node says until it closes."""
        messages: list[Message] = []
        while data := await self.reader.read(2**16):
            for plaintext in self.channel.receive(data):
                messages += map(decode_message, self._frames.receive(plaintext))
        return messages


async def stranger(address: PeerAddress, own: Identity | None = None, receive_buffer: int = 0) -> Stranger:
    """A stranger that is through the handshake; with `receive_buffer`, one that reads when it is told to."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (address.host, address.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=2**10)
    opening = (own or identity(9)).opening(initiates=True, pinned=address.key)
    return Stranger(reader, writer, await open_channel(reader, writer, opening))


async def until(condition: object, timeout_s: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def running(*nodes: Node) -> list[PeerAddress]:
    for node in nodes:
        await node.network.start(socket.create_server(("127.0.0.1", 0)), [])
    return [PeerAddress("127.0.0.1", node.network.port or 0) for node in nodes]
