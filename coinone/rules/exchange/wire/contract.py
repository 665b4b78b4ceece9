"""Decoding of a contract's action: the ABI words of its fields, each read as its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import div_up
from coinone.base.primitives.parameters import USER_TEXT_MAX


class AbiWords:
    """A reader of consecutive ABI words."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def uint(self, bits: int) -> int:
        word = self.data[self._at : self._at + 32]
        if len(word) != 32:
            raise DecodeError("core action: ends early")
        self._at += 32
        value = int.from_bytes(word, "big")
        if value >> bits:
            raise DecodeError("core action: number too large", bits=bits)
        return value

    def text(self) -> str:
        """Read a string, which must be the only dynamic field: its offset points to the end of the words."""
        if self.uint(32) != self._at:
            raise DecodeError("core action: string elsewhere")
        size = self.uint(32)
        raw = self.data[self._at : self._at + size]
        if size > USER_TEXT_MAX or len(raw) != size:
            raise DecodeError("core action: bad string")
        self._at += 32 * div_up(size, 32)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise DecodeError("core action: text is not UTF-8") from error

    def end(self) -> None:
        if self._at != len(self.data):
            raise DecodeError("core action: bytes after the fields")


@dataclass(frozen=True, slots=True)
class Word:
    """A field's ABI type and its reader."""

    abi: str
    read: Callable[[AbiWords], Any]


def _uint(bits: int) -> Word:
    return Word(f"uint{bits}", lambda words: words.uint(bits))


UINT8, UINT32, UINT64, UINT128 = map(_uint, (8, 32, 64, 128))
ASSET = Word("uint32", lambda words: words.uint(31))
NUMBER = Word("uint64", lambda words: words.uint(63))
"""A price or size in 1e-8."""
BOOL = Word("bool", lambda words: words.uint(1) == 1)
ADDRESS = Word("address", lambda words: words.uint(160).to_bytes(20, "big"))
STRING = Word("string", AbiWords.text)


class ContractForm:
    """CoreWriter's id of an action, its fields in order, and `make`, which builds the action from them."""

    def __init__(self, id: int, make: Callable[..., Any], **fields: Word) -> None:
        self.id = id
        self.make = make
        self.fields = fields

    def read(self, data: bytes) -> Any:
        """Decode the fields in `data`. Raises InvalidInput."""
        words = AbiWords(data)
        values = [word.read(words) for word in self.fields.values()]
        words.end()
        return self.make(*values)
