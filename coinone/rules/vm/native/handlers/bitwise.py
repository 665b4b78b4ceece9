"""Bits. LLVM leaves a shift by 256 or more undefined: the amount is bounded first, the result selected after."""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full, Pure


def shift(operation: str) -> Pure:
    def emit(e: Emitter, amount: str, word: str) -> str:
        beyond = e.compare("ugt", amount, 255, "i256")
        shifted = e.op(operation, word, e.select(beyond, "i256", 255, amount), "i256")
        return shifted if operation == "ashr" else e.select(beyond, "i256", 0, shifted)

    return emit


def get_byte(e: Emitter, index: str, word: str) -> str:
    beyond = e.compare("ugt", index, 31, "i256")
    amount = e.op("sub", 248, e.op("shl", e.select(beyond, "i256", 31, index), 3, "i256"), "i256")
    byte = e.op("and", e.op("lshr", word, amount, "i256"), 255, "i256")
    return e.select(beyond, "i256", 0, byte)


def limb_by_limb(operation: str) -> Full:
    def emit(h: Handler) -> None:
        for x, y in zip(h.limbs(1), h.limbs(2), strict=True):
            h.store("i64", h.op(operation, h.load("i64", x), h.load("i64", y)), y)
        h.next()

    return emit


def bitwise_not(h: Handler) -> None:
    for limb in h.limbs(1):
        h.store("i64", h.op("xor", h.load("i64", limb), -1), limb)
    h.next()


def count_leading_zeros(e: Emitter, word: str) -> str:
    return e.call("i256", "llvm.ctlz.i256", f"i256 {word}", "i1 false")


PURE: dict[str, Pure] = {
    "BYTE": get_byte,
    "SHL": shift("shl"),
    "SHR": shift("lshr"),
    "SAR": shift("ashr"),
    "CLZ": count_leading_zeros,
}
FULL: dict[str, Full] = {
    "AND": limb_by_limb("and"),
    "OR": limb_by_limb("or"),
    "XOR": limb_by_limb("xor"),
    "NOT": bitwise_not,
}
