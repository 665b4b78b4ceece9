"""The hash instruction."""

from coinone.rules.vm.gas import KECCAK_PER_WORD
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full


def keccak(h: Handler) -> None:
    h.charge_words(2, KECCAK_PER_WORD)
    h.reserve(1, 2)
    size = h.low(2)
    offset = h.select(h.compare("eq", size, 0), "i64", 0, h.low(1))
    h.line(f"call void @keccak(ptr {h.at('%memory', offset)}, i64 {size}, ptr {h.slot(2)})")
    h.next()


FULL: dict[str, Full] = {"KECCAK256": keccak}
