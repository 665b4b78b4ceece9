"""Keccak-256, Ethereum's hash: Keccak as submitted to the SHA-3 competition, whose padding differs from SHA3-256's."""

from sha3 import keccak_256

from coinone.base.primitives.types import Hash32


def keccak256(data: bytes) -> Hash32:
    digest: bytes = keccak_256(data).digest()
    return digest


EMPTY_HASH: Hash32 = keccak256(b"")  # the code hash of an account without code
