"""The table of storage cells: an array that only grows, an index over it, and a journal of changes.

The index uses open addressing with a keyed universal hash (NH): a contract chooses its slots, and must not be able to
choose colliding ones. Cells are in order of first use, so no result depends on the key.
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import (
    CALLEE,
    CELL_ACCOUNT,
    CELL_FLAGS,
    CELL_KEY,
    CELL_NOTED,
    CELL_SIZE,
    CELL_VALUE,
    NOTE_CELL,
    NOTE_FLAGS,
    NOTE_SIZE,
    NOTE_VALUE,
    SHARED,
)
from coinone.rules.vm.native.routines import ODD, routine

_FEW = 64


def functions() -> str:
    return _position() + _find() + _find_account() + _add() + _note() + _undo() + _rebuild() + _forget()


def _field(e: Emitter, name: str, kind: str = "i64") -> str:
    return e.load(kind, e.at("%shared", SHARED[name]))


def _position() -> str:
    """The first position of the index to probe."""
    e = Emitter()
    limbs = [e.narrow(e.op("lshr", "%key", 64 * i, "i256"), "i256", "i64") for i in range(4)]
    keyed = [e.op("add", limb, _field(e, f"KEY{i}")) for i, limb in enumerate(limbs)]
    wide = [e.widen(limb, "i64", "i128") for limb in keyed]
    total = e.op("add", e.op("mul", wide[0], wide[1], "i128"), e.op("mul", wide[2], wide[3], "i128"), "i128")
    folded = e.op(
        "xor", e.narrow(total, "i128", "i64"), e.narrow(e.op("lshr", total, 64, "i128"), "i128", "i64")
    )
    mixed = e.op("mul", e.op("add", folded, e.op("mul", "%account", ODD)), ODD)
    e.line(f"ret i64 {e.op('lshr', mixed, _field(e, 'INDEX_SHIFT'))}")
    return routine("i64", "cell_position", "ptr %shared, i64 %account, i256 %key", e, "alwaysinline")


def _cell_at(e: Emitter, number: str) -> str:
    return e.at(_field(e, "CELLS", "ptr"), e.op("mul", number, CELL_SIZE))


def _find() -> str:
    """The cell of an account and key, or null. Often it is the last one found: a slot is read, then written."""
    e = Emitter()
    last = _field(e, "LAST_CELL", "ptr")
    with e.when(e.compare("ne", last, "null", "ptr")), e.when_final(_is_of(e, last)):
        e.line(f"ret ptr {last}")
    first = e.call("i64", "cell_position", "ptr %shared", "i64 %account", "i256 %key")
    place = e.variable("i64", first)
    with e.loop(lambda: "true"):
        i = e.load("i64", place)
        entry = e.load("i32", e.value(f"getelementptr i32, ptr {_field(e, 'INDEX', 'ptr')}, i64 {i}"), 4)
        with e.when_final(e.compare("eq", entry, 0, "i32")):
            e.line("ret ptr null")
        cell = _cell_at(e, e.op("sub", e.widen(entry, "i32", "i64"), 1))
        with e.when_final(_is_of(e, cell)):
            e.store("ptr", cell, e.at("%shared", SHARED["LAST_CELL"]))
            e.line(f"ret ptr {cell}")
        e.store("i64", e.op("and", e.op("add", i, 1), _field(e, "INDEX_MASK")), place)
    e.line("ret ptr null")
    return routine("ptr", "find_cell", "ptr %shared, i64 %account, i256 %key", e, "noinline noimplicitfloat")


def _find_account() -> str:
    """find_account(shared, key): the cell of an account, for Python; `key` points to the address as a word."""
    e = Emitter()
    key = e.load("i256", "%key", 32)
    cell = e.call("ptr", "find_cell", "ptr %shared", f"i64 {CALLEE}", f"i256 {key}")
    e.line(f"ret ptr {cell}")
    return routine("ptr", "find_account", "ptr %shared, ptr %key", e, linkage="")


def _is_of(e: Emitter, cell: str) -> str:
    """Whether (i1) the cell is that of `%account` and `%key`."""
    same = e.compare("eq", e.load("i256", e.at(cell, CELL_KEY), 32), "%key", "i256")
    owner = e.compare("eq", e.load("i64", e.at(cell, CELL_ACCOUNT)), "%account")
    return e.value(f"and i1 {same}, {owner}")


def _enter(e: Emitter, number: str, account: str, key: str) -> None:
    """Put the cell's number into the first free position of the index."""
    first = e.call("i64", "cell_position", "ptr %shared", f"i64 {account}", f"i256 {key}")
    place = e.variable("i64")
    e.store("i64", first, place)
    index = _field(e, "INDEX", "ptr")

    def taken() -> str:
        entry = e.value(f"getelementptr i32, ptr {index}, i64 {e.load('i64', place)}")
        return e.compare("ne", e.load("i32", entry, 4), 0, "i32")

    with e.loop(taken):
        following = e.op("add", e.load("i64", place), 1)
        e.store("i64", e.op("and", following, _field(e, "INDEX_MASK")), place)
    entry = e.value(f"getelementptr i32, ptr {index}, i64 {e.load('i64', place)}")
    e.store("i32", e.narrow(e.op("add", number, 1), "i64", "i32"), entry, 4)


