"""Open a channel: preambles in both directions, then the handshake; each message has a fixed size.

A preamble says in clear which network and version a node is of, so that a node of another one is refused by name and
not by a failed decryption. Both preambles are the handshake's prologue: a preamble that was changed on the way ends
the connection. There is one protocol and no choice among several, so there is nothing to downgrade to.

    opening = ChannelOpening(...)
    send opening.begin()
    while opening.channel is None: send opening.take(exactly opening.wants bytes of the peer)
"""

from dataclasses import dataclass

from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.protocols.secure_channel.channel import SecureChannel
from coinone.protocols.secure_channel.errors import OtherKey, OtherNetwork
from coinone.protocols.secure_channel.handshake import Handshake, KeyPair

_MAGIC = b"coinone\n"
PREAMBLE_BYTES = len(_MAGIC) + 2 + 8 + 32


@dataclass(frozen=True, slots=True)
class Preamble:
    version: int  # of messages and rules
    chain_id: int
    genesis: Hash32  # hash of block 0; zero from a node that has none yet and joins

    def encode(self) -> bytes:
        return _MAGIC + self.version.to_bytes(2, "big") + self.chain_id.to_bytes(8, "big") + self.genesis


def check_preamble(theirs: bytes, own: Preamble, initiates: bool) -> None:
    """Raises OtherNetwork unless the peer's preamble is one of this network and version. The initiator may be without
    genesis; it then takes the responder's."""
    magic, version, chain_id, genesis = theirs[:8], theirs[8:10], theirs[10:18], theirs[18:]
    if magic != _MAGIC:
        raise OtherNetwork("is no Coinone node that encrypts its connections", have=magic)
    if (have := int.from_bytes(version, "big")) != own.version:
        raise OtherNetwork("has other rules or messages", want=own.version, have=have)
    if (have := int.from_bytes(chain_id, "big")) != own.chain_id:
        raise OtherNetwork("is on another network", want=own.chain_id, have=have)
    joins = (own.genesis if initiates else genesis) == ZERO_HASH
    if genesis != own.genesis and not joins:
        raise OtherNetwork("is on another chain, with another genesis", want=own.genesis, have=genesis)


class ChannelOpening:
    """One side of the opening. `ephemeral` is a new private key; `pinned` is the only public key that the peer may
    have, if the operator named one."""

    def __init__(
        self, initiates: bool, own: Preamble, static: KeyPair, ephemeral: bytes, pinned: bytes | None = None
    ) -> None:
        self._initiates = initiates
        self._own = own
        self._keys = (static, ephemeral)
        self._pinned = pinned
        self._handshake: Handshake | None = None
        self.wants = PREAMBLE_BYTES  # the bytes of the peer to take next; 0 when the channel is open
        self.channel: SecureChannel | None = None

    def begin(self) -> bytes:
        return self._own.encode()

    def take(self, data: bytes) -> bytes:
        """What to answer to the peer's next `wants` bytes. Raises OtherNetwork, OtherKey or HandshakeFailed."""
        assert len(data) == self.wants > 0, "as many bytes as wanted"
        if self._handshake is None:
            handshake = self._handshake = self._begun(data)
            answer = handshake.write() if self._initiates else b""
        else:
            handshake = self._handshake
            handshake.read(data)
            self._check_key(handshake.peer_key)
            answer = b"" if handshake.is_done else handshake.write()
        self.wants = handshake.next_size
        if handshake.is_done:
            assert handshake.peer_key is not None, "XX shows both keys"
            self.channel = SecureChannel(*handshake.split(), handshake.peer_key, handshake.hash)
        return answer

    def _begun(self, theirs: bytes) -> Handshake:
        check_preamble(theirs, self._own, self._initiates)
        own = self._own.encode()
        prologue = own + theirs if self._initiates else theirs + own
        return Handshake(self._initiates, prologue, *self._keys)

    def _check_key(self, key: bytes | None) -> None:
        """An initiator learns the peer's key before it shows its own, and refuses another one than the pinned."""
        if key is not None and self._pinned is not None and key != self._pinned:
            raise OtherKey("proved another key than the pinned one", want=self._pinned, have=key)
