"""Other accounts: finding what Python told of them, and their warmth.

An account is a cell like a storage slot. If there is none, or Python has since done something that may have changed
accounts (`GENERATION`), Python is asked. Its flags are noted in the journal as a slot's are.
"""

from coinone.rules.vm.gas import COLD_ACCOUNT_SURCHARGE
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.layout import (
    CALLEE,
    CALLEE_GENERATION,
    CELL_FLAGS,
    GIVEN,
    SHARED,
    WARM,
    Status,
)

ADDRESS_MASK = (1 << 160) - 1


def find(h: Handler, position: int, missing: Status) -> tuple[str, str]:
    """The address at that position of the stack, and its cell, which holds; there is room to note a change of it."""
    address = h.op("and", h.word(position), ADDRESS_MASK, "i256")
    cell = h.find_cell(CALLEE, address)
    h.leave_if(h.compare("eq", cell, "null", "ptr"), missing)
    shared = h.pointer("SHARED")
    now = h.load("i64", h.at(shared, SHARED["GENERATION"]))
    h.leave_if(h.compare("ne", now, h.load("i64", h.at(cell, CALLEE_GENERATION))), missing)
    check_journal(h, shared)
    return address, cell


def check_journal(h: Handler, shared: str) -> None:
    """Leave if there is no room to note a change of a cell."""
    count = h.load("i64", h.at(shared, SHARED["JOURNAL_COUNT"]))
    limit = h.load("i64", h.at(shared, SHARED["JOURNAL_LIMIT"]))
    h.leave_if(h.compare("uge", count, limit), Status.FULL)


def charge_if_cold(h: Handler, cell: str) -> str:
    """Take the surcharge of a first access; whether (i1) it was one."""
    warmth = h.op("and", h.load("i64", h.at(cell, CELL_FLAGS)), WARM | GIVEN)
    cold = h.compare("eq", warmth, 0)
    h.charge(h.select(cold, "i64", COLD_ACCOUNT_SURCHARGE, 0))
    return cold


def make_warm(h: Handler, cell: str, cold: str) -> None:
    """To be done when nothing of the instruction can fail any more."""
    with h.when(cold, unlikely=True):
        h.line(f"call void @note_cell(ptr {h.pointer('SHARED')}, ptr {cell})")
        flags = h.load("i64", h.at(cell, CELL_FLAGS))
        h.store("i64", h.op("or", flags, WARM), h.at(cell, CELL_FLAGS))
