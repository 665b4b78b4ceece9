"""Addresses of new contracts, addresses in stack words, and delegations (set-code transactions)."""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.types import Address, Hash32

ADDRESS_MASK = (1 << 160) - 1
DELEGATION_PREFIX = b"\xef\x01\x00"
DELEGATION_SIZE = len(DELEGATION_PREFIX) + 20


def to_address(word: int) -> Address:
    """The address in the low 20 bytes of a stack word."""
    return (word & ADDRESS_MASK).to_bytes(20, "big")


def create_address(creator: Address, nonce: int) -> Address:
    """The address of a contract created by CREATE or by a transaction."""
    return keccak256(rlp.encode([creator, nonce]))[12:]


def create2_address(creator: Address, salt: int, init_code: bytes) -> Address:
    """The address of a contract created by CREATE2, known in advance."""
    salt_bytes: Hash32 = salt.to_bytes(32, "big")
    return keccak256(b"\xff" + creator + salt_bytes + keccak256(init_code))[12:]


def delegate_of(code: bytes) -> Address | None:
    """The account whose code runs instead, if `code` is a delegation."""
    if len(code) == DELEGATION_SIZE and code.startswith(DELEGATION_PREFIX):
        return code[len(DELEGATION_PREFIX) :]
    return None
