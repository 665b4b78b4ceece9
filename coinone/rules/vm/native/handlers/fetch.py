"""Fetch a missing slot or callee directly from Python's dictionaries.

An instruction that finds no cell continues here, before it has had any effect. If the state's dictionary has the
value, the cell is created and the instruction repeated; anything unusual is left to Python (`misses.py`), which would
yield the same cells.
"""

from coinone.rules.state.account import Account
from coinone.rules.vm.frame import Opcode
from coinone.rules.vm.instructions.control import stop
from coinone.rules.vm.native.handler import Handler
from coinone.rules.vm.native.handlers import accounts
from coinone.rules.vm.native.layout import (
    CALLEE,
    CALLEE_ACCOUNT,
    CALLEE_BALANCE,
    CALLEE_CODE,
    CALLEE_GENERATION,
    CALLEE_HASH,
    CALLEE_MARKS,
    CALLEE_SIZE,
    CALLEE_SOURCE,
    CELL_FLAGS,
    CELL_ORIGINAL,
    CELL_VALUE,
    GIVEN,
    PROGRAM_CODE,
    PROGRAM_MARKS,
    PROGRAM_SIZE,
    PROGRAM_SOURCE,
    WARM,
    WORD,
    ExitStatus,
)
from coinone.rules.vm.native.routines import objects

_ADDRESS, _ADDRESS_SIZE = WORD - 20, 20  # the address within a big-endian word


def functions() -> str:
    return _slot().function("fetch_slot") + _callee().function("fetch_callee")


class _Fetch(Handler):
    def __init__(self, status: ExitStatus) -> None:
        super().__init__(Opcode(0, "", 0, 0, 0, stop))
        self._status = status
        self.record = self.pointer("SHARED")
        count, limit = [self.load("i64", self.shared(name)) for name in ("CELL_COUNT", "CELL_LIMIT")]
        self.unless(self.compare("ult", count, limit))

    def unless(self, condition: str) -> None:
        """Leave it to Python unless the condition holds."""
        with self.when_final(self.value(f"xor i1 {condition}, true")):
            self.jump_to(f"leave_{self._status.name}")

    def unless_there(self, found: str) -> str:
        self.unless(self.compare("ne", found, "null", "ptr"))
        return found

    def known(self, name: str) -> str:
        return objects.known(self, self.record, name)

    def unless_empty(self, name: str) -> None:
        size = self.call("i64", "PyDict_Size", f"ptr {self.known(name)}")
        self.unless(self.compare("eq", size, 0))

    def repeat(self) -> None:
        self.go_to("%code", "%stack")


def _slot() -> Handler:
    """Fetch the slot on top of the stack. Its value is the original one unless the transaction wrote or created."""
    h = _Fetch(ExitStatus.STORAGE_MISS)
    h.unless_empty("ORIGINALS")
    h.unless_empty("CREATED")
    key = h.variable(f"[{2 * WORD} x i8]")
    slot = h.at(key, WORD)
    objects.big_endian(h, h.load("i256", h.field("ADDRESS")), key)
    objects.big_endian(h, h.word(1), slot)
    address = h.at(key, _ADDRESS)
    slots = h.unless_there(objects.look_up(h, h.known("STORAGE"), address, _ADDRESS_SIZE))
    value = h.unless_there(objects.look_up(h, slots, slot, WORD))
    warm = objects.contains(h, h.known("WARM"), address, _ADDRESS_SIZE + WORD)
    h.unless(h.compare("sge", warm, 0, "i32"))
    account = h.number("ACCOUNT")
    cell = h.call("ptr", "add_cell", f"ptr {h.record}", f"i64 {account}", f"ptr {h.slot(1)}")
    h.line(f"call void @word_of_number(ptr {value}, ptr {h.at(cell, CELL_VALUE)})")
    h.store("i256", h.load("i256", h.at(cell, CELL_VALUE), 32), h.at(cell, CELL_ORIGINAL), 32)
    h.store("i64", h.op("mul", h.widen(warm, "i32", "i64"), WARM), h.at(cell, CELL_FLAGS))
    h.repeat()
    return h


def _callee() -> Handler:
    """Fetch the account below the top: one with code whose program is known, or one that does not exist."""
    h = _Fetch(ExitStatus.CALLEE_MISS)
    key, big_endian = h.variable("i256"), h.variable("i256")
    word = h.op("and", h.word(2), accounts.ADDRESS_MASK, "i256")
    h.store("i256", word, key, 32)
    objects.big_endian(h, word, big_endian)
    address = h.at(big_endian, _ADDRESS)
    cell = h.find_cell(CALLEE, word)
    h.unless(h.compare("eq", cell, "null", "ptr"))
    precompiled, warm, always = [
        objects.contains(h, h.known(name), address, _ADDRESS_SIZE)
        for name in ("PRECOMPILES", "WARM", "ALWAYS")
    ]
    h.unless(h.compare("eq", precompiled, 0, "i32"))
    given = h.op("or", warm, always, "i32")
    h.unless(h.compare("sge", given, 0, "i32"))
    account = h.unless_there(objects.look_up(h, h.known("ACCOUNTS"), address, _ADDRESS_SIZE))
    exists = h.compare("ne", h.call("i32", "PyObject_IsTrue", f"ptr {account}"), 0, "i32")
    code_hash = h.variable("ptr", account)  # None if there is no account
    with h.when(exists):
        h.store("ptr", _field(h, account, "code_hash"), code_hash)
    programs, wanted = h.known("PROGRAMS"), h.load("ptr", code_hash)
    record = h.unless_there(h.call("ptr", "PyDict_GetItem", f"ptr {programs}", f"ptr {wanted}"))
    number = h.call("i64", "account_number", f"ptr {h.record}", f"ptr {address}")
    h.unless(h.compare("sge", number, 0))
    cell = _tell(h, key, h.call("ptr", "PyBytes_AsString", f"ptr {record}"), number, given)
    with h.when(exists):
        balance = _field(h, account, "balance")
        h.line(f"call void @word_of_number(ptr {balance}, ptr {h.at(cell, CALLEE_BALANCE)})")
        content = h.load("i256", h.call("ptr", "PyBytes_AsString", f"ptr {wanted}"), 1)
        h.store("i256", h.byte_swap(content), h.at(cell, CALLEE_HASH), 32)
    h.repeat()
    return h


def _field(h: _Fetch, account: str, name: str) -> str:
    return objects.item(h, account, Account._fields.index(name))


def _tell(h: _Fetch, key: str, program: str, number: str, given: str) -> str:
    """Create the cell; it also records that the account does not exist."""
    cell = h.call("ptr", "add_cell", f"ptr {h.record}", f"i64 {CALLEE}", f"ptr {key}")
    numbers = {
        CALLEE_CODE: h.load("i64", h.at(program, PROGRAM_CODE)),
        CALLEE_MARKS: h.load("i64", h.at(program, PROGRAM_MARKS)),
        CALLEE_SIZE: h.load("i64", h.at(program, PROGRAM_SIZE)),
        CALLEE_SOURCE: h.load("i64", h.at(program, PROGRAM_SOURCE)),
        CALLEE_ACCOUNT: number,
        CALLEE_GENERATION: h.load("i64", h.shared("GENERATION")),
        CELL_FLAGS: h.op("mul", h.widen(given, "i32", "i64"), GIVEN),
    }
    for offset, content in numbers.items():
        h.store("i64", content, h.at(cell, offset))
    return cell
