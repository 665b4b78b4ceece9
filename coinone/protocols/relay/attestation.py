"""Prove which member of the federation a node is: a signature for one connection.

A member signs, with the key whose address genesis names, the hash of the handshake of this very connection (Noise,
revision 34, section 11.2). Both sides have computed that hash, it contains new keys of both, and no other connection
has the same: a proof that somebody forwards to another connection, or plays again later, is a bad signature there. So a
member has one key in genesis, and may replace its transport key without anybody's consent.
"""

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.types import Hash32
from coinone.rules.consensus.federation import Federation, check_member, pack_signature

_DOMAIN = b"coinone member"


def sign_attestation(chain_id: int, handshake_hash: Hash32, key: bytes) -> bytes:
    """The signature that proves the holder of the federation key `key` to the other end of this connection."""
    return pack_signature(sign(_content(chain_id, handshake_hash), key))


def check_attestation(
    federation: Federation, chain_id: int, handshake_hash: Hash32, member: int, signature: bytes
) -> None:
    """Raise InvalidSignature unless member number `member` signed for this connection."""
    check_member(federation, member, _content(chain_id, handshake_hash), signature)


def _content(chain_id: int, handshake_hash: Hash32) -> Hash32:
    assert len(handshake_hash) == 32, "the size of a hash"
    return keccak256(_DOMAIN + chain_id.to_bytes(8, "big") + handshake_hash)
