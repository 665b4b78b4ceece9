"""The KECCAK256 instruction."""

from coinone.rules.vm.gas import KECCAK_PER_WORD
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full


def keccak(h: Handler) -> None:
    h.charge_words(2, KECCAK_PER_WORD)
    h.reserve(1, 2)
    size, result = h.low(2), h.slot(2)
    offset = h.select(h.compare("eq", size, 0), "i64", 0, h.low(1))
    data = h.at("%memory", offset)
    pair, other, after = h.fresh("pair"), h.fresh("other"), h.fresh("after")
    h.line(f"br i1 {h.compare('eq', size, 64)}, label %{pair}, label %{other}")
    h.label(pair)
    h.line(f"call void @keccak_pair(ptr {h.pointer('SHARED')}, ptr {data}, ptr {result})")
    h.line(f"br label %{after}")
    h.label(other)
    h.line(f"call void @keccak(ptr {data}, i64 {size}, ptr {result})")
    h.line(f"br label %{after}")
    h.label(after)
    h.next()


FULL: dict[str, Full] = {"KECCAK256": keccak}
