"""An account, and the database encoding of accounts and storage slots."""

from typing import NamedTuple

from coinone.base.crypto.keccak import EMPTY_HASH
from coinone.base.primitives.types import Address, Hash32


class Account(NamedTuple):
    """One account's own fields. Its storage root exists only in the trie, computed when a block is sealed."""

    nonce: int = 0
    balance: int = 0
    code_hash: Hash32 = EMPTY_HASH

    @property
    def is_empty(self) -> bool:
        """EIP-161: no nonce, no balance, no code."""
        return self.nonce == 0 and self.balance == 0 and self.code_hash == EMPTY_HASH


EMPTY_ACCOUNT = Account()


def encode_account(account: Account) -> bytes:
    head = account.nonce.to_bytes(8, "big") + account.balance.to_bytes(32, "big")
    return head if account.code_hash == EMPTY_HASH else head + account.code_hash


def decode_account(data: bytes) -> Account:
    assert len(data) in (40, 72), "an account row has 40 or 72 bytes"
    code_hash = data[40:] or EMPTY_HASH
    return Account(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:40], "big"), code_hash)


def storage_key(address: Address, slot: int) -> bytes:
    return address + slot.to_bytes(32, "big")


def encode_slot(value: int) -> bytes | None:
    """A slot's row, or None for zero, which is not stored."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big") if value else None
