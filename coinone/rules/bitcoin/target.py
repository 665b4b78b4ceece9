"""The target: a header's hash, as a little-endian integer, may not exceed it.

A header states it in four bytes, `bits`: a length in bytes and the three leading bytes, of which the highest bit is a
sign. So one target has several spellings, some spellings are negative and some exceed 256 bits (Core's
arith_uint256::SetCompact and GetCompact).
"""

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Hash32

_SIGN = 0x00800000


def target_of(bits: int) -> int:
    """The target that `bits` states. Raises DecodeError if that is zero, negative or wider than 256 bits."""
    size, word = bits >> 24, bits & 0x007FFFFF
    if size <= 3:
        word >>= 8 * (3 - size)
    if not word or bits & _SIGN:
        raise DecodeError("bitcoin: target is zero or negative", have=bits)
    target = word if size <= 3 else word << 8 * (size - 3)
    if target.bit_length() > 256:
        raise DecodeError("bitcoin: target wider than 256 bits", have=bits)
    return target


def bits_of(target: int) -> int:
    """The four bytes of a target; what they cannot hold is rounded down."""
    size = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if word & _SIGN:  # would read as negative
        word, size = word >> 8, size + 1
    return size << 24 | word


def work_of(bits: int) -> int:
    """How many hashes a header of this target takes on average, rounded down: 2^256 / (target + 1)."""
    return div_down(1 << 256, target_of(bits) + 1)


def as_number(digest: Hash32) -> int:
    """A header's hash as the number that is held against a target."""
    return int.from_bytes(digest, "little")
