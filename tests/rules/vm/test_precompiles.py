"""Precompiled contracts, beside other implementations of the same mathematics."""

import hashlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn

from coinone.base.crypto.secp256k1 import CURVE_ORDER, address_of, sign
from coinone.rules.vm import FORKS
from coinone.rules.vm.errors import OutOfGas, PrecompileFailure
from coinone.rules.vm.precompiles import blake2f, bn254, hashes, modexp, signatures

PLENTY = 10**9
GENERATOR = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def g1(point: tuple[bn.FQ, bn.FQ, bn.FQ]) -> bytes:
    if bn.is_inf(point):
        return bytes(64)
    return b"".join([word(int(c)) for c in bn.normalize(point)])


def g2(point: tuple[bn.FQ2, bn.FQ2, bn.FQ2]) -> bytes:
    (x_real, x_imaginary), (y_real, y_imaginary) = [c.coeffs for c in bn.normalize(point)]
    return b"".join([word(int(c)) for c in (x_imaginary, x_real, y_imaginary, y_real)])


SCALARS = st.one_of(st.integers(0, 2**256 - 1), st.sampled_from([0, 1, bn.curve_order - 1, bn.curve_order]))


@settings(max_examples=25)
@given(SCALARS, SCALARS)
def test_bn254_addition_and_multiplication_agree_with_py_ecc(a: int, b: int) -> None:
    cost, left = bn254.multiply(GENERATOR + word(a), PLENTY)
    _, right = bn254.multiply(GENERATOR + word(b), PLENTY)
    assert cost == 6_000
    assert left == g1(bn.multiply(bn.G1, a))
    assert bn254.add(left + right, PLENTY) == (150, g1(bn.multiply(bn.G1, (a + b) % bn.curve_order)))


@pytest.mark.parametrize("point", [word(1) + word(3), word(bn.field_modulus) + word(2), word(2**256 - 1) * 2])
def test_bn254_refuses_what_is_no_point(point: bytes) -> None:
    for precompile in (bn254.add, bn254.multiply):
        with pytest.raises(PrecompileFailure):
            precompile(point, PLENTY)
    with pytest.raises(PrecompileFailure):
        bn254.pairing_check(point + g2(bn.G2), PLENTY)


def test_bn254_pairings_are_bilinear() -> None:
    a, b = 7_919, 104_729
    good = g1(bn.multiply(bn.G1, a * b)) + g2(bn.neg(bn.G2))
    good += g1(bn.multiply(bn.G1, a)) + g2(bn.multiply(bn.G2, b))
    assert bn254.pairing_check(good, PLENTY) == (45_000 + 2 * 34_000, word(1))
    bad = good[:192] + g1(bn.multiply(bn.G1, a + 1)) + g2(bn.multiply(bn.G2, b))
    assert bn254.pairing_check(bad, PLENTY)[1] == word(0)
    assert bn254.pairing_check(b"", PLENTY) == (45_000, word(1))
    assert bn254.pairing_check(bytes(192) + good, PLENTY)[1] == word(1), "infinity pairs change nothing"


def test_bn254_refuses_points_of_the_twist_outside_the_subgroup() -> None:
    # On the twist y^2 = x^3 + 3/(9+i), by search for the smallest x with a square root, so of full order.
    x = bn.FQ2([1, 0])
    while (y := _sqrt(x * x * x + bn.b2)) is None:
        x = x + bn.FQ2([1, 0])
    assert not bn.is_inf(bn.multiply((x, y, bn.FQ2.one()), bn.curve_order)), "outside the subgroup"
    data = b"".join([word(int(c)) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0])])
    with pytest.raises(PrecompileFailure):
        bn254.pairing_check(GENERATOR + data, PLENTY)


