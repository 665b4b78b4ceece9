"""Divide two limbs by one without a division instruction (Moeller and Granlund, "Improved division by invariant
integers", 2011).

One reciprocal is computed per divisor, then each limb of the quotient costs two multiplications. Neither a 128-bit
division instruction nor a compiler support library is needed.
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.routines import routine

_ENTRIES = ", ".join([f"i16 {((1 << 19) - 3 * (1 << 8)) // d}" for d in range(256, 512)])
TABLE = f"@reciprocals = internal constant [256 x i16] [{_ENTRIES}]\n"


def reciprocal() -> str:
    """floor((2^128 - 1) / d) - 2^64 for a `d` whose top bit is set: algorithm 3, a table and three refinements."""
    e = Emitter()
    d = "%d"
    low_bit = e.op("and", d, 1)
    d40 = e.op("add", e.op("lshr", d, 24), 1)
    d63 = e.op("add", e.op("lshr", d, 1), low_bit)
    index = e.op("sub", e.op("lshr", d, 55), 256)
    entry = e.value(f"getelementptr i16, ptr @reciprocals, i64 {index}")
    v0 = e.widen(e.load("i16", entry, 2), "i16", "i64")
    square = e.op("mul", e.op("mul", v0, v0), d40)
    v1 = e.op("sub", e.op("sub", e.op("shl", v0, 11), e.op("lshr", square, 40)), 1)
    error = e.op("sub", 1 << 60, e.op("mul", v1, d40))
    v2 = e.op("add", e.op("shl", v1, 13), e.op("lshr", e.op("mul", v1, error), 47))
    half = e.op("and", e.op("lshr", v2, 1), e.op("sub", 0, low_bit))
    rest = e.op("sub", half, e.op("mul", v2, d63))
    high, _ = e.multiply(v2, rest)
    v3 = e.op("add", e.op("shl", v2, 31), e.op("lshr", high, 1))
    high, low = e.multiply(v3, d)
    carry = e.widen(e.compare("ult", e.op("add", low, d), low), "i1", "i64")
    v4 = e.op("sub", e.op("sub", v3, e.op("add", high, carry)), d)
    e.line(f"ret i64 {v4}")
    return routine("i64", "reciprocal", "i64 %d", e, "memory(none)")


def divide_two_by_one() -> str:
    """(high, low) / d with high < d, as {quotient, remainder}: algorithm 4."""
    e = Emitter()
    product = e.op("mul", e.widen("%v", "i64", "i128"), e.widen("%high", "i64", "i128"), "i128")
    both = e.op("shl", e.widen("%high", "i64", "i128"), 64, "i128")
    both = e.op("or", both, e.widen("%low", "i64", "i128"), "i128")
    total = e.op("add", product, both, "i128")
    low = e.narrow(total, "i128", "i64")
    guess = e.op("add", e.narrow(e.op("lshr", total, 64, "i128"), "i128", "i64"), 1)
    rest = e.op("sub", "%low", e.op("mul", guess, "%d"))
    too_big = e.compare("ugt", rest, low)
    guess = e.select(too_big, "i64", e.op("sub", guess, 1), guess)
    rest = e.select(too_big, "i64", e.op("add", rest, "%d"), rest)
    too_small = e.compare("uge", rest, "%d")
    guess = e.op("add", guess, e.widen(too_small, "i1", "i64"))
    rest = e.op("sub", rest, e.select(too_small, "i64", "%d", 0))
    pair = e.value(f"insertvalue {{i64, i64}} zeroinitializer, i64 {guess}, 0")
    e.line(f"ret {{i64, i64}} {e.value(f'insertvalue {{i64, i64}} {pair}, i64 {rest}, 1')}")
    return routine(
        "{i64, i64}", "divide_2by1", "i64 %high, i64 %low, i64 %d, i64 %v", e, "memory(none) alwaysinline"
    )


def two_by_one(e: Emitter, high: str, low: str, d: str, v: str) -> tuple[str, str]:
    pair = e.call("{i64, i64}", "divide_2by1", f"i64 {high}", f"i64 {low}", f"i64 {d}", f"i64 {v}")
    return e.value(f"extractvalue {{i64, i64}} {pair}, 0"), e.value(f"extractvalue {{i64, i64}} {pair}, 1")
