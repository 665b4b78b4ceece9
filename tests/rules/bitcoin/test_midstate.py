"""SHA-256 continued from a midstate, against hashlib."""

import hashlib

import pytest

from coinone.rules.bitcoin import midstate
from coinone.rules.bitcoin.midstate import START, advance, finish


@pytest.mark.parametrize("size", [*range(130), 183, 184, 192, 247, 248, 256, 1_000])
def test_every_cut_gives_the_hash_of_the_whole(size: int) -> None:
    data = bytes(n * n % 251 for n in range(size))
    for cut in range(0, size + 1, 64):
        assert finish(advance(START, data[:cut]), cut, data[cut:]) == hashlib.sha256(data).digest()


def test_the_constants_are_the_fractions_of_roots_of_primes() -> None:
    """FIPS 180-4, 4.2.2 and 5.3.3: 32 bits of the fractions of cube and square roots; here by integer bounds."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))]
    assert len(primes) == len(midstate._K) == 64
    for prime, constant in zip(primes, midstate._K, strict=True):
        whole = next(n for n in range(10) if (n + 1) ** 3 > prime)
        root = whole << 32 | constant
        assert root**3 <= prime << 96 < (root + 1) ** 3
    for prime, at in zip(primes[:8], range(0, 32, 4), strict=True):
        whole = next(n for n in range(10) if (n + 1) ** 2 > prime)
        root = whole << 32 | int.from_bytes(START[at : at + 4], "big")
        assert root**2 <= prime << 64 < (root + 1) ** 2
