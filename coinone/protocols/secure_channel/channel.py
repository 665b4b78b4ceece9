"""The channel after the handshake: messages of two bytes of length, big endian, and that many encrypted bytes.

Each direction has its own key and counter, so a message that was changed, repeated, left out or sent back does not
decrypt, and ends the connection. A message that is cut off gives nothing.
"""

from collections.abc import Iterator

from coinone.base.primitives.types import Hash32
from coinone.protocols.secure_channel.cipher import CipherState
from coinone.protocols.secure_channel.errors import ForgedMessage
from coinone.protocols.secure_channel.limits import PLAIN_BYTES_MAX, REKEY_MESSAGES, TAG_BYTES

_HEADER = 2


class SecureChannel:
    """`handshake_hash` is the same on both sides and of no other connection, so what is signed over it is a proof for
    this connection only."""

    def __init__(
        self, sending: CipherState, receiving: CipherState, peer_key: bytes, handshake_hash: Hash32
    ) -> None:
        self._sending = sending
        self._receiving = receiving
        self._buffer = bytearray()
        self.peer_key = peer_key
        self.handshake_hash = handshake_hash

    @property
    def held(self) -> int:
        """The bytes held of an incomplete message."""
        return len(self._buffer)

    def seal(self, plaintext: bytes) -> bytes:
        """The message to send. Messages must be sent in the order in which they were sealed. Raises KeyUsedUp."""
        assert 0 < len(plaintext) <= PLAIN_BYTES_MAX, "message out of bounds"
        sealed = self._sending.encrypt(plaintext)
        _renew(self._sending)
        return len(sealed).to_bytes(_HEADER, "big") + sealed

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The contents of the messages that `data` completes, in order. Raises ForgedMessage or KeyUsedUp; the
        channel is of no use after that."""
        self._buffer += data
        while (size := self._size()) is not None and len(self._buffer) >= _HEADER + size:
            sealed = self._buffer[_HEADER : _HEADER + size]
            del self._buffer[: _HEADER + size]
            plaintext = self._receiving.decrypt(sealed)
            _renew(self._receiving)
            yield plaintext

    def _size(self) -> int | None:
        if len(self._buffer) < _HEADER:
            return None
        size = int.from_bytes(self._buffer[:_HEADER], "big")
        if size <= TAG_BYTES:
            raise ForgedMessage("a message holds nothing", have=size)
        return size


def _renew(cipher: CipherState) -> None:
    if cipher.used % REKEY_MESSAGES == 0:
        cipher.rekey()