def _add() -> str:
    """A new cell, zero except for key and account, or null if there is no room."""
    e = Emitter()
    number = _field(e, "CELL_COUNT")
    with e.when_final(e.compare("uge", number, _field(e, "CELL_LIMIT"))):
        e.line("ret ptr null")
    cell = _cell_at(e, number)
    e.line(f"call void @llvm.memset.p0.i64(ptr {cell}, i8 0, i64 {CELL_SIZE}, i1 false)")
    key = e.load("i256", "%key", 32)
    e.store("i256", key, e.at(cell, CELL_KEY), 32)
    e.store("i64", "%account", e.at(cell, CELL_ACCOUNT))
    _enter(e, number, "%account", key)
    e.store("i64", e.op("add", number, 1), e.at("%shared", SHARED["CELL_COUNT"]))
    e.line(f"ret ptr {cell}")
    return routine("ptr", "add_cell", "ptr %shared, i64 %account, ptr %key", e, "noinline", "")


def _note() -> str:
    """Journal the cell's state; the caller has checked that there is room.

    One entry since the newest frame's mark is enough: a failed frame is undone to its mark or further.
    """
    e = Emitter()
    noted = e.at("%cell", CELL_NOTED)
    with e.when_final(e.compare("ugt", e.load("i64", noted), _field(e, "NEWEST_MARK"))):
        e.line("ret void")
    count = _field(e, "JOURNAL_COUNT")
    note = e.at(_field(e, "JOURNAL", "ptr"), e.op("mul", count, NOTE_SIZE))
    first = e.value(f"ptrtoint ptr {_field(e, 'CELLS', 'ptr')} to i64")
    offset = e.op("sub", e.value("ptrtoint ptr %cell to i64"), first)
    e.store("i64", offset, e.at(note, NOTE_CELL))
    e.store("i64", e.load("i64", e.at("%cell", CELL_FLAGS)), e.at(note, NOTE_FLAGS))
    e.store("i256", e.load("i256", e.at("%cell", CELL_VALUE), 32), e.at(note, NOTE_VALUE), 16)
    length = e.op("add", count, 1)
    e.store("i64", length, e.at("%shared", SHARED["JOURNAL_COUNT"]))
    e.store("i64", length, noted)
    e.line("ret void")
    return routine("void", "note_cell", "ptr %shared, ptr %cell", e, "noimplicitfloat")


def _undo() -> str:
    """Undo every change since the journal had `mark` entries, newest first."""
    e = Emitter()
    place = e.at("%shared", SHARED["JOURNAL_COUNT"])
    with e.loop(lambda: e.compare("ugt", e.load("i64", place), "%mark")):
        count = e.op("sub", e.load("i64", place), 1)
        note = e.at(_field(e, "JOURNAL", "ptr"), e.op("mul", count, NOTE_SIZE))
        cell = e.at(_field(e, "CELLS", "ptr"), e.load("i64", e.at(note, NOTE_CELL)))
        e.store("i64", e.load("i64", e.at(note, NOTE_FLAGS)), e.at(cell, CELL_FLAGS))
        e.store("i256", e.load("i256", e.at(note, NOTE_VALUE), 16), e.at(cell, CELL_VALUE), 32)
        e.store("i64", "0", e.at(cell, CELL_NOTED))
        e.store("i64", count, place)
    e.line("ret void")
    return routine("void", "undo_cells", "ptr %shared, i64 %mark", e, linkage="")


def _rebuild() -> str:
    """Enter all cells into a new, larger index."""
    e = Emitter()
    number = e.variable("i64", "0")
    with e.loop(lambda: e.compare("ult", e.load("i64", number), _field(e, "CELL_COUNT"))):
        cell = _cell_at(e, e.load("i64", number))
        account = e.load("i64", e.at(cell, CELL_ACCOUNT))
        _enter(e, e.load("i64", number), account, e.load("i256", e.at(cell, CELL_KEY), 32))
        e.store("i64", e.op("add", e.load("i64", number), 1), number)
    e.line("ret void")
    return routine("void", "rebuild_index", "ptr %shared", e, linkage="")


def _forget() -> str:
    """Empty the index for another message.

    Few cells are removed one by one, since clearing all of it would fill half the processor's L1 cache.
    """
    e = Emitter()
    count, index = _field(e, "CELL_COUNT"), _field(e, "INDEX", "ptr")
    few = e.compare("ule", count, _FEW)
    with e.when(e.value(f"xor i1 {few}, true"), unlikely=True):
        size = e.op("shl", e.op("add", _field(e, "INDEX_MASK"), 1), 2)
        e.line(f"call void @llvm.memset.p0.i64(ptr {index}, i8 0, i64 {size}, i1 false)")
    last = e.select(few, "i64", count, 0)
    number = e.variable("i64", "0")
    with e.loop(lambda: e.compare("ult", e.load("i64", number), last)):
        _leave(e, e.load("i64", number))
        e.store("i64", e.op("add", e.load("i64", number), 1), number)
    e.line("ret void")
    return routine("void", "forget_cells", "ptr %shared", e)


def _leave(e: Emitter, number: str) -> None:
    """Empty the cell's position in the index, at or after the first probe: cells before it may be gone."""
    cell, index = _cell_at(e, number), _field(e, "INDEX", "ptr")
    account, key = e.load("i64", e.at(cell, CELL_ACCOUNT)), e.load("i256", e.at(cell, CELL_KEY), 32)
    first = e.call("i64", "cell_position", "ptr %shared", f"i64 {account}", f"i256 {key}")
    place = e.variable("i64")
    e.store("i64", first, place)
    entry = e.narrow(e.op("add", number, 1), "i64", "i32")

    def is_other() -> str:
        at = e.value(f"getelementptr i32, ptr {index}, i64 {e.load('i64', place)}")
        return e.compare("ne", e.load("i32", at, 4), entry, "i32")

    with e.loop(is_other):
        following = e.op("add", e.load("i64", place), 1)
        e.store("i64", e.op("and", following, _field(e, "INDEX_MASK")), place)
    at = e.value(f"getelementptr i32, ptr {index}, i64 {e.load('i64', place)}")
    e.store("i32", "0", at, 4)
