"""ECDSA over secp256k1 with public key recovery: how Ethereum and Hyperliquid identify a signer.

libsecp256k1 accepts high-s signatures on recovery; we refuse them (EIP-2, low s), because every signature
has a twin (r, n - s, v flipped) that anyone can compute. Identity is therefore never the signature itself.
"""

from typing import NamedTuple

from coincurve import PrivateKey, PublicKey

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidSignature
from coinone.base.primitives.types import Address, Hash32

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
LOW_S_MAX = CURVE_ORDER // 2
SIGNED_SIZE = 97  # of `pack_signed`


class Signature(NamedTuple):
    r: int
    s: int
    v: int  # 27 or 28: the parity of the nonce point's y


def recover(digest: Hash32, r: int, s: int, v: int) -> Address:
    """The address whose key signed `digest`. Raises InvalidSignature on a bad range, high s, or no point."""
    if v not in (27, 28):
        raise InvalidSignature("signature: v is neither 27 nor 28", v=v)
    if not 0 < r < CURVE_ORDER:
        raise InvalidSignature("signature: r out of range")
    if not 0 < s <= LOW_S_MAX:
        raise InvalidSignature("signature: s out of range or high")
    return _address(_recover_key(digest, r, s, v - 27))


def pack_signed(digest: Hash32, r: int, s: int, v: int) -> bytes:
    """Pack the arguments of `recover` for another process: any r and s of 32 bytes, any v of one byte."""
    return digest + r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v,))


def recover_packed(packed: bytes) -> list[Address | None]:
    """Recover the addresses of several packed signatures; None for an invalid one."""
    found: list[Address | None] = []
    for start in range(0, len(packed), SIGNED_SIZE):
        one = packed[start : start + SIGNED_SIZE]
        r, s = int.from_bytes(one[32:64], "big"), int.from_bytes(one[64:96], "big")
        try:
            found.append(recover(one[:32], r, s, one[96]))
        except InvalidSignature:
            found.append(None)
    return found


def recover_any_s(digest: Hash32, r: int, s: int, parity: int) -> Address | None:
    """Recover as the ECRECOVER precompile does: high s is allowed, and failure is None."""
    if not (0 < r < CURVE_ORDER and 0 < s < CURVE_ORDER and parity in (0, 1)):
        return None
    try:
        return _address(_recover_key(digest, r, s, parity))
    except InvalidSignature:
        return None


def sign(digest: Hash32, key: bytes) -> Signature:
    """Deterministic (RFC 6979) low-s signature of a 32-byte digest by a 32-byte key."""
    _check_digest(digest)
    raw = PrivateKey(key).sign_recoverable(digest, hasher=None)
    return Signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), 27 + raw[64])


def address_of(key: bytes) -> Address:
    """The address of a 32-byte private key."""
    return _address(PrivateKey(key).public_key)


def is_private_key(key: bytes) -> bool:
    return len(key) == 32 and 0 < int.from_bytes(key, "big") < CURVE_ORDER


def _recover_key(digest: Hash32, r: int, s: int, parity: int) -> PublicKey:
    _check_digest(digest)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))
    try:
        key: PublicKey = PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except Exception as error:  # the library raises a bare Exception if there is no such point
        raise InvalidSignature("signature: no key fits") from error
    return key


def _address(key: PublicKey) -> Address:
    return keccak256(key.format(compressed=False)[1:])[12:]


def _check_digest(digest: Hash32) -> None:
    assert len(digest) == 32, "a digest has 32 bytes"
