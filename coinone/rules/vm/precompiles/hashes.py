"""SHA-256, RIPEMD-160 (in OpenSSL's default set since 3.0.7), and the identity, which copies."""

import hashlib

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm.gas import words
from coinone.rules.vm.precompiles.common import pay


def sha256(data: bytes, gas: int) -> tuple[int, bytes]:
    cost = pay(60 + 12 * words(len(data)), gas)
    return cost, hashlib.sha256(data).digest()


def ripemd160(data: bytes, gas: int) -> tuple[int, bytes]:
    cost = pay(600 + 120 * words(len(data)), gas)
    return cost, hashlib.new("ripemd160", data).digest().rjust(32, b"\0")


@on_warm
def _warm() -> None:
    hashlib.new("ripemd160")  # so that an OpenSSL without it fails at the start, not in the middle of a block


def identity(data: bytes, gas: int) -> tuple[int, bytes]:
    cost = pay(15 + 3 * words(len(data)), gas)
    return cost, data
