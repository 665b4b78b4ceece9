"""Keccak-256 (the SHA-3 submission, with its first padding).

A state is 25 lanes of 64 bits, lane (x, y) at x + 5 y. The names of the steps are the specification's.
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import PAIR_BITS, PAIR_HASH, PAIR_KNOWN, PAIR_SIZE, SHARED
from coinone.rules.vm.native.routines import ODD, routine

RATE = 136  # bytes absorbed before each permutation
LANES = 25
_ROUNDS = 24


def functions() -> str:
    constants = ", ".join([f"i64 {constant}" for constant in round_constants()])
    table = f"@round_constants = internal constant [{_ROUNDS} x i64] [{constants}]\n"
    return table + _permute() + _hash() + _hash_pair()


def round_constants() -> list[int]:
    """Iota's constants: bits of a linear feedback shift register, at positions 2^j - 1."""
    constants, register = [], 1
    for _ in range(_ROUNDS):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


def rotations() -> list[int]:
    """Rho's offsets: triangular numbers along the path (x, y) -> (y, 2x + 3y)."""
    offsets, x, y = [0] * LANES, 1, 0
    for t in range(_ROUNDS):
        offsets[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def _permute() -> str:
    """All rounds in a loop: unrolling them gains nothing but compile time."""
    e = Emitter()
    places = [e.variable("i64", e.load("i64", e.limb("%state", i))) for i in range(LANES)]
    turn = e.variable("i64", "0")
    with e.loop(lambda: e.compare("ult", e.load("i64", turn), _ROUNDS)):
        lanes = _chi(e, _rho_and_pi(e, _theta(e, [e.load("i64", place) for place in places])))
        index = e.load("i64", turn)
        constant = e.load("i64", e.value(f"getelementptr i64, ptr @round_constants, i64 {index}"))
        lanes[0] = e.op("xor", lanes[0], constant)
        for lane, place in zip(lanes, places, strict=True):
            e.store("i64", lane, place)
        e.store("i64", e.op("add", index, 1), turn)
    for i, place in enumerate(places):
        e.store("i64", e.load("i64", place), e.limb("%state", i))
    e.line("ret void")
    return routine("void", "permute", "ptr %state", e, "noinline")


def _rotate(e: Emitter, lane: str, bits: int) -> str:
    return e.call("i64", "llvm.fshl.i64", f"i64 {lane}", f"i64 {lane}", f"i64 {bits}") if bits else lane


def _theta(e: Emitter, lanes: list[str]) -> list[str]:
    columns = []
    for x in range(5):
        column = lanes[x]
        for y in range(1, 5):
            column = e.op("xor", column, lanes[x + 5 * y])
        columns.append(column)
    mixed = [e.op("xor", columns[x - 1], _rotate(e, columns[(x + 1) % 5], 1)) for x in range(5)]
    return [e.op("xor", lanes[i], mixed[i % 5]) for i in range(LANES)]


def _rho_and_pi(e: Emitter, lanes: list[str]) -> list[str]:
    moved = [""] * LANES
    offsets = rotations()
    for x in range(5):
        for y in range(5):
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotate(e, lanes[x + 5 * y], offsets[x + 5 * y])
    return moved


def _chi(e: Emitter, lanes: list[str]) -> list[str]:
    result = []
    for y in range(5):
        for x in range(5):
            inverted = e.op("xor", lanes[(x + 1) % 5 + 5 * y], -1)
            other = e.op("and", inverted, lanes[(x + 2) % 5 + 5 * y])
            result.append(e.op("xor", lanes[x + 5 * y], other))
    return result


def _hash() -> str:
    """keccak(ptr data, size, ptr word): the digest, as the number that its bytes are, big-endian."""
    e = Emitter()
    state = e.variable("[25 x i64]")
    last = e.variable(f"[{RATE} x i8]")
    data, left = e.variable("ptr", "%data"), e.variable("i64", "%size")
    e.line(f"call void @llvm.memset.p0.i64(ptr {state}, i8 0, i64 200, i1 false)")
    with e.loop(lambda: e.compare("uge", e.load("i64", left), RATE)):
        here = e.load("ptr", data)
        _absorb(e, state, here)
        e.store("ptr", e.at(here, RATE), data)
        e.store("i64", e.op("sub", e.load("i64", left), RATE), left)
    rest = e.load("i64", left)
    e.line(f"call void @llvm.memset.p0.i64(ptr {last}, i8 0, i64 {RATE}, i1 false)")
    e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {last}, ptr {e.load('ptr', data)}, i64 {rest}, i1 false)")
    e.store("i8", "1", e.at(last, rest), 1)
    end = e.at(last, RATE - 1)
    e.store("i8", e.op("or", e.load("i8", end, 1), 128, "i8"), end, 1)
    _absorb(e, state, last)
    e.store("i256", e.byte_swap(e.load("i256", state)), "%word", 32)
    e.line("ret void")
    return routine("void", "keccak", "ptr %data, i64 %size, ptr %word", e, "noinline")


def _absorb(e: Emitter, state: str, block: str) -> None:
    for i in range(RATE // 8):
        mixed = e.op("xor", e.load("i64", e.limb(state, i)), e.load("i64", e.limb(block, i), 1))
        e.store("i64", mixed, e.limb(state, i))
    e.line(f"call void @permute(ptr {state})")


def _hash_pair() -> str:
    """keccak_pair(shared, ptr data, ptr word): the hash of 64 bytes, cached.

    The slot of a mapping's entry is such a hash, and contracts compute it again for each access.
    """
    e = Emitter()
    limbs = [e.load("i64", e.limb("%data", i), 1) for i in range(8)]
    mixed = limbs[0]
    for i, limb in enumerate(limbs[1:]):
        mixed = e.op("add", mixed, e.op("mul", limb, 2 * i + 3))
    place = e.op("lshr", e.op("mul", mixed, ODD), 64 - PAIR_BITS)
    entry = e.at(e.load("ptr", e.at("%shared", SHARED["PAIRS"])), e.op("mul", place, PAIR_SIZE))
    differences = [e.op("xor", limb, e.load("i64", e.limb(entry, i))) for i, limb in enumerate(limbs)]
    different = e.op("xor", e.load("i64", e.at(entry, PAIR_KNOWN)), 1)
    for difference in differences:
        different = e.op("or", different, difference)
    with e.when(e.compare("ne", different, 0)):
        e.line(f"call void @keccak(ptr %data, i64 64, ptr {e.at(entry, PAIR_HASH)})")
        for i, limb in enumerate(limbs):
            e.store("i64", limb, e.limb(entry, i))
        e.store("i64", "1", e.at(entry, PAIR_KNOWN))
    e.store("i256", e.load("i256", e.at(entry, PAIR_HASH), 32), "%word", 32)
    e.line("ret void")
    return routine("void", "keccak_pair", "ptr %shared, ptr %data, ptr %word", e, "noinline noimplicitfloat")