def _sqrt(square: bn.FQ2) -> bn.FQ2 | None:
    """A root in the field of p^2 elements, p % 4 = 3 (the usual two exponentiations)."""
    p = bn.field_modulus
    a1 = square ** ((p - 3) // 4)
    alpha, x0 = a1 * a1 * square, a1 * square
    minus_one = bn.FQ2([p - 1, 0])
    root = bn.FQ2([0, 1]) * x0 if alpha == minus_one else (bn.FQ2.one() + alpha) ** ((p - 1) // 2) * x0
    return root if root * root == square else None


NUMBERS = st.binary(max_size=80)


@settings(max_examples=100)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_modular_powers_are_pythons(base: bytes, exponent: bytes, modulus: bytes) -> None:
    data = b"".join([word(len(part)) for part in (base, exponent, modulus)]) + base + exponent + modulus
    m = int.from_bytes(modulus, "big")
    power = pow(int.from_bytes(base, "big"), int.from_bytes(exponent, "big"), m) if m else 0
    for precompile in (modexp.modexp_berlin, modexp.modexp_osaka):
        assert precompile(data, PLENTY)[1] == power.to_bytes(len(modulus), "big")


def test_modexp_prices_and_limits_follow_the_fork() -> None:
    # 3^(2^256 - 2^32 - 978) mod (2^256 - 2^32 - 977), the first example of EIP-198: EIP-2565 says 1,360 gas,
    # EIP-7883 4,080 (16 * 255)
    data = word(1) + word(32) + word(32) + b"\3" + word(2**256 - 2**32 - 978) + word(2**256 - 2**32 - 977)
    assert modexp.modexp_berlin(data, PLENTY) == (1_360, word(1))
    assert modexp.modexp_osaka(data, PLENTY) == (4_080, word(1))
    long_base = word(1_025) + word(1) + word(1)
    assert modexp.modexp_berlin(long_base, PLENTY)[1] == b"\0"
    with pytest.raises(PrecompileFailure):
        modexp.modexp_osaka(long_base, PLENTY)
    with pytest.raises(OutOfGas):
        modexp.modexp_berlin(word(2**255) + word(2**255) + word(2**255), PLENTY)


@settings(max_examples=50)
@given(st.binary(max_size=128))
def test_one_block_of_blake2b_is_hashlibs(data: bytes) -> None:
    # RFC 7693: a message of one block is one call of F on the initial state, with the final flag
    parameters = 0x01010000 ^ 64
    iv = [0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1]
    iv += [0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179]
    state = struct.pack("<8Q", iv[0] ^ parameters, *iv[1:])
    packed = struct.pack(">I", 12) + state + data.ljust(128, b"\0") + struct.pack("<2Q", len(data), 0) + b"\1"
    assert blake2f.blake2f(packed, PLENTY) == (12, hashlib.blake2b(data).digest())


def test_blake2f_refuses_wrong_sizes_flags_and_unpaid_rounds() -> None:
    for data in (bytes(212), bytes(214), bytes(212) + b"\2"):
        with pytest.raises(PrecompileFailure):
            blake2f.blake2f(data, PLENTY)
    with pytest.raises(OutOfGas):
        blake2f.blake2f(b"\xff" * 4 + bytes(209), 2**32 - 2)


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.integers(1, CURVE_ORDER - 1))
def test_ecrecover_finds_the_signer_and_accepts_the_high_s_twin(digest: bytes, key: int) -> None:
    secret = word(key)
    signature = sign(digest, secret)
    twin = (CURVE_ORDER - signature.s, 55 - signature.v)
    for s, v in ((signature.s, signature.v), twin):
        cost, output = signatures.ecrecover(digest + word(v) + word(signature.r) + word(s), PLENTY)
        assert (cost, output) == (3_000, address_of(secret).rjust(32, b"\0"))
    assert signatures.ecrecover(digest + word(29) + word(signature.r) + word(signature.s), PLENTY) == (
        3_000,
        b"",
    )


def test_hashes_of_the_empty_string_are_the_published_ones() -> None:
    assert hashes.sha256(b"", PLENTY)[1].hex().startswith("e3b0c44298fc1c14")
    assert hashes.ripemd160(b"", PLENTY)[1].hex() == "00" * 12 + "9c1185a5c5e9fc54612808977ee8f548b2258d31"
    assert hashes.identity(b"abc", PLENTY) == (18, b"abc")


def test_nothing_is_computed_that_is_not_paid_for() -> None:
    for address, precompile in FORKS["Osaka"].precompiles.items():
        size = {6: 128, 9: 213, 10: 192, 11: 256, 12: 160, 13: 512, 14: 288, 15: 384, 16: 64, 17: 128}
        data = b"\1" * size.get(int.from_bytes(address, "big"), 96)
        if address[-1] == 5 and address[-2] == 0:
            data = word(1) * 3 + b"\1\1\1"
        with pytest.raises(OutOfGas):
            precompile(data, 0)


def test_the_forks_have_the_precompiles_of_their_eips() -> None:
    numbers = {name: [int.from_bytes(a, "big") for a in rules.precompiles] for name, rules in FORKS.items()}
    assert numbers["Cancun"] == list(range(1, 11))
    assert numbers["Prague"] == list(range(1, 18))
    assert numbers["Osaka"] == [*range(1, 18), 0x100]
