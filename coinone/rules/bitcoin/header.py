"""A block's header: the 80 bytes that Bitcoin's miners hash."""

import struct
from typing import NamedTuple

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.types import Hash32
from coinone.rules.bitcoin.encoding import hash256

HEADER_BYTES = 80
_FORM = struct.Struct("<i32s32sIII")


class BitcoinHeader(NamedTuple):
    version: int
    parent_hash: Hash32
    merkle_root: Hash32
    time: int  # seconds
    bits: int  # the target, target.py
    nonce: int

    def encode(self) -> bytes:
        return _FORM.pack(*self)

    @property
    def hash(self) -> Hash32:
        return hash256(_FORM.pack(*self))


def decode_header(data: bytes) -> BitcoinHeader:
    if len(data) != HEADER_BYTES:
        raise DecodeError("bitcoin: header size", want=HEADER_BYTES, have=len(data))
    return BitcoinHeader._make(_FORM.unpack(data))
