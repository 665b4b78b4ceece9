"""Signature checks over secp256k1 (ECRECOVER) and P-256 (P256VERIFY, EIP-7951).

Neither ever fails: an invalid signature yields empty output.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from coinone.base.crypto.secp256k1 import recover_any_s
from coinone.rules.vm.precompiles.common import TRUE, pay, read, read_int

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_DIGEST_AS_IS = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def ecrecover(data: bytes, gas: int) -> tuple[int, bytes]:
    """Input: digest, v (27 or 28), r, s. Output: the signer's address."""
    cost = pay(3_000, gas)
    v = read_int(data, 32)
    if v not in (27, 28):
        return cost, b""
    signer = recover_any_s(read(data, 0, 32), read_int(data, 64), read_int(data, 96), v - 27)
    return cost, b"" if signer is None else signer.rjust(32, b"\0")


def p256_verify(data: bytes, gas: int) -> tuple[int, bytes]:
    """Input: digest, r, s, and the key's x and y. Output: 1, or nothing."""
    cost = pay(6_900, gas)
    if len(data) != 160:
        return cost, b""
    r, s, x, y = [read_int(data, offset) for offset in (32, 64, 96, 128)]
    return cost, TRUE if _p256_holds(data[:32], r, s, x, y) else b""


def _p256_holds(digest: bytes, r: int, s: int, x: int, y: int) -> bool:
    if not (0 < r < P256_ORDER and 0 < s < P256_ORDER and x < P256_FIELD and y < P256_FIELD):
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(utils.encode_dss_signature(r, s), digest, _DIGEST_AS_IS)
    except (InvalidSignature, ValueError):  # ValueError: the point is not on the curve
        return False
    return True
