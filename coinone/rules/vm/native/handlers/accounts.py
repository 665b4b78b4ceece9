"""Other accounts: look up their cells and warmth.

An account is a cell like a storage slot. If there is none, or Python may have changed accounts since (`GENERATION`),
Python provides it. Changes of its flags are journalled like a slot's.
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
    ExitStatus,
)

ADDRESS_MASK = (1 << 160) - 1


def find(h: Handler, position: int, missing: ExitStatus) -> tuple[str, str]:
    """The address at that position of the stack and its valid cell, with room to journal a change of it."""
    address = h.op("and", h.word(position), ADDRESS_MASK, "i256")
    cell = h.find_cell(CALLEE, address)
    h.leave_if(h.compare("eq", cell, "null", "ptr"), missing)
    shared = h.pointer("SHARED")
    now = h.load("i64", h.at(shared, SHARED["GENERATION"]))
    h.leave_if(h.compare("ne", now, h.load("i64", h.at(cell, CALLEE_GENERATION))), missing)
    check_journal(h, shared)
    return address, cell


def check_journal(h: Handler, shared: str) -> None:
    """Leave if the journal has no room for a change of a cell."""
    count = h.load("i64", h.at(shared, SHARED["JOURNAL_COUNT"]))
    limit = h.load("i64", h.at(shared, SHARED["JOURNAL_LIMIT"]))
    h.leave_if(h.compare("uge", count, limit), ExitStatus.FULL)


def charge_if_cold(h: Handler, cell: str) -> str:
    """Charge the surcharge of a first access; return whether (i1) it was one."""
    warmth = h.op("and", h.load("i64", h.at(cell, CELL_FLAGS)), WARM | GIVEN)
    cold = h.compare("eq", warmth, 0)
    h.charge(h.select(cold, "i64", COLD_ACCOUNT_SURCHARGE, 0))
    return cold


def make_warm(h: Handler, cell: str, cold: str) -> None:
    """Make the account warm; call it when the instruction can no longer fail."""
    with h.when(cold, unlikely=True):
        h.line(f"call void @note_cell(ptr {h.pointer('SHARED')}, ptr {cell})")
        flags = h.load("i64", h.at(cell, CELL_FLAGS))
        h.store("i64", h.op("or", flags, WARM), h.at(cell, CELL_FLAGS))
