"""Word arithmetic that takes more than one machine operation."""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.routines import routine

_TWO = "i256 %x, i256 %y"
_THREE = "i256 %x, i256 %y, i256 %n"


def functions() -> str:
    parts = (
        *[_quotient_or_remainder(name) for name in ("div", "mod")],
        *[_signed(name) for name in ("sdiv", "smod")],
        _addmod(),
        _mulmod(),
        _power(),
    )
    return "".join(parts)


def _reduce(e: Emitter, numerator: str, bits: int, divisor: str) -> tuple[str, str]:
    """Call the long division; return the addresses of quotient (the low 256 bits) and remainder."""
    source, by = e.variable(f"i{bits}", numerator), e.variable("i256", divisor)
    quotient, remainder = e.variable(f"i{bits}"), e.variable("i256")
    count = bits // 64
    e.line(f"call void @divide(ptr {source}, i64 {count}, ptr {by}, ptr {quotient}, ptr {remainder})")
    return quotient, remainder


def _quotient_or_remainder(name: str) -> str:
    """DIV or MOD: zero for a divisor of zero; fast paths if the numerator is smaller or all fits a limb."""
    e = Emitter()
    with e.when_final(e.compare("eq", "%y", 0, "i256")):
        e.line("ret i256 0")
    with e.when_final(e.compare("ult", "%x", "%y", "i256")):
        e.line(f"ret i256 {'0' if name == 'div' else '%x'}")
    with e.when_final(e.compare("ult", "%x", 1 << 64, "i256")):
        operation = "udiv" if name == "div" else "urem"
        short = e.op(operation, e.narrow("%x", "i256", "i64"), e.narrow("%y", "i256", "i64"))
        e.line(f"ret i256 {e.widen(short, 'i64', 'i256')}")
    quotient, remainder = _reduce(e, "%x", 256, "%y")
    e.line(f"ret i256 {e.load('i256', quotient if name == 'div' else remainder)}")
    return routine("i256", name, _TWO, e)


def _signed(name: str) -> str:
    """SDIV or SMOD on absolute values; the quotient is negative if signs differ, the remainder if x is."""
    e = Emitter()
    x_sign, y_sign = e.op("ashr", "%x", 255, "i256"), e.op("ashr", "%y", 255, "i256")
    x, y = _apply_sign(e, "%x", x_sign), _apply_sign(e, "%y", y_sign)
    result = e.call("i256", name[1:], f"i256 {x}", f"i256 {y}")
    sign = e.op("xor", x_sign, y_sign, "i256") if name == "sdiv" else x_sign
    e.line(f"ret i256 {_apply_sign(e, result, sign)}")
    return routine("i256", name, _TWO, e)


def _apply_sign(e: Emitter, word: str, sign: str) -> str:
    """Negate if `sign` is all ones, keep if it is zero."""
    return e.op("sub", e.op("xor", word, sign, "i256"), sign, "i256")


def _addmod() -> str:
    """ADDMOD: two reduced summands need at most one subtraction; else the long division."""
    e = Emitter()
    with e.when_final(e.compare("eq", "%n", 0, "i256")):
        e.line("ret i256 0")
    small = e.compare("ult", "%x", "%n", "i256")
    small = e.value(f"and i1 {small}, {e.compare('ult', '%y', '%n', 'i256')}")
    total = e.op("add", "%x", "%y", "i256")
    with e.when_final(small):
        over = e.value(
            f"or i1 {e.compare('ult', total, '%x', 'i256')}, {e.compare('uge', total, '%n', 'i256')}"
        )
        e.line(f"ret i256 {e.op('sub', total, e.select(over, 'i256', '%n', 0), 'i256')}")
    wide = e.op("add", e.widen("%x", "i256", "i320"), e.widen("%y", "i256", "i320"), "i320")
    _, remainder = _reduce(e, wide, 320, "%n")
    e.line(f"ret i256 {e.load('i256', remainder)}")
    return routine("i256", "addmod", _THREE, e)


def _mulmod() -> str:
    e = Emitter()
    with e.when_final(e.compare("eq", "%n", 0, "i256")):
        e.line("ret i256 0")
    wide = e.op("mul", e.widen("%x", "i256", "i512"), e.widen("%y", "i256", "i512"), "i512")
    _, remainder = _reduce(e, wide, 512, "%n")
    e.line(f"ret i256 {e.load('i256', remainder)}")
    return routine("i256", "mulmod", _THREE, e)


def _power() -> str:
    """EXP: square and multiply, from the exponent's lowest bit up."""
    e = Emitter()
    result, base, exponent = e.variable("i256", "1"), e.variable("i256", "%x"), e.variable("i256", "%y")
    with e.loop(lambda: e.compare("ne", e.load("i256", exponent), 0, "i256")):
        square = e.load("i256", base)
        left = e.load("i256", exponent)
        with e.when(e.narrow(left, "i256", "i1")):
            e.store("i256", e.op("mul", e.load("i256", result), square, "i256"), result)
        e.store("i256", e.op("mul", square, square, "i256"), base)
        e.store("i256", e.op("lshr", left, 1, "i256"), exponent)
    e.line(f"ret i256 {e.load('i256', result)}")
    return routine("i256", "power", _TWO, e)
