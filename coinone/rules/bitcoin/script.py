"""Scripts as far as a peg reads and writes them: pushes, OP_RETURN, the five standard outputs. Nothing is executed."""

from enum import Enum
from typing import NamedTuple

from coinone.base.primitives.errors import DecodeError
from coinone.rules.bitcoin.encoding import ByteReader

OP_RETURN = 0x6A
PUSH_MAX = 75  # bytes that an opcode of their own length pushes
_PUSHDATA = {0x4C: 1, 0x4D: 2, 0x4E: 4}  # opcode -> width of the length behind it
_OP_0, _OP_1NEGATE, _OP_1, _OP_16 = 0x00, 0x4F, 0x51, 0x60


class ScriptOp(NamedTuple):
    opcode: int
    data: bytes | None  # what it pushes; None if it does something else


def operations(script: bytes) -> tuple[ScriptOp, ...]:
    """A script taken apart. Raises DecodeError if a push is longer than what is left."""
    reader = ByteReader(script)
    found = []
    while reader.left:
        opcode = reader.integer(1)
        found.append(ScriptOp(opcode, _pushed(opcode, reader)))
    return tuple(found)


def _pushed(opcode: int, reader: ByteReader) -> bytes | None:
    if opcode <= PUSH_MAX:
        return reader.take(opcode)
    if opcode in _PUSHDATA:
        return reader.take(reader.integer(_PUSHDATA[opcode]))
    if opcode == _OP_1NEGATE:
        return b"\x81"
    return bytes((opcode - _OP_1 + 1,)) if _OP_1 <= opcode <= _OP_16 else None


def push(data: bytes) -> bytes:
    """The script that pushes `data`, with the shortest length. One byte from 1 to 16 has a shorter form still."""
    if len(data) <= PUSH_MAX:
        return bytes((len(data),)) + data
    assert len(data) <= 0xFFFF, "no script pushes so much"
    head = b"\x4c" + bytes((len(data),)) if len(data) <= 0xFF else b"\x4d" + len(data).to_bytes(2, "little")
    return head + data


def returned(script: bytes) -> tuple[bytes, ...] | None:
    """What an OP_RETURN output holds, push by push; None if it is another output, or not only pushes follow."""
    if script[:1] != bytes((OP_RETURN,)):
        return None
    try:
        pushed = [operation.data for operation in operations(script[1:])]
    except DecodeError:
        return None
    data = tuple(part for part in pushed if part is not None)
    return data if len(data) == len(pushed) else None


def pushes_only(script: bytes) -> tuple[bytes, ...] | None:
    """What an input's script pushes; None if it does anything else."""
    return returned(bytes((OP_RETURN,)) + script)


class OutputKind(Enum):
    P2PKH = "pay to public key hash"
    P2SH = "pay to script hash"
    P2WPKH = "pay to witness public key hash"
    P2WSH = "pay to witness script hash"
    P2TR = "pay to taproot"


_FORMS = {  # kind -> what stands before the hash or key, how long that is, what follows
    OutputKind.P2PKH: (b"\x76\xa9\x14", 20, b"\x88\xac"),
    OutputKind.P2SH: (b"\xa9\x14", 20, b"\x87"),
    OutputKind.P2WPKH: (b"\x00\x14", 20, b""),
    OutputKind.P2WSH: (b"\x00\x20", 32, b""),
    OutputKind.P2TR: (b"\x51\x20", 32, b""),
}


class Destination(NamedTuple):
    """What an address says: the kind of output, and the hash of a key or script, or a taproot key."""

    kind: OutputKind
    payload: bytes

    @property
    def script(self) -> bytes:
        before, size, behind = _FORMS[self.kind]
        if len(self.payload) != size:
            raise DecodeError("bitcoin: length of an address", want=size, have=len(self.payload))
        return before + self.payload + behind


def destination_of(script: bytes) -> Destination | None:
    """Whom an output pays, if it has a standard form."""
    for kind, (before, size, behind) in _FORMS.items():
        payload = script[len(before) : len(before) + size]
        if len(payload) == size and script == before + payload + behind:
            return Destination(kind, payload)
    return None
