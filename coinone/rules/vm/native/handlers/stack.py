"""Stack instructions: PUSH, POP, DUP, SWAP."""

from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full


def pop(h: Handler) -> None:
    h.next()


def push(size: int) -> Full:
    """PUSH; the code is padded with 33 bytes, so a whole word can always be read and truncated."""

    def emit(h: Handler) -> None:
        if size == 0:
            h.put("0", 0)
        else:
            bits = next(width for width in (64, 128, 256) if 8 * size <= width)
            number = h.byte_swap(h.load(f"i{bits}", h.at("%code", 1), 1), f"i{bits}")
            if 8 * size < bits:
                number = h.op("lshr", number, bits - 8 * size, f"i{bits}")
            h.put(number if bits == 256 else h.widen(number, f"i{bits}", "i256"), 0)
        h.next(1 + size)

    return emit


def dup(position: int) -> Full:
    def emit(h: Handler) -> None:
        h.put(h.word(position), 0)
        h.next()

    return emit


def swap(distance: int) -> Full:
    def emit(h: Handler) -> None:
        for top, other in zip(h.limbs(1), h.limbs(1 + distance), strict=True):
            x, y = h.load("i64", top), h.load("i64", other)
            h.store("i64", y, top)
            h.store("i64", x, other)
        h.next()

    return emit


FULL: dict[str, Full] = {
    "POP": pop,
    **{f"PUSH{n}": push(n) for n in range(33)},
    **{f"DUP{n}": dup(n) for n in range(1, 17)},
    **{f"SWAP{n}": swap(n) for n in range(1, 17)},
}
