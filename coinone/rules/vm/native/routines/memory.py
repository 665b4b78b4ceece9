"""Memory growth (charging, clearing, bounds), and copies that pad with zeros.

Memory is accessed only after `reserve`, so every read and write is inside the arena.
"""

from coinone.rules.vm.gas import MEMORY_PER_WORD, MEMORY_QUADRATIC_DIVISOR
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import FRAME
from coinone.rules.vm.native.routines import routine

_BOUND = 1 << 32  # an end beyond this costs more than any gas below 2^63 that also fits the cap

# Both `reserve`s return the gas left, -1 for out of gas, -2 for out of memory.


def functions() -> str:
    return _grow() + _reserve() + _reserve_fixed(32) + _reserve_fixed(1) + _copy_padded() + _load_padded()


def _grow() -> str:
    """grow(frame, end, gas, size): memory of at least `end` bytes; `end` is below 2^34."""
    e = Emitter()
    e.store("i64", "%size", e.at("%frame", FRAME["MEMORY_SIZE"]))
    with e.when_final(e.compare("ule", "%end", "%size")):
        e.line("ret i64 %gas")
    want = e.op("lshr", e.op("add", "%end", 31), 5)
    cost = e.op("sub", _price(e, want), _price(e, e.op("lshr", "%size", 5)))
    left = e.op("sub", "%gas", cost)
    with e.when_final(e.compare("slt", left, 0)):
        e.line("ret i64 -1")
    size = e.op("shl", want, 5)
    with e.when_final(e.compare("ugt", size, e.load("i64", e.at("%frame", FRAME["MEMORY_LIMIT"])))):
        e.line("ret i64 -2")
    fresh = e.at(e.load("ptr", e.at("%frame", FRAME["MEMORY"])), "%size")
    e.line(f"call void @llvm.memset.p0.i64(ptr {fresh}, i8 0, i64 {e.op('sub', size, '%size')}, i1 false)")
    e.store("i64", size, e.at("%frame", FRAME["MEMORY_SIZE"]))
    e.line(f"ret i64 {left}")
    return routine("i64", "grow", "ptr %frame, i64 %end, i64 %gas, i64 %size", e, "noinline")


def _price(e: Emitter, words: str) -> str:
    quadratic = e.op("udiv", e.op("mul", words, words), MEMORY_QUADRATIC_DIVISOR)
    return e.op("add", e.op("mul", words, MEMORY_PER_WORD), quadratic)


def _small(e: Emitter, word: str) -> tuple[str, str]:
    """The low limb of the word at an address, and whether (i1) the word is 2^32 or more."""
    low = e.load("i64", word)
    rest = [e.load("i64", e.limb(word, i)) for i in (1, 2, 3)]
    others = e.op("or", e.op("or", rest[0], rest[1]), e.op("or", rest[2], e.op("lshr", low, 32)))
    return low, e.compare("ne", others, 0)


def _reserve() -> str:
    """Reserve a range given by two words; an empty one needs nothing, whatever its offset."""
    e = Emitter()
    count, count_big = _small(e, "%count")
    empty = e.compare("eq", count, 0)
    with e.when_final(e.value(f"and i1 {empty}, {e.value(f'xor i1 {count_big}, true')}")):
        e.store("i64", "%size", e.at("%frame", FRAME["MEMORY_SIZE"]))
        e.line("ret i64 %gas")
    offset, offset_big = _small(e, "%offset")
    with e.when_final(e.value(f"or i1 {count_big}, {offset_big}")):
        e.line("ret i64 -1")
    end = e.op("add", offset, count)
    with e.when_final(e.compare("ugt", end, "%size")):
        e.line(f"ret i64 {e.call('i64', 'grow', 'ptr %frame', f'i64 {end}', 'i64 %gas', 'i64 %size')}")
    e.store("i64", "%size", e.at("%frame", FRAME["MEMORY_SIZE"]))
    e.line("ret i64 %gas")
    return routine("i64", "reserve", "ptr %frame, ptr %offset, ptr %count, i64 %gas, i64 %size", e)


def _reserve_fixed(length: int) -> str:
    e = Emitter()
    offset, big = _small(e, "%offset")
    with e.when_final(big):
        e.line("ret i64 -1")
    end = e.op("add", offset, length)
    e.line(f"ret i64 {e.call('i64', 'grow', 'ptr %frame', f'i64 {end}', 'i64 %gas', 'i64 %size')}")
    return routine("i64", f"reserve_{length}", "ptr %frame, ptr %offset, i64 %gas, i64 %size", e, "noinline")


def _copy_padded() -> str:
    """copy_padded(target, count, source, have, ptr offset): copy, padded with zeros beyond the source."""
    e = Emitter()
    low = e.load("i64", "%offset")
    rest = [e.load("i64", e.limb("%offset", i)) for i in (1, 2, 3)]
    big = e.compare("ne", e.op("or", e.op("or", rest[0], rest[1]), rest[2]), 0)
    beyond = e.value(f"or i1 {big}, {e.compare('uge', low, '%have')}")
    with e.when_final(beyond):
        e.line("call void @llvm.memset.p0.i64(ptr %target, i8 0, i64 %count, i1 false)")
        e.line("ret void")
    there = e.op("sub", "%have", low)
    copied = e.select(e.compare("ult", there, "%count"), "i64", there, "%count")
    source = e.at("%source", low)
    e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr {source}, i64 {copied}, i1 false)")
    missing = e.op("sub", "%count", copied)
    e.line(f"call void @llvm.memset.p0.i64(ptr {e.at('%target', copied)}, i8 0, i64 {missing}, i1 false)")
    e.line("ret void")
    parameters = "ptr %target, i64 %count, ptr %source, i64 %have, ptr %offset"
    return routine("void", "copy_padded", parameters, e, "noinline")


def _load_padded() -> str:
    """load_padded(slot, data, have): replace the offset in the slot by the word of data at that offset."""
    e = Emitter()
    low = e.load("i64", "%slot")
    rest = [e.load("i64", e.limb("%slot", i)) for i in (1, 2, 3)]
    big = e.compare("ne", e.op("or", e.op("or", rest[0], rest[1]), rest[2]), 0)
    enough = e.call("i64", "llvm.usub.sat.i64", "i64 %have", "i64 31")
    partly = e.value(f"or i1 {big}, {e.compare('uge', low, enough)}")
    buffer = e.variable("i256", "0")
    with e.when_final(partly):
        e.line(f"call void @copy_padded(ptr {buffer}, i64 32, ptr %data, i64 %have, ptr %slot)")
        e.store("i256", e.byte_swap(e.load("i256", buffer)), "%slot", 32)
        e.line("ret void")
    e.store("i256", e.byte_swap(e.load("i256", e.at("%data", low), 1)), "%slot", 32)
    e.line("ret void")
    return routine("void", "load_padded", "ptr %slot, ptr %data, i64 %have", e)
