"""EIP-55: addresses in mixed case, where the case of the letters is a checksum.

geth's messages and some of its answers write addresses this way.
"""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Address


def checksummed(address: Address) -> str:
    """The address with 0x: a letter is upper case where that digit of its lower-case text's hash is 8 or more."""
    digits = address.hex()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if mark >= "8" else digit for digit, mark in zip(digits, marks, strict=False)
    )
