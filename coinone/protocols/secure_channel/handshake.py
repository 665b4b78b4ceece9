"""The three messages of Noise_XX_25519_ChaChaPoly_SHA256 (Noise, revision 34).

    initiator                                   responder
      e                  --32 bytes-->                        a key for this connection only
                         <--96 bytes--          e, ee, s, es  the same, and the responder's static key, encrypted
      s, se              --64 bytes-->                        the initiator's static key, encrypted

`ee`, `es` and `se` mix a shared secret of two keys into the state (first letter: the initiator's key; second: the
responder's). Everything said so far, the prologue too, is hashed into what each message authenticates: if either side
saw one byte of it differently, the next message does not decrypt. The sizes are those without payload.
"""

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from coinone.base.primitives.types import Hash32
from coinone.protocols.secure_channel.cipher import CipherState
from coinone.protocols.secure_channel.errors import ForgedMessage, HandshakeFailed
from coinone.protocols.secure_channel.limits import KEY_BYTES, TAG_BYTES

PROTOCOL_NAME = b"Noise_XX_25519_ChaChaPoly_SHA256"  # as long as a hash, so it is the first one
_PATTERN = (("e",), ("e", "ee", "s", "es"), ("s", "se"))
_SEALED_KEY_BYTES = KEY_BYTES + TAG_BYTES
SIZES = (KEY_BYTES, KEY_BYTES + _SEALED_KEY_BYTES + TAG_BYTES, _SEALED_KEY_BYTES + TAG_BYTES)


class KeyPair:
    """A private key of 32 bytes with its public key."""

    def __init__(self, private: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw()

    def secret_with(self, public: bytes) -> bytes:
        """The secret shared with the holder of another key. Raises HandshakeFailed."""
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # a point of small order: the secret would be zero with every key
            raise HandshakeFailed("the peer's key gives no secret", have=public) from None


class SymmetricState:
    """The hash of all that was said, and the key that the secrets so far give (section 5.2)."""

    def __init__(self, prologue: bytes) -> None:
        assert len(PROTOCOL_NAME) == sha256().digest_size, "the name is the first hash"
        self._hash = self._chaining_key = PROTOCOL_NAME
        self._cipher: CipherState | None = None
        self.mix_hash(prologue)

    @property
    def hash(self) -> Hash32:
        return self._hash

    def mix_hash(self, data: bytes) -> None:
        self._hash = sha256(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chaining_key, key = _derive(self._chaining_key, secret)
        self._cipher = CipherState(key)

    def encrypt(self, plaintext: bytes) -> bytes:
        ciphertext = plaintext if self._cipher is None else self._cipher.encrypt(plaintext, self._hash)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt(self, ciphertext: bytes) -> bytes:
        plaintext = ciphertext if self._cipher is None else self._cipher.decrypt(ciphertext, self._hash)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """The initiator's and the responder's keys for sending."""
        first, second = _derive(self._chaining_key, b"")
        return CipherState(first), CipherState(second)


class Handshake:
    """One side of XX. `ephemeral` is a private key that is used for nothing else, and made into a pair only when this
    side must answer: a peer that says nothing costs no multiplication on the curve."""

    def __init__(self, initiates: bool, prologue: bytes, static: KeyPair, ephemeral: bytes) -> None:
        self._initiates = initiates
        self._state = SymmetricState(prologue)
        self._ephemeral = ephemeral
        self._own = {"s": static}
        self._peers: dict[str, bytes] = {}
        self._turn = 0  # the message that comes next

    @property
    def is_done(self) -> bool:
        return self._turn == len(_PATTERN)

    @property
    def next_size(self) -> int:
        """The size of the next message without payload; 0 when there is none."""
        return 0 if self.is_done else SIZES[self._turn]

    @property
    def peer_key(self) -> bytes | None:
        """The peer's static public key, once a message proved it."""
        return self._peers.get("s")

    @property
    def hash(self) -> Hash32:
        """The hash of all that was said, the same on both sides and of no other connection (section 11.2)."""
        assert self.is_done, "the handshake is not done"
        return self._state.hash

    def write(self, payload: bytes = b"") -> bytes:
        """This side's next message."""
        assert self._initiates == (self._turn % 2 == 0), "it is the peer's turn"
        message = b""
        for token in _PATTERN[self._turn]:
            if len(token) == 2:
                self._mix_secret(token)
                continue
            message += self._write_key(token)
        self._turn += 1
        return message + self._state.encrypt(payload)

    def read(self, message: bytes) -> bytes:
        """The payload of the peer's next message. Raises HandshakeFailed."""
        assert self._initiates == (self._turn % 2 == 1), "it is this side's turn"
        if len(message) < self.next_size:
            raise HandshakeFailed("a message is too short", least=self.next_size, have=len(message))
        try:
            for token in _PATTERN[self._turn]:
                message = self._read_token(token, message)
            payload = self._state.decrypt(message)
        except ForgedMessage:
            raise HandshakeFailed("the peer's message does not belong to this handshake") from None
        self._turn += 1
        return payload

    def split(self) -> tuple[CipherState, CipherState]:
        """The keys for sending and for receiving, after the last message."""
        assert self.is_done, "the handshake is not done"
        first, second = self._state.split()
        return (first, second) if self._initiates else (second, first)

    def _write_key(self, token: str) -> bytes:
        if token == "s":
            return self._state.encrypt(self._own["s"].public)
        pair = self._own["e"] = KeyPair(self._ephemeral)
        self._state.mix_hash(pair.public)
        return pair.public

    def _read_token(self, token: str, message: bytes) -> bytes:
        """Process a token; what remains of the message."""
        if len(token) == 2:
            self._mix_secret(token)
            return message
        if token == "s":
            self._peers["s"] = self._state.decrypt(message[:_SEALED_KEY_BYTES])
            return message[_SEALED_KEY_BYTES:]
        self._peers["e"] = message[:KEY_BYTES]
        self._state.mix_hash(message[:KEY_BYTES])
        return message[KEY_BYTES:]

    def _mix_secret(self, token: str) -> None:
        own, peers = (token[0], token[1]) if self._initiates else (token[1], token[0])
        self._state.mix_key(self._own[own].secret_with(self._peers[peers]))


def _derive(chaining_key: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """HKDF with two outputs (section 4.3)."""
    base = hmac.digest(chaining_key, secret, "sha256")
    first = hmac.digest(base, b"\x01", "sha256")
    return first, hmac.digest(base, first + b"\x02", "sha256")
