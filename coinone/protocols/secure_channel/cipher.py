"""The key of one direction: ChaCha20-Poly1305, with a counter as nonce (Noise, revision 34, sections 5.1 and 12.3)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from coinone.protocols.secure_channel.errors import ForgedMessage, KeyUsedUp
from coinone.protocols.secure_channel.limits import KEY_BYTES, NONCE_MAX


class CipherState:
    def __init__(self, key: bytes, used: int = 0) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self.used = used  # messages so far: the next one's nonce

    def encrypt(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        """Raises KeyUsedUp."""
        return self._cipher.encrypt(self._next_nonce(), plaintext, associated)

    def decrypt(self, ciphertext: bytes | bytearray, associated: bytes = b"") -> bytes:
        """Raises ForgedMessage unless it is the peer's next message, or KeyUsedUp."""
        try:
            return self._cipher.decrypt(self._next_nonce(), ciphertext, associated)
        except InvalidTag:
            raise ForgedMessage("a message was changed, repeated, left out or made by another") from None

    def rekey(self) -> None:
        """Replace the key by one that does not reveal it; the counter continues."""
        self._cipher = ChaCha20Poly1305(
            self._cipher.encrypt(_nonce(NONCE_MAX), bytes(KEY_BYTES), b"")[:KEY_BYTES]
        )

    def _next_nonce(self) -> bytes:
        if self.used >= NONCE_MAX:
            raise KeyUsedUp("the connection's key is used up", most=NONCE_MAX)
        self.used += 1
        return _nonce(self.used - 1)


def _nonce(number: int) -> bytes:
    return bytes(4) + number.to_bytes(8, "little")
