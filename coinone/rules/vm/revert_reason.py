"""Decode revert reasons: Solidity encodes them as a call of `Error(string)` or `Panic(uint256)`."""

_ERROR = bytes.fromhex("08c379a0")  # first four bytes of keccak("Error(string)")
_PANIC = bytes.fromhex("4e487b71")  # of keccak("Panic(uint256)")

PANICS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


def revert_reason(output: bytes) -> str | None:
    """The reason in the output of a revert, or None if it has neither form."""
    if output.startswith(_ERROR) and len(output) >= 68:
        offset = int.from_bytes(output[4:36], "big")
        size = int.from_bytes(output[4 + offset : 36 + offset], "big")
        text = output[36 + offset : 36 + offset + size]
        return text.decode(errors="replace") if len(text) == size else None
    if output.startswith(_PANIC) and len(output) == 36:
        code = int.from_bytes(output[4:], "big")
        return PANICS.get(code, f"unknown panic code: 0x{code:x}")
    return None
