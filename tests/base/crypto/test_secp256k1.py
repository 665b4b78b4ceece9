"""secp256k1 against eth-keys' pure Python backend, and the refusals that a malleable signature meets."""

import pytest
from eth_keys.backends import NativeECCBackend
from eth_keys.datatypes import PrivateKey as OtherPrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto import secp256k1
from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidSignature

ORDER = secp256k1.CURVE_ORDER
keys = st.integers(1, ORDER - 1).map(lambda n: n.to_bytes(32, "big"))


@settings(max_examples=10)
@given(keys, st.binary(max_size=64))
def test_signatures_and_addresses_equal_those_of_another_implementation(key: bytes, message: bytes) -> None:
    other = OtherPrivateKey(key, backend=NativeECCBackend())
    digest = keccak256(message)
    theirs = other.sign_msg_hash(digest)
    ours = secp256k1.sign(digest, key)
    assert (ours.r, ours.s, ours.v) == (theirs.r, theirs.s, theirs.v + 27)
    assert secp256k1.address_of(key) == other.public_key.to_canonical_address()
    assert secp256k1.recover(digest, *ours) == secp256k1.address_of(key)


def test_the_customary_development_key_has_its_known_address() -> None:
    # Account 0 of the mnemonic "test test ... test junk", as anvil and hardhat print it at their start.
    key = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    assert secp256k1.address_of(key).hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def test_the_malleable_twin_is_refused_although_it_recovers_the_same_key() -> None:
    digest, key = keccak256(b"x"), b"\x07" * 32
    r, s, v = secp256k1.sign(digest, key)
    twin = (r, ORDER - s, 55 - v)
    assert secp256k1.recover_any_s(digest, r, ORDER - s, 28 - v) == secp256k1.address_of(key)
    with pytest.raises(InvalidSignature):
        secp256k1.recover(digest, *twin)


@pytest.mark.parametrize(
    ("r", "s", "v"),
    [(0, 1, 27), (1, 0, 27), (ORDER, 1, 27), (1, ORDER, 27), (1, 1, 26), (1, 1, 29), (1, 1, 0), (5, 1, 27)],
)  # r = 5 is no x coordinate of the curve: 5^3 + 7 = 132 is not a square modulo the field's prime
def test_values_out_of_range_are_refused(r: int, s: int, v: int) -> None:
    with pytest.raises(InvalidSignature):
        secp256k1.recover(keccak256(b""), r, s, v)
    if v in (27, 28):
        assert secp256k1.recover_any_s(keccak256(b""), r, s, v - 27) is None


def test_private_keys_outside_the_group_are_named() -> None:
    assert secp256k1.is_private_key((ORDER - 1).to_bytes(32, "big"))
    assert not secp256k1.is_private_key(ORDER.to_bytes(32, "big"))
    assert not secp256k1.is_private_key(bytes(32)) and not secp256k1.is_private_key(b"\x01")
