"""SipHash-2-4 against the reference vectors of its authors: key 00..0f, input 00, 01, 02, ..."""

from __future__ import annotations

import struct

from coinone.base.crypto.siphash import siphash

KEY = struct.unpack("<2q", bytes(range(16)))


def test_the_reference_vector_of_24_bytes() -> None:
    # vectors_sip64[24] of the reference implementation
    expected = bytes.fromhex("94af49f6c650adb8")
    assert struct.pack("<q", siphash(*KEY, *struct.unpack("<3q", bytes(range(24))))) == expected


def plain(key: bytes, data: bytes) -> bytes:
    """The paper's algorithm on Python's integers, for any length."""
    low = (1 << 64) - 1
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def left(x: int, n: int) -> int:
        return (x << n | x >> (64 - n)) & low

    def rounds(count: int) -> None:
        for _ in range(count):
            for a, b, bits, c, d, others in ((0, 1, 13, 2, 3, 16), (0, 3, 21, 2, 1, 17)):
                v[a] = (v[a] + v[b]) & low
                v[b] = left(v[b], bits) ^ v[a]
                v[c] = (v[c] + v[d]) & low
                v[d] = left(v[d], others) ^ v[c]
                turned = a if bits == 13 else c
                v[turned] = left(v[turned], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def test_the_jitted_hash_is_that_of_the_paper_for_any_key_and_words() -> None:
    # the paper's own example, 15 bytes
    assert plain(bytes(range(16)), bytes(range(15))) == struct.pack("<Q", 0xA129CA6149BE45E5)
    for seed in range(50):
        key, data = bytes([seed * 5 & 255] * 7 + list(range(9))), bytes([255 - seed, *range(23)])
        hashed = siphash(*struct.unpack("<2q", key), *struct.unpack("<3q", data))
        assert struct.pack("<q", hashed) == plain(key, data)
