"""The digests of the exchange's transactions: Hyperliquid's two schemes over EIP-712, and a reporter's prices.

An L1 action signs a "phantom agent": keccak of the msgpack bytes, nonce, vault and expiry, wrapped with a source
string. A user-signed action signs its fields (user_signed.py). A transaction is filed under its kind, its digest
and its signer, never under the signature.
(https://eips.ethereum.org/EIPS/eip-712; hyperliquid-python-sdk, utils/signing.py)
"""

from collections.abc import Mapping

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.domains import L1_DOMAIN, user_domain
from coinone.base.forms.eip712 import StructType, signing_digest
from coinone.base.forms.user_signed import UserSigned, Value
from coinone.base.primitives import rlp
from coinone.base.primitives.types import Address, Hash32

L1_TYPE, USER_TYPE, ORACLE_TYPE = 0x70, 0x71, 0x72  # first byte of a transaction
_AGENT = StructType("Agent", (("string", "source"), ("bytes32", "connectionId")))


def l1_digest(
    action: bytes, nonce: int, vault: Address | None, expires_after: int | None, source: str
) -> Hash32:
    """What is signed for the msgpack bytes `action`."""
    connection_id = l1_connection_id(action, nonce, vault, expires_after)
    return signing_digest(L1_DOMAIN, _AGENT.hash_words(keccak256(source.encode()), connection_id))


def l1_connection_id(action: bytes, nonce: int, vault: Address | None, expires_after: int | None) -> Hash32:
    """The phantom agent's name for an action."""
    tail = b"\x00" if vault is None else b"\x01" + vault
    if expires_after is not None:
        tail += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak256(action + nonce.to_bytes(8, "big") + tail)


def user_digest(form: UserSigned, values: Mapping[str, Value], signature_chain_id: int) -> Hash32:
    """What is signed for a user-signed action with these fields. Raises InvalidInput where one does not fit."""
    return signing_digest(user_domain(signature_chain_id), form.struct.hash(values))


def oracle_digest(chain_id: int, time_ms: int, prices: tuple[tuple[int, int], ...]) -> Hash32:
    """What a reporter signs."""
    head = b"coinone-oracle" + chain_id.to_bytes(8, "big") + time_ms.to_bytes(8, "big")
    return keccak256(head + rlp.encode([list(pair) for pair in prices]))


def transaction_hash(kind: int, digest: Hash32, signer: Address) -> Hash32:
    """What the chain files a signed transaction under."""
    return keccak256(bytes((kind,)) + digest + signer)
