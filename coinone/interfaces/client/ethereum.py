"""Ethereum for trading programs: sign a transaction, transfer the ERC-20 quote token.

A deposit is an ERC-20 `transfer` to the token's system address (0x20, zeros, token index: Hyperliquid's convention); a
withdrawal is an exchange action. For anything more use web3.py, which works unchanged.
"""

from dataclasses import dataclass

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.abi import address_word, uint_word
from coinone.base.primitives.rlp import encode
from coinone.base.primitives.types import Address

TRANSFER = keccak256(b"transfer(address,uint256)")[:4]
BALANCE_OF = keccak256(b"balanceOf(address)")[:4]
_DYNAMIC_FEE = b"\x02"  # EIP-1559's transaction type


@dataclass(frozen=True, slots=True)
class Transaction:
    """A fee-market transaction (EIP-1559) to be signed."""

    chain_id: int
    nonce: int
    max_priority_fee: int
    max_fee: int
    gas: int
    to: Address | None
    value: int
    data: bytes

    def sign(self, key: bytes) -> bytes:
        """The signed bytes for eth_sendRawTransaction."""
        fields = (
            self.chain_id,
            self.nonce,
            self.max_priority_fee,
            self.max_fee,
            self.gas,
            self.to or b"",
            self.value,
            self.data,
            (),  # no access list
        )
        r, s, v = sign(keccak256(_DYNAMIC_FEE + encode(fields)), key)
        return _DYNAMIC_FEE + encode((*fields, v - 27, r, s))


def transfer_data(to: Address, units: int) -> bytes:
    """Call data of ERC-20 transfer(to, units)."""
    return TRANSFER + address_word(to) + uint_word(units)


def balance_of_data(owner: Address) -> bytes:
    """Call data of ERC-20 balanceOf(owner)."""
    return BALANCE_OF + address_word(owner)


def system_address(token_index: int) -> Address:
    """The address to which a transfer of the token is a deposit to the exchange."""
    return (0x20 << 152 | token_index).to_bytes(20, "big")
