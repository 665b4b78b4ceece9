"""Instructions that read the message, its data and code, and other accounts."""

from coinone.rules.vm.gas import COPY_PER_WORD
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full, accounts
from coinone.rules.vm.native.layout import CALLEE_BALANCE, CALLEE_HASH, CALLEE_SIZE, CALLEE_SOURCE, ExitStatus


def frame_word(name: str) -> Full:
    def emit(h: Handler) -> None:
        h.put(h.load("i256", h.field(name)), 0)
        h.next()

    return emit


def frame_number(name: str) -> Full:
    def emit(h: Handler) -> None:
        h.put_small(h.number(name), 0)
        h.next()

    return emit


def self_balance(h: Handler) -> None:
    h.leave_if(h.compare("eq", h.number("BALANCE_KNOWN"), 0), ExitStatus.BALANCE_MISS)
    h.put(h.load("i256", h.field("SELFBALANCE")), 0)
    h.next()


def call_data_load(h: Handler) -> None:
    slot, data, size = h.slot(1), h.pointer("DATA"), h.number("DATA_SIZE")
    h.line(f"call void @load_padded(ptr {slot}, ptr {data}, i64 {size})")
    h.next()


def copy(source: str) -> Full:
    """Copy bytes into memory, padded with zeros beyond the end of the source."""

    def emit(h: Handler) -> None:
        h.charge_words(3, COPY_PER_WORD)
        h.reserve(1, 3)
        with h.when(h.compare("ne", h.low(3), 0)):
            target, data, have = h.at("%memory", h.low(1)), h.pointer(source), h.number(f"{source}_SIZE")
            h.line(
                f"call void @copy_padded(ptr {target}, i64 {h.low(3)}, ptr {data}, i64 {have}, ptr {h.slot(2)})"
            )
        h.next()

    return emit


def return_data_copy(h: Handler) -> None:
    """RETURNDATACOPY; unlike the other copies, it fails beyond the end of the data."""
    h.charge_words(3, COPY_PER_WORD)
    h.reserve(1, 3)
    offset, big = h.small(2)
    have, size = h.number("RETURN_SIZE"), h.low(3)
    beyond = h.value(f"or i1 {big}, {h.compare('ugt', offset, have)}")
    beyond = h.value(f"or i1 {beyond}, {h.compare('ugt', size, h.op('sub', have, offset))}")
    h.leave_if(beyond, ExitStatus.RETURN_DATA_OUT_OF_BOUNDS)
    with h.when(h.compare("ne", size, 0)):
        target, source = h.at("%memory", h.low(1)), h.at(h.pointer("RETURN"), offset)
        h.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")
    h.next()


def account_word(offset: int) -> Full:
    def emit(h: Handler) -> None:
        _, cell = accounts.find(h, 1, ExitStatus.ACCOUNT_MISS)
        cold = accounts.charge_if_cold(h, cell)
        accounts.make_warm(h, cell, cold)
        h.put(h.load("i256", h.at(cell, offset), 32), 1)
        h.next()

    return emit


def ext_code_size(h: Handler) -> None:
    _, cell = accounts.find(h, 1, ExitStatus.ACCOUNT_MISS)
    cold = accounts.charge_if_cold(h, cell)
    accounts.make_warm(h, cell, cold)
    h.put_small(h.load("i64", h.at(cell, CALLEE_SIZE)), 1)
    h.next()


def ext_code_copy(h: Handler) -> None:
    _, cell = accounts.find(h, 1, ExitStatus.ACCOUNT_MISS)
    cold = accounts.charge_if_cold(h, cell)
    h.charge_words(4, COPY_PER_WORD)
    h.reserve(2, 4)
    accounts.make_warm(h, cell, cold)
    with h.when(h.compare("ne", h.low(4), 0)):
        target = h.at("%memory", h.low(2))
        code, size = h.load("ptr", h.at(cell, CALLEE_SOURCE)), h.load("i64", h.at(cell, CALLEE_SIZE))
        h.line(
            f"call void @copy_padded(ptr {target}, i64 {h.low(4)}, ptr {code}, i64 {size}, ptr {h.slot(3)})"
        )
    h.next()


FULL: dict[str, Full] = {
    "ADDRESS": frame_word("ADDRESS"),
    "CALLER": frame_word("CALLER"),
    "CALLVALUE": frame_word("CALLVALUE"),
    "SELFBALANCE": self_balance,
    "CALLDATALOAD": call_data_load,
    "CALLDATASIZE": frame_number("DATA_SIZE"),
    "CALLDATACOPY": copy("DATA"),
    "CODESIZE": frame_number("SOURCE_SIZE"),
    "CODECOPY": copy("SOURCE"),
    "RETURNDATASIZE": frame_number("RETURN_SIZE"),
    "RETURNDATACOPY": return_data_copy,
    "BALANCE": account_word(CALLEE_BALANCE),
    "EXTCODEHASH": account_word(CALLEE_HASH),
    "EXTCODESIZE": ext_code_size,
    "EXTCODECOPY": ext_code_copy,
}
