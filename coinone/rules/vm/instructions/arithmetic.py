"""Arithmetic: words are unsigned unless an instruction's name begins with S; overflow wraps."""

from coinone.base.primitives.integers import U256_MAX, div_toward_zero
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.gas import EXPONENTIATION_PER_BYTE, charge

_SIGN_BIT = 1 << 255
_MODULUS = 1 << 256


def to_signed(word: int) -> int:
    """The two's complement meaning of a word."""
    return word - _MODULUS if word & _SIGN_BIT else word


def add(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append((x + y) & U256_MAX)


def sub(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append((x - y) & U256_MAX)


def mul(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    y = stack.pop()
    # OPERATION
    stack.append((x * y) & U256_MAX)


def div(frame: Frame, stack: list[int]) -> None:
    # STACK
    dividend = stack.pop()
    divisor = stack.pop()
    # OPERATION
    stack.append(dividend // divisor if divisor else 0)


def sdiv(frame: Frame, stack: list[int]) -> None:
    # STACK
    dividend = to_signed(stack.pop())
    divisor = to_signed(stack.pop())
    # OPERATION
    quotient = div_toward_zero(dividend, divisor) if divisor else 0
    stack.append(quotient & U256_MAX)


def mod(frame: Frame, stack: list[int]) -> None:
    # STACK
    x = stack.pop()
    modulus = stack.pop()
    # OPERATION
    stack.append(x % modulus if modulus else 0)


def smod(frame: Frame, stack: list[int]) -> None:
    """The remainder takes the sign of the dividend."""
    # STACK
    x = to_signed(stack.pop())
    modulus = to_signed(stack.pop())
    # OPERATION
    remainder = abs(x) % abs(modulus) if modulus else 0
    stack.append((-remainder if x < 0 else remainder) & U256_MAX)


def addmod(frame: Frame, stack: list[int]) -> None:
    """The sum does not wrap before it is reduced."""
    # STACK
    x = stack.pop()
    y = stack.pop()
    modulus = stack.pop()
    # OPERATION
    stack.append((x + y) % modulus if modulus else 0)


def mulmod(frame: Frame, stack: list[int]) -> None:
    """The product does not wrap before it is reduced."""
    # STACK
    x = stack.pop()
    y = stack.pop()
    modulus = stack.pop()
    # OPERATION
    stack.append((x * y) % modulus if modulus else 0)


def exp(frame: Frame, stack: list[int]) -> None:
    # STACK
    base = stack.pop()
    exponent = stack.pop()
    # GAS
    exponent_bytes = (exponent.bit_length() + 7) >> 3
    charge(frame, EXPONENTIATION_PER_BYTE * exponent_bytes)
    # OPERATION
    stack.append(pow(base, exponent, _MODULUS))


def signextend(frame: Frame, stack: list[int]) -> None:
    """Widen a signed number whose lowest byte is byte 0 and whose highest is byte `last`."""
    # STACK
    last = stack.pop()
    word = stack.pop()
    # OPERATION
    if last < 31:
        bits = 8 * last + 8
        word &= (1 << bits) - 1
        if word >> (bits - 1):
            word |= U256_MAX ^ ((1 << bits) - 1)
    stack.append(word)
