"""Helpers of precompiled contracts."""

from coinone.rules.vm.errors import OutOfGas

TRUE = (1).to_bytes(32, "big")
FALSE = bytes(32)


def pay(cost: int, gas: int) -> int:
    """Return the cost if `gas` covers it. Raises OutOfGas."""
    if cost > gas:
        raise OutOfGas
    return cost


def read(data: bytes, offset: int, size: int) -> bytes:
    """`size` bytes at `offset`, padded with zeros."""
    return data[offset : offset + size].ljust(size, b"\0")


def read_int(data: bytes, offset: int, size: int = 32) -> int:
    return int.from_bytes(read(data, offset, size), "big")
