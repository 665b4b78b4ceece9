"""Comparisons: 1 for true, 0 for false."""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full, Pure


def comparison(how: str) -> Pure:
    def emit(e: Emitter, x: str, y: str) -> str:
        return e.widen(e.compare(how, x, y, "i256"), "i1", "i256")

    return emit


def equal(h: Handler) -> None:
    pairs = zip(h.limbs(1), h.limbs(2), strict=True)
    different = h.any_bit([h.op("xor", h.load("i64", x), h.load("i64", y)) for x, y in pairs])
    h.put_small(h.widen(h.compare("eq", different, 0), "i1", "i64"), 2)
    h.next()


def is_zero(h: Handler) -> None:
    h.put_small(h.widen(h.is_zero(1), "i1", "i64"), 1)
    h.next()


PURE: dict[str, Pure] = {
    "LT": comparison("ult"),
    "GT": comparison("ugt"),
    "SLT": comparison("slt"),
    "SGT": comparison("sgt"),
}
FULL: dict[str, Full] = {"EQ": equal, "ISZERO": is_zero}
