"""Storage and transient storage, in a table of cells; a slot that is not there yet is fetched by Python.

Every change of a cell is noted first, so that a frame that fails can be taken back (`routines/cells.py`).
Transient storage is empty when a transaction starts: its cells are made here.
"""

from coinone.rules.vm.gas import (
    CALL_STIPEND,
    COLD_STORAGE_ACCESS,
    COLD_STORAGE_SURCHARGE,
    STORAGE_CLEAR_REFUND,
    STORAGE_SET,
    STORAGE_UPDATE,
    WARM_ACCESS,
)
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import Full
from coinone.rules.vm.native.handlers.accounts import check_journal
from coinone.rules.vm.native.layout import (
    CELL_FLAGS,
    CELL_ORIGINAL,
    CELL_VALUE,
    SHARED,
    TRANSIENT,
    WARM,
    WRITTEN,
    Status,
)


def _find(h: Handler, shared: str, account: str) -> str:
    return h.call("ptr", "find_cell", f"ptr {shared}", f"i64 {account}", f"ptr {h.slot(1)}")


def _note(h: Handler, shared: str, cell: str) -> None:
    h.line(f"call void @note_cell(ptr {shared}, ptr {cell})")


def sload(h: Handler) -> None:
    shared = h.pointer("SHARED")
    cell = _find(h, shared, h.number("ACCOUNT"))
    h.leave_if(h.compare("eq", cell, "null", "ptr"), Status.STORAGE_MISS)
    flags = h.load("i64", h.at(cell, CELL_FLAGS))
    gas = h.gas
    with h.when_final(h.compare("eq", h.op("and", flags, WARM), 0)):
        check_journal(h, shared)
        h.charge(COLD_STORAGE_SURCHARGE)
        _note(h, shared, cell)
        h.store("i64", h.op("or", flags, WARM), h.at(cell, CELL_FLAGS))
        h.put(h.load("i256", h.at(cell, CELL_VALUE), 32), 1)
        h.next()
    h.gas = gas
    h.put(h.load("i256", h.at(cell, CELL_VALUE), 32), 1)
    h.next()


def sstore(h: Handler) -> None:
    h.forbid_static()
    h.leave_if(
        h.compare("sle", h.gas, CALL_STIPEND), Status.OUT_OF_GAS
    )  # a stipend must not be able to write
    shared = h.pointer("SHARED")
    cell = _find(h, shared, h.number("ACCOUNT"))
    h.leave_if(h.compare("eq", cell, "null", "ptr"), Status.STORAGE_MISS)
    check_journal(h, shared)
    original = h.load("i256", h.at(cell, CELL_ORIGINAL), 32)
    current = h.load("i256", h.at(cell, CELL_VALUE), 32)
    new = h.word(2)
    flags = h.load("i64", h.at(cell, CELL_FLAGS))
    cold = h.select(h.compare("eq", h.op("and", flags, WARM), 0), "i64", COLD_STORAGE_ACCESS, 0)
    h.charge(h.op("add", cold, _write_cost(h, original, current, new)))
    place = h.at(shared, SHARED["REFUND"])
    refund = h.op("add", h.load("i64", place), _write_refund(h, original, current, new))
    h.store("i64", refund, place)
    _note(h, shared, cell)
    h.store("i64", h.op("or", flags, WARM | WRITTEN), h.at(cell, CELL_FLAGS))
    h.store("i256", new, h.at(cell, CELL_VALUE), 32)
    h.store("i64", "1", h.at(shared, SHARED["WROTE"]))
    h.next()


def _write_cost(h: Handler, original: str, current: str, new: str) -> str:
    """The same table as `instructions/storage.py`."""
    changed = h.compare("ne", original, current, "i256")
    cheap = h.value(f"or i1 {changed}, {h.compare('eq', current, new, 'i256')}")
    return h.select(cheap, "i64", WARM_ACCESS, _first_change(h, original))


def _first_change(h: Handler, original: str) -> str:
    is_new = h.compare("eq", original, 0, "i256")
    return h.select(is_new, "i64", STORAGE_SET, STORAGE_UPDATE - COLD_STORAGE_ACCESS)


def _write_refund(h: Handler, original: str, current: str, new: str) -> str:
    held = h.compare("ne", original, 0, "i256")
    cleared = h.value(f"and i1 {held}, {h.compare('eq', new, 0, 'i256')}")
    was_cleared = h.value(f"and i1 {held}, {h.compare('eq', current, 0, 'i256')}")
    given = h.select(cleared, "i64", STORAGE_CLEAR_REFUND, 0)
    taken = h.select(was_cleared, "i64", STORAGE_CLEAR_REFUND, 0)
    restored = h.op("sub", _first_change(h, original), WARM_ACCESS)
    back = h.select(h.compare("eq", original, new, "i256"), "i64", restored, 0)
    refund = h.op("add", h.op("sub", given, taken), back)
    return h.select(h.compare("eq", current, new, "i256"), "i64", 0, refund)


def tload(h: Handler) -> None:
    account = h.op("add", h.number("ACCOUNT"), TRANSIENT)
    cell = _find(h, h.pointer("SHARED"), account)
    with h.when_final(h.compare("eq", cell, "null", "ptr")):
        h.put("0", 1)
        h.next()
    h.put(h.load("i256", h.at(cell, CELL_VALUE), 32), 1)
    h.next()


def tstore(h: Handler) -> None:
    h.forbid_static()
    shared = h.pointer("SHARED")
    check_journal(h, shared)
    account = h.op("add", h.number("ACCOUNT"), TRANSIENT)
    found = _find(h, shared, account)
    place = h.variable("ptr", found)
    with h.when(h.compare("eq", found, "null", "ptr"), unlikely=True):
        made = h.call("ptr", "add_cell", f"ptr {shared}", f"i64 {account}", f"ptr {h.slot(1)}")
        h.leave_if(h.compare("eq", made, "null", "ptr"), Status.FULL)
        h.store("ptr", made, place)
    cell = h.load("ptr", place)
    _note(h, shared, cell)
    h.store("i256", h.word(2), h.at(cell, CELL_VALUE), 32)
    h.next()


FULL: dict[str, Full] = {"SLOAD": sload, "SSTORE": sstore, "TLOAD": tload, "TSTORE": tstore}
