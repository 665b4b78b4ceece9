"""Frame messages: four bytes of length, big endian, then that many bytes.

The reader accepts bytes in any slicing and never holds more than one frame and the bytes that arrived with it.
Encryption is below this layer; the two prioritised streams (D9) will be.
"""

from collections.abc import Iterator

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.protocols.relay.limits import FRAME_BYTES_MAX

_HEADER = 4


def frame(payload: bytes) -> bytes:
    assert 0 < len(payload) <= FRAME_BYTES_MAX, "frame out of bounds"
    return len(payload).to_bytes(_HEADER, "big") + payload


class FrameReader:
    """Reads frames; `most` is the largest accepted payload, which may be changed between frames."""

    def __init__(self, most: int = FRAME_BYTES_MAX) -> None:
        self.most = most
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """The bytes held of an incomplete frame."""
        return len(self._buffer)

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The payloads that `data` completes, in order. Raises DecodeError, or LimitExceeded for an announced
        length."""
        self._buffer += data
        while (size := self._size()) is not None and len(self._buffer) >= _HEADER + size:
            payload = bytes(self._buffer[_HEADER : _HEADER + size])
            del self._buffer[: _HEADER + size]
            yield payload

    def _size(self) -> int | None:
        if len(self._buffer) < _HEADER:
            return None
        size = int.from_bytes(self._buffer[:_HEADER], "big")
        if size == 0:
            raise DecodeError("empty frame")
        if size > self.most:
            raise LimitExceeded("frame too large", have=size, most=self.most)
        return size
