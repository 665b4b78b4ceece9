"""Logs. They are collected in a buffer, which Python empties when the machine code returns."""

from coinone.rules.vm.gas import LOG_PER_BYTE
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.layout import LOG_HEAD, WORD, ExitStatus


def log(topic_count: int) -> Full:
    def emit(h: Handler) -> None:
        size, big = h.small(2)
        too_big = h.value(f"or i1 {big}, {h.compare('ugt', size, 0xFFFFFFFF)}")
        h.leave_if(too_big, ExitStatus.OUT_OF_GAS)
        cost = h.op("mul", size, LOG_PER_BYTE)
        h.leave_if(h.compare("slt", h.gas, cost), ExitStatus.OUT_OF_GAS)  # before Python makes room for it
        head = LOG_HEAD + WORD * topic_count
        used, limit = h.load("i64", h.shared("LOGS_USED")), h.load("i64", h.shared("LOGS_LIMIT"))
        end = h.op("add", h.op("add", used, head), h.op("and", h.op("add", size, 7), -8))
        h.leave_if(h.compare("ugt", end, limit), ExitStatus.LOGS_FULL)
        h.charge(cost)
        h.reserve(1, 2)
        h.forbid_static()
        _write(h, h.at(h.load("ptr", h.shared("LOGS")), used), head, topic_count)
        h.store("i64", end, h.shared("LOGS_USED"))
        h.next()

    return emit


def _write(h: Handler, entry: str, head: int, topic_count: int) -> None:
    size = h.low(2)
    account = h.op("shl", h.number("ACCOUNT"), 8)
    h.store("i64", h.op("or", account, topic_count), entry)
    h.store("i64", size, h.at(entry, 8))
    for i in range(topic_count):
        h.store("i256", h.byte_swap(h.word(3 + i)), h.at(entry, LOG_HEAD + WORD * i))
    with h.when(h.compare("ne", size, 0)):
        source = h.at("%memory", h.low(1))
        h.line(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {h.at(entry, head)}, ptr {source}, i64 {size}, i1 false)"
        )


FULL: dict[str, Full] = {f"LOG{n}": log(n) for n in range(5)}
