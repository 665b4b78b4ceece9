"""SHA-256 continued from the state after some blocks (FIPS 180-4), so that a long beginning need not be shown.

A miner's coinbase may be kilobytes long while only its end matters to us. Its proof holds the *midstate* of what comes
before and the end itself. hashlib cannot start from a state, so the compression function stands here; less than
0.1 ms a block of 64 bytes, of which a proof has at most five.
"""

import struct

BLOCK_BYTES = 64
# The first 32 bits of the fractions of the square roots of the first 8 primes: the state before the first block.
START = bytes.fromhex("6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19")
_MASK = 0xFFFFFFFF
# The same of the cube roots of the first 64 primes.
_K = struct.unpack(
    ">64I",
    bytes.fromhex(
        "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5"
        "d807aa9812835b01243185be550c7dc372be5d7480deb1fe9bdc06a7c19bf174"
        "e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da"
        "983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca635114292967"
        "27b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85"
        "a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070"
        "19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3"
        "748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2"
    ),
)


def compress(state: bytes, block: bytes) -> bytes:
    """The state after one more block."""
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        x, y = words[i - 15], words[i - 2]
        x |= x << 32  # a rotation is now a shift; bits above the 32nd are cut off at the end
        y |= y << 32
        small_0 = x >> 7 ^ x >> 18 ^ (x & _MASK) >> 3
        small_1 = y >> 17 ^ y >> 19 ^ (y & _MASK) >> 10
        words.append(words[i - 16] + small_0 + words[i - 7] + small_1 & _MASK)
    start = a, b, c, d, e, f, g, h = struct.unpack(">8I", state)
    for constant, word in zip(_K, words, strict=True):
        x, y = e | e << 32, a | a << 32
        step = h + (x >> 6 ^ x >> 11 ^ x >> 25) + (e & f ^ ~e & g) + constant + word
        turn = (y >> 2 ^ y >> 13 ^ y >> 22) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = step + turn & _MASK, a, b, c, d + step & _MASK, e, f, g
    return struct.pack(">8I", *[p + q & _MASK for p, q in zip(start, (a, b, c, d, e, f, g, h), strict=True)])


def advance(state: bytes, data: bytes) -> bytes:
    """The state after `data`, which is whole blocks."""
    assert len(data) % BLOCK_BYTES == 0, "whole blocks"
    for at in range(0, len(data), BLOCK_BYTES):
        state = compress(state, data[at : at + BLOCK_BYTES])
    return state


def finish(state: bytes, before: int, tail: bytes) -> bytes:
    """SHA-256 of `before` bytes, after which the state was `state`, and `tail`."""
    size = before + len(tail)
    padding = b"\x80" + bytes(-(len(tail) + 9) % BLOCK_BYTES) + (8 * size).to_bytes(8, "big")
    return advance(state, tail + padding)
