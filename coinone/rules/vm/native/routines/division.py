"""Long division of words in limbs of 64 bits (Knuth, The Art of Computer Programming 2, algorithm D).

`divide` takes a numerator of `count` limbs and a word as divisor, not zero, and writes quotient and remainder.
Division by zero never reaches it: the Yellow Paper's answer, 0, is given before.
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.routines import routine
from coinone.rules.vm.native.routines.reciprocal import two_by_one

LIMBS = 4


def divide() -> str:
    """divide(ptr numerator, count, ptr divisor, ptr quotient [count limbs], ptr remainder [4 limbs])."""
    e = Emitter()
    n = _length(e, "%divisor", str(LIMBS))
    top = e.load("i64", e.limb("%divisor", e.op("sub", n, 1)))
    shift = e.call("i64", "llvm.ctlz.i64", f"i64 {top}", "i1 true")
    u = e.variable("[9 x i64]")
    v = e.variable("[5 x i64]")
    _shift_left(e, "%numerator", "%count", shift, u)
    _shift_left(e, "%divisor", n, shift, v)
    m = _length(e, u, e.op("add", "%count", 1))
    _fill_zero(e, "%quotient", "%count")
    with e.when(e.compare("ugt", m, 0)):
        with e.when(e.compare("eq", n, 1)):
            _by_one_limb(e, u, m, e.load("i64", v))
        with e.when(e.compare("ugt", n, 1)):
            limbs = e.select(
                e.compare("ugt", m, "%count"), "i64", "%count", m
            )  # the limb above gives quotient 0
            e.line(f"call void @divide_long(ptr {u}, i64 {limbs}, ptr {v}, i64 {n}, ptr %quotient)")
    _shift_right(e, u, shift, "%remainder")
    e.line("ret void")
    parameters = "ptr %numerator, i64 %count, ptr %divisor, ptr %quotient, ptr %remainder"
    return routine("void", "divide", parameters, e)


def _length(e: Emitter, limbs: str, most: str) -> str:
    """The number of limbs without leading zeros."""
    length = e.variable("i64", most)
    going = e.variable("i1", "true")

    def more() -> str:
        return e.value(f"and i1 {e.load('i1', going)}, {e.compare('ne', e.load('i64', length), 0)}")

    with e.loop(more):
        below = e.op("sub", e.load("i64", length), 1)
        zero = e.compare("eq", e.load("i64", e.limb(limbs, below)), 0)
        e.store("i64", e.select(zero, "i64", below, e.load("i64", length)), length)
        e.store("i1", zero, going)
    return e.load("i64", length)


def _fill_zero(e: Emitter, limbs: str, count: str) -> None:
    e.line(f"call void @llvm.memset.p0.i64(ptr {limbs}, i8 0, i64 {e.op('shl', count, 3)}, i1 false)")


def _shift_left(e: Emitter, source: str, count: str, shift: str, target: str) -> None:
    """target[0 .. count] = source[0 .. count - 1] << shift, shift being below 64."""
    index = e.variable("i64", "0")
    carry = e.variable("i64", "0")
    with e.loop(lambda: e.compare("ult", e.load("i64", index), count)):
        i = e.load("i64", index)
        limb = e.load("i64", e.limb(source, i))
        shifted = e.call("i64", "llvm.fshl.i64", f"i64 {limb}", f"i64 {e.load('i64', carry)}", f"i64 {shift}")
        e.store("i64", shifted, e.limb(target, i))
        e.store("i64", limb, carry)
        e.store("i64", e.op("add", i, 1), index)
    last = e.call("i64", "llvm.fshl.i64", "i64 0", f"i64 {e.load('i64', carry)}", f"i64 {shift}")
    e.store("i64", last, e.limb(target, count))


def _shift_right(e: Emitter, source: str, shift: str, target: str) -> None:
    """target[0 .. 3] = source[0 .. 4] >> shift, shift being below 64."""
    for i in range(LIMBS):
        low, high = e.load("i64", e.limb(source, i)), e.load("i64", e.limb(source, i + 1))
        shifted = e.call("i64", "llvm.fshr.i64", f"i64 {high}", f"i64 {low}", f"i64 {shift}")
        e.store("i64", shifted, e.limb(target, i))


def _by_one_limb(e: Emitter, u: str, m: str, d: str) -> None:
    """Schoolbook division from the top limb down; the remainder stays in u[0]."""
    v = e.call("i64", "reciprocal", f"i64 {d}")
    index = e.variable("i64", e.op("sub", m, 1))
    top = e.load("i64", e.limb(u, e.load("i64", index)))
    rest = e.variable("i64", top)
    e.store("i64", "0", e.limb(u, e.load("i64", index)))
    below = e.compare("ult", top, d)
    with e.when(e.value(f"xor i1 {below}, true")):  # only if the numerator's top limb is that large
        e.store("i64", "1", e.limb("%quotient", e.load("i64", index)))
        e.store("i64", e.op("sub", top, d), rest)
    with e.loop(lambda: e.compare("ugt", e.load("i64", index), 0)):
        i = e.op("sub", e.load("i64", index), 1)
        q, r = two_by_one(e, e.load("i64", rest), e.load("i64", e.limb(u, i)), d, v)
        e.store("i64", q, e.limb("%quotient", i))
        e.store("i64", "0", e.limb(u, i))
        e.store("i64", r, rest)
        e.store("i64", i, index)
    e.store("i64", e.load("i64", rest), e.limb(u, 0))


def divide_long() -> str:
    """Algorithm D proper: u of m limbs (and a zero one above) by v of n >= 2 limbs, normalised."""
    e = Emitter()
    top = e.load("i64", e.limb("%v", e.op("sub", "%n", 1)))
    second = e.load("i64", e.limb("%v", e.op("sub", "%n", 2)))
    inverse = e.call("i64", "reciprocal", f"i64 {top}")
    begin = e.op("add", e.op("sub", "%m", "%n"), 1)
    index = e.variable("i64", e.select(e.compare("sgt", begin, 0), "i64", begin, 0))
    with e.loop(lambda: e.compare("ugt", e.load("i64", index), 0)):
        j = e.op("sub", e.load("i64", index), 1)
        e.store("i64", j, index)
        window = e.limb("%u", j)
        guess = _guess(e, window, top, second, inverse)
        quotient = e.call("i64", "subtract_multiple", f"ptr {window}", "ptr %v", "i64 %n", f"i64 {guess}")
        with e.when(e.compare("ne", quotient, 0)):
            e.store("i64", quotient, e.limb("%quotient", j))
    e.line("ret void")
    return routine("void", "divide_long", "ptr %u, i64 %m, ptr %v, i64 %n, ptr %quotient", e)


def _guess(e: Emitter, window: str, top: str, second: str, inverse: str) -> str:
    """Algorithm D, step 3: estimate the quotient limb from the leading limbs; at most two too large."""
    u2 = e.load("i64", e.limb(window, "%n"))
    u1 = e.load("i64", e.limb(window, e.op("sub", "%n", 1)))
    u0 = e.load("i64", e.limb(window, e.op("sub", "%n", 2)))
    guess = e.variable("i64", "-1")
    with e.when(e.compare("ult", u2, top)):
        q, r = two_by_one(e, u2, u1, top, inverse)
        product = e.op("mul", e.widen(q, "i64", "i128"), e.widen(second, "i64", "i128"), "i128")
        have = e.op("shl", e.widen(r, "i64", "i128"), 64, "i128")
        have = e.op("or", have, e.widen(u0, "i64", "i128"), "i128")
        too_big = e.widen(e.compare("ugt", product, have, "i128"), "i1", "i64")
        e.store("i64", e.op("sub", q, too_big), guess)
    return e.load("i64", guess)


def subtract_multiple() -> str:
    """Algorithm D, steps 4 to 6: window -= guess * v, then add v back while negative. Returns the true limb."""
    e = Emitter()
    borrow = e.variable("i64", "0")
    index = e.variable("i64", "0")
    with e.loop(lambda: e.compare("ult", e.load("i64", index), "%n")):
        i = e.load("i64", index)
        high, low = e.multiply("%guess", e.load("i64", e.limb("%v", i)))
        taken = e.op("add", low, e.load("i64", borrow))
        carry = e.widen(e.compare("ult", taken, low), "i1", "i64")
        limb = e.load("i64", e.limb("%u", i))
        carry = e.op("add", carry, e.widen(e.compare("ult", limb, taken), "i1", "i64"))
        e.store("i64", e.op("sub", limb, taken), e.limb("%u", i))
        e.store("i64", e.op("add", high, carry), borrow)
        e.store("i64", e.op("add", i, 1), index)
    above = e.load("i64", e.limb("%u", "%n"))
    e.store("i64", e.op("sub", above, e.load("i64", borrow)), e.limb("%u", "%n"))
    negative = e.variable("i1", e.compare("ult", above, e.load("i64", borrow)))
    quotient = e.variable("i64", "%guess")
    with e.loop(lambda: e.load("i1", negative)):
        carry = _add_back(e)
        above = e.load("i64", e.limb("%u", "%n"))
        total = e.op("add", above, carry)
        e.store("i64", total, e.limb("%u", "%n"))
        e.store("i1", e.value(f"xor i1 {e.compare('ult', total, above)}, true"), negative)
        e.store("i64", e.op("sub", e.load("i64", quotient), 1), quotient)
    e.line(f"ret i64 {e.load('i64', quotient)}")
    return routine("i64", "subtract_multiple", "ptr %u, ptr %v, i64 %n, i64 %guess", e)


def _add_back(e: Emitter) -> str:
    """u[0 .. n - 1] += v; returns the carry."""
    carry = e.variable("i64", "0")
    index = e.variable("i64", "0")
    e.store("i64", "0", carry)
    e.store("i64", "0", index)
    with e.loop(lambda: e.compare("ult", e.load("i64", index), "%n")):
        i = e.load("i64", index)
        x, y = e.load("i64", e.limb("%u", i)), e.load("i64", e.limb("%v", i))
        total = e.op("add", e.widen(x, "i64", "i128"), e.widen(y, "i64", "i128"), "i128")
        total = e.op("add", total, e.widen(e.load("i64", carry), "i64", "i128"), "i128")
        e.store("i64", e.narrow(total, "i128", "i64"), e.limb("%u", i))
        e.store("i64", e.narrow(e.op("lshr", total, 64, "i128"), "i128", "i64"), carry)
        e.store("i64", e.op("add", i, 1), index)
    return e.load("i64", carry)
