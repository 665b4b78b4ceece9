"""Memory. The common case, a word inside what has been paid for, is a few machine instructions; else it grows first."""

from coinone.rules.vm.gas import COPY_PER_WORD
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import Status
from coinone.rules.vm.opcodes import Opcode


def _place(h: Handler, length: int) -> str:
    """Where `length` bytes at the offset on top lie. If they do not yet: grow, and begin this instruction anew."""
    offset, big = h.small(1)
    paid_for = h.call("i64", "llvm.usub.sat.i64", "i64 %size", f"i64 {length - 1}")
    missing = h.value(f"or i1 {big}, {h.compare('uge', offset, paid_for)}")
    with h.when_final(missing):
        h.jump_to(f"grow_{length}")
    return h.at("%memory", offset)


def grow_and_repeat(length: int) -> str:
    """A way around for `_place`, apart from it so that the instructions themselves call nothing."""
    h = Handler(Opcode(0, f"GROW{length}", 0, 0, 0, stop))
    gas = h.call("i64", f"reserve_{length}", "ptr %frame", f"ptr {h.slot(1)}", "i64 %gas", "i64 %size")
    with h.when_final(h.compare("slt", gas, 0)):
        h.leave_if(h.compare("eq", gas, -1), Status.OUT_OF_GAS)
        h.leave(Status.OUT_OF_MEMORY)
    h.gas, h.size = gas, h.number("MEMORY_SIZE")
    h.go_to("%code", "%stack")
    return h.function(f"grow_{length}")


def mload(h: Handler) -> None:
    h.put(h.byte_swap(h.load("i256", _place(h, 32), 1)), 1)
    h.next()


def mstore(h: Handler) -> None:
    place = _place(h, 32)
    h.store("i256", h.byte_swap(h.word(2)), place, 1)
    h.next()


def mstore8(h: Handler) -> None:
    place = _place(h, 1)
    h.store("i8", h.narrow(h.low(2), "i64", "i8"), place, 1)
    h.next()


def msize(h: Handler) -> None:
    h.put_small("%size", 0)
    h.next()


def mcopy(h: Handler) -> None:
    """`memmove`: as if the source were read whole before anything is written."""
    h.charge_words(3, COPY_PER_WORD)
    h.reserve(1, 3)
    h.reserve(2, 3)
    with h.when(h.compare("ne", h.low(3), 0)):
        target, source = h.at("%memory", h.low(1)), h.at("%memory", h.low(2))
        h.line(f"call void @llvm.memmove.p0.p0.i64(ptr {target}, ptr {source}, i64 {h.low(3)}, i1 false)")
    h.next()


FULL: dict[str, Full] = {
    "MLOAD": mload,
    "MSTORE": mstore,
    "MSTORE8": mstore8,
    "MSIZE": msize,
    "MCOPY": mcopy,
}
