"""Words of Ethereum's contract ABI: every static argument is one of 32 bytes, big-endian.

Source: the Solidity ABI specification. Only what the project itself sends and reads: unsigned integers and addresses.
"""

from coinone.base.primitives.types import Address

WORD = 32
_ADDRESS = 20


def uint_word(value: int) -> bytes:
    """An unsigned integer as an argument or a topic; below 2^256."""
    return value.to_bytes(WORD, "big")


def address_word(address: Address) -> bytes:
    """An address as an argument or a topic."""
    return address.rjust(WORD, b"\0")


def read_uint(data: bytes, at: int = 0) -> int:
    """The unsigned integer in the word that begins at byte `at`; bytes beyond the end of `data` do not count."""
    return int.from_bytes(data[at : at + WORD], "big")


def read_address(data: bytes, at: int = 0) -> Address:
    """The address in the word that begins at byte `at`."""
    return data[at + WORD - _ADDRESS : at + WORD]
