"""ECDSA over P-256 (secp256r1), the curve of passkeys and secure elements, with the checks of EIP-7951.

High s is allowed here, as the EIP says: passkeys produce it.
"""

from cryptography.exceptions import InvalidSignature as Mismatch
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from coinone.base.primitives.types import Hash32

FIELD_PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_SCHEME = ec.ECDSA(Prehashed(SHA256()))  # the digest is given, whichever hash made it


def verify(digest: Hash32, r: int, s: int, x: int, y: int) -> bool:
    """Whether (r, s) is a signature of `digest` by the key at the point (x, y)."""
    assert len(digest) == 32, "a digest has 32 bytes"
    if not (0 < r < CURVE_ORDER and 0 < s < CURVE_ORDER and 0 <= x < FIELD_PRIME and 0 <= y < FIELD_PRIME):
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), digest, _SCHEME)
    except (ValueError, Mismatch):  # point not on the curve; signature not by this key
        return False
    return True
