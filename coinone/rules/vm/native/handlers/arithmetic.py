"""Arithmetic. Division, and what is built on it, is in `routines/division.py`."""

from coinone.rules.vm.gas import EXPONENTIATION_PER_BYTE
from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full, Pure, binary, function


def signextend(e: Emitter, last: str, word: str) -> str:
    """Shift the number's sign to the top and back; positions from 31 on leave the word as it is."""
    beyond = e.compare("ugt", last, 30, "i256")
    position = e.select(beyond, "i256", 31, last)
    up = e.op("sub", 248, e.op("shl", position, 3, "i256"), "i256")
    return e.op("ashr", e.op("shl", word, up, "i256"), up, "i256")


def exp(h: Handler) -> None:
    exponent = h.word(2)
    zeros = h.narrow(h.call("i256", "llvm.ctlz.i256", f"i256 {exponent}", "i1 false"), "i256", "i64")
    length = h.op("lshr", h.op("sub", 263, zeros), 3)
    h.charge(h.op("mul", length, EXPONENTIATION_PER_BYTE))
    h.put(h.call("i256", "power", f"i256 {h.word(1)}", f"i256 {exponent}"), 2)
    h.next()


PURE: dict[str, Pure] = {
    "ADD": binary("add"),
    "MUL": binary("mul"),
    "SUB": binary("sub"),
    "DIV": function("div"),
    "SDIV": function("sdiv"),
    "MOD": function("mod"),
    "SMOD": function("smod"),
    "ADDMOD": function("addmod"),
    "MULMOD": function("mulmod"),
    "SIGNEXTEND": signextend,
}
FULL: dict[str, Full] = {"EXP": exp}
