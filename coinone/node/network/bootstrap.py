"""Join a network for the first time: fetch its genesis from the peer that the operator named.

The peer proves its key first; whether it is the right peer only a pinned key can say. Everything later is checked
against the genesis. On dev the genesis is made at the first start of the leader, so no
file could hold it; a launched network's genesis will come with the release instead.
"""

import asyncio
import contextlib

from coinone.base.primitives.errors import CoinoneError, DecodeError, InvalidInput
from coinone.base.primitives.records import decode
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.handshakes import open_channel, passing_identity
from coinone.node.network.peers import CONNECT_TIMEOUT_S, READ_BYTES
from coinone.protocols.relay.framing import FrameReader
from coinone.protocols.relay.limits import HELLO_BYTES_MAX
from coinone.protocols.relay.messages import Goodbye, Hello, decode_message
from coinone.rules.chain.genesis import Genesis


class PeerUnreachable(CoinoneError):
    """The peer does not answer, or not in time."""


async def fetch_genesis(endpoint: PeerAddress, chain_id: int) -> Genesis:
    """Fetch the genesis from a peer. Raises PeerUnreachable, or InvalidInput for another version or network."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            hello = await _first_message(endpoint, chain_id)
    except (OSError, TimeoutError) as error:
        raise PeerUnreachable(f"no Coinone node answers at {endpoint}") from error
    except DecodeError as error:
        raise InvalidInput(f"the node at {endpoint} is refused: {error}") from error
    if isinstance(hello, Goodbye):
        raise PeerUnreachable(f"the node at {endpoint} accepts no peers: {hello.reason}")
    if not isinstance(hello, Hello):
        raise InvalidInput("the peer sent something before its hello", peer=endpoint)
    if hello.chain_id != chain_id:
        raise InvalidInput("the peer is on another network", want=chain_id, have=hello.chain_id)
    return decode(Genesis, hello.genesis)


async def _first_message(endpoint: PeerAddress, chain_id: int) -> object:
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    try:
        opening = passing_identity(chain_id).opening(initiates=True, pinned=endpoint.key)
        channel, frames = await open_channel(reader, writer, opening), FrameReader(HELLO_BYTES_MAX)
        while data := await reader.read(READ_BYTES):
            for plaintext in channel.receive(data):
                for payload in frames.receive(plaintext):
                    return decode_message(payload)
        raise ConnectionError("the peer closed the connection without a hello")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
