"""Errors that end a frame without success.

An exceptional halt consumes all gas of its frame; a `Revert` returns the rest with a reason. Either way the state is
as before the frame. Only frames end this way: the transaction remains valid.
"""


class FrameError(Exception):
    """Base class of the errors that end a frame."""


class Revert(FrameError):
    """The REVERT instruction: remaining gas and output return to the caller."""


class ExceptionalHalt(FrameError):
    """The frame did something forbidden; all its gas is consumed."""


class OutOfGas(ExceptionalHalt):
    pass


class OutOfMemory(ExceptionalHalt):
    """The live frames together exceeded the memory cap, which no transaction within the gas cap can do."""


class StackUnderflow(ExceptionalHalt):
    pass


class StackOverflow(ExceptionalHalt):
    pass


class InvalidOpcode(ExceptionalHalt):
    pass


class InvalidJump(ExceptionalHalt):
    pass


class WriteProtection(ExceptionalHalt):
    """A write, log, creation or payment under STATICCALL."""


class ReturnDataOutOfBounds(ExceptionalHalt):
    pass


class AddressCollision(ExceptionalHalt):
    """The address of a new contract is already in use."""


class InvalidContractPrefix(ExceptionalHalt):
    """New code must not begin with 0xEF, which is reserved."""


class CodeTooLarge(ExceptionalHalt):
    pass


class PrecompileFailure(ExceptionalHalt):
    """A precompiled contract rejected its input."""


_DESCRIPTIONS: dict[type[FrameError], str] = {
    Revert: "execution reverted",
    OutOfGas: "out of gas",
    OutOfMemory: "memory limit exceeded",
    StackUnderflow: "stack underflow",
    StackOverflow: "stack limit reached 1024",
    InvalidOpcode: "invalid opcode",
    InvalidJump: "invalid jump destination",
    WriteProtection: "write protection",
    ReturnDataOutOfBounds: "return data out of bounds",
    AddressCollision: "contract address collision",
    InvalidContractPrefix: "invalid code: must not begin with 0xef",
    CodeTooLarge: "max code size exceeded",
    PrecompileFailure: "invalid input to a precompiled contract",
}


def describe(error: FrameError) -> str:
    """The error in the words that Ethereum's tools expect."""
    return _DESCRIPTIONS[type(error)]
