"""Why a frame ended without success.

An exceptional halt eats all the gas of its frame; a `Revert` hands the rest back with a reason. Either way
the state is as before the frame. Only frames end this way: the transaction around them stays valid.
"""


class FrameError(Exception):
    """Root of everything that ends a frame without success."""


class Revert(FrameError):
    """The REVERT instruction: gas that is left and the output go back to the caller."""


class ExceptionalHalt(FrameError):
    """The frame did something that is not allowed; all its gas is gone."""


class OutOfGas(ExceptionalHalt):
    pass


class OutOfMemory(ExceptionalHalt):
    """The live frames together passed the memory cap; no transaction under the gas cap can."""


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
    """A precompiled contract did not accept its input."""


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
