"""Memory. The common case, a word within paid memory, takes a few machine instructions; else memory grows first."""

from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.gas import COPY_PER_WORD
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import ExitStatus


def grow_and_repeat(length: int) -> str:
    """The slow path of `place`, a separate function so that the instructions themselves call nothing."""
    h = Handler(Opcode(0, f"GROW{length}", 0, 0, 0, stop))
    gas = h.call("i64", f"reserve_{length}", "ptr %frame", f"ptr {h.slot(1)}", "i64 %gas", "i64 %size")
    with h.when_final(h.compare("slt", gas, 0)):
        h.leave_if(h.compare("eq", gas, -1), ExitStatus.OUT_OF_GAS)
        h.leave(ExitStatus.OUT_OF_MEMORY)
    h.gas, h.size = gas, h.number("MEMORY_SIZE")
    h.go_to("%code", "%stack")
    return h.function(f"grow_{length}")


def mload(h: Handler) -> None:
    h.put(h.byte_swap(h.load("i256", h.place(32), 1)), 1)
    h.next()


def mstore(h: Handler) -> None:
    place = h.place(32)
    h.store("i256", h.byte_swap(h.word(2)), place, 1)
    h.next()


def mstore8(h: Handler) -> None:
    place = h.place(1)
    h.store("i8", h.narrow(h.low(2), "i64", "i8"), place, 1)
    h.next()


def msize(h: Handler) -> None:
    h.put_small(h.size, 0)
    h.next()


def mcopy(h: Handler) -> None:
    """MCOPY by `memmove`: as if the source were read completely before the write."""
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
