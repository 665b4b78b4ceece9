"""Storage and transient storage in a table of cells; Python fetches missing slots.

Every change of a cell is journalled first, so that a failed frame can be undone (`routines/cells.py`).
Transient storage is empty when a transaction starts, so its cells are created here.
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
from coinone.rules.vm.native.emitter import Emitter
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
    ExitStatus,
)
from coinone.rules.vm.native.routines import routine


def _note(h: Handler, shared: str, cell: str) -> None:
    h.line(f"call void @note_cell(ptr {shared}, ptr {cell})")


def sload(h: Handler) -> None:
    cell = h.own_slot()
    flags = h.load("i64", h.at(cell, CELL_FLAGS))
    gas = h.gas
    with h.when_final(h.compare("eq", h.op("and", flags, WARM), 0)):
        shared = h.pointer("SHARED")
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
        h.compare("sle", h.gas, CALL_STIPEND), ExitStatus.OUT_OF_GAS
    )  # a call with only the stipend must not be able to write
    cell = h.own_slot()
    shared = h.pointer("SHARED")
    check_journal(h, shared)
    new = h.word(2)
    left = h.variable("i64", h.op("sub", h.gas, WARM_ACCESS))
    with h.when(_is_special(h, cell, new), unlikely=True):
        gas = h.call("i64", "pay_write", f"ptr {shared}", f"ptr {cell}", f"i256 {new}", f"i64 {h.gas}")
        h.store("i64", gas, left)
    h.gas = h.load("i64", left)
    h.leave_if(h.compare("slt", h.gas, 0), ExitStatus.OUT_OF_GAS)
    _note(h, shared, cell)
    flags = h.load("i64", h.at(cell, CELL_FLAGS))
    h.store("i64", h.op("or", flags, WARM | WRITTEN), h.at(cell, CELL_FLAGS))
    h.store("i256", new, h.at(cell, CELL_VALUE), 32)
    h.store("i64", "1", h.at(shared, SHARED["WROTE"]))
    h.next()


def _is_special(e: Emitter, cell: str, new: str) -> str:
    """False (i1) for a repeated write to a slot in use, which costs an access and changes no refund."""
    original, current, cold = _before(e, cell)
    special = cold
    for one, other in ((original, current), (original, new), (current, "0"), (new, "0")):
        special = e.value(f"or i1 {special}, {e.compare('eq', one, other, 'i256')}")
    return special


def _before(e: Emitter, cell: str) -> tuple[str, str, str]:
    """The slot's original word, its current word, and whether (i1) it is cold."""
    original, current = (e.load("i256", e.at(cell, place), 32) for place in (CELL_ORIGINAL, CELL_VALUE))
    warmth = e.op("and", e.load("i64", e.at(cell, CELL_FLAGS)), WARM)
    return original, current, e.compare("eq", warmth, 0)


def pay_write() -> str:
    """pay_write(shared, cell, new, gas): the gas left. Unless it is negative, the refund is updated.

    The tables are those of `instructions/storage.py`.
    """
    e = Emitter()
    original, current, cold = _before(e, "%cell")
    cost = e.op("add", e.select(cold, "i64", COLD_STORAGE_ACCESS, 0), _cost(e, original, current, "%new"))
    left = e.op("sub", "%gas", cost)
    with e.when(e.compare("sge", left, 0)):
        place = e.at("%shared", SHARED["REFUND"])
        refund = e.op("add", e.load("i64", place), _refund(e, original, current, "%new"))
        e.store("i64", refund, place)
    e.line(f"ret i64 {left}")
    return routine(
        "i64", "pay_write", "ptr %shared, ptr %cell, i256 %new, i64 %gas", e, "noinline noimplicitfloat"
    )


def _cost(e: Emitter, original: str, current: str, new: str) -> str:
    changed = e.compare("ne", original, current, "i256")
    cheap = e.value(f"or i1 {changed}, {e.compare('eq', current, new, 'i256')}")
    return e.select(cheap, "i64", WARM_ACCESS, _first_change(e, original))


def _first_change(e: Emitter, original: str) -> str:
    is_new = e.compare("eq", original, 0, "i256")
    return e.select(is_new, "i64", STORAGE_SET, STORAGE_UPDATE - COLD_STORAGE_ACCESS)


def _refund(e: Emitter, original: str, current: str, new: str) -> str:
    held = e.compare("ne", original, 0, "i256")
    cleared = e.value(f"and i1 {held}, {e.compare('eq', new, 0, 'i256')}")
    was_cleared = e.value(f"and i1 {held}, {e.compare('eq', current, 0, 'i256')}")
    given = e.select(cleared, "i64", STORAGE_CLEAR_REFUND, 0)
    taken = e.select(was_cleared, "i64", STORAGE_CLEAR_REFUND, 0)
    restored = e.op("sub", _first_change(e, original), WARM_ACCESS)
    back = e.select(e.compare("eq", original, new, "i256"), "i64", restored, 0)
    refund = e.op("add", e.op("sub", given, taken), back)
    return e.select(e.compare("eq", current, new, "i256"), "i64", 0, refund)


def tload(h: Handler) -> None:
    account = h.op("add", h.number("ACCOUNT"), TRANSIENT)
    cell = h.find_cell(account, h.word(1))
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
    found = h.find_cell(account, h.word(1))
    place = h.variable("ptr", found)
    with h.when(h.compare("eq", found, "null", "ptr"), unlikely=True):
        made = h.call("ptr", "add_cell", f"ptr {shared}", f"i64 {account}", f"ptr {h.slot(1)}")
        h.leave_if(h.compare("eq", made, "null", "ptr"), ExitStatus.FULL)
        h.store("ptr", made, place)
    cell = h.load("ptr", place)
    _note(h, shared, cell)
    h.store("i256", h.word(2), h.at(cell, CELL_VALUE), 32)
    h.next()


FULL: dict[str, Full] = {"SLOAD": sload, "SSTORE": sstore, "TLOAD": tload, "TSTORE": tstore}
