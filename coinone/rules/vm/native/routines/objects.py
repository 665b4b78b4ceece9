"""Read and create Python objects from machine code, which saves calls of Python functions.

Everything uses the stable part of Python's C API. The GIL is held throughout, and only `write_back` runs Python code,
so borrowed references stay alive while they are used. If memory runs out, the result is null or negative, and ctypes
raises the error when the machine code returns.
"""

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.layout import (
    CELL_ACCOUNT,
    CELL_FLAGS,
    CELL_KEY,
    CELL_SIZE,
    CELL_VALUE,
    KNOWN,
    SHARED,
    STATE,
    TRANSIENT,
    WORD,
    WRITTEN,
)
from coinone.rules.vm.native.routines import routine

INTERFACE = {  # name: result type, parameter types
    "Py_DecRef": ("void", "ptr"),
    "Py_IncRef": ("void", "ptr"),
    "PyBytes_AsString": ("ptr", "ptr"),
    "PyBytes_FromStringAndSize": ("ptr", "ptr, i64"),
    "PyDict_GetItem": ("ptr", "ptr, ptr"),
    "PyDict_SetItem": ("i32", "ptr, ptr, ptr"),
    "PyDict_Size": ("i64", "ptr"),
    "PyList_Append": ("i32", "ptr, ptr"),
    "PyList_GetItem": ("ptr", "ptr, i64"),
    "PyList_Size": ("i64", "ptr"),
    "PyLong_AsLongLong": ("i64", "ptr"),
    "PyLong_AsLongLongAndOverflow": ("i64", "ptr, ptr"),
    "PyLong_AsUnsignedLongLongMask": ("i64", "ptr"),
    "PyLong_FromLongLong": ("ptr", "i64"),
    "PyLong_FromUnsignedLongLong": ("ptr", "i64"),
    "PyNumber_Lshift": ("ptr", "ptr, ptr"),
    "PyNumber_Or": ("ptr", "ptr, ptr"),
    "PyNumber_Rshift": ("ptr", "ptr, ptr"),
    "PyObject_Call": ("ptr", "ptr, ptr, ptr"),
    "PyObject_IsTrue": ("i32", "ptr"),
    "PyObject_Size": ("i64", "ptr"),
    "PySequence_Contains": ("i32", "ptr, ptr"),
    "PyTuple_GetItem": ("ptr", "ptr, i64"),
    "PyTuple_New": ("ptr", "i64"),
    "PyTuple_SetItem": ("i32", "ptr, i64, ptr"),
}
_LIMBS = (0, 1, 2, 3)


def functions() -> str:
    declared = [f"declare {gives} @{name}({takes})\n" for name, (gives, takes) in INTERFACE.items()]
    asking = (
        _by_bytes("look_up", "ptr", "PyDict_GetItem", "null"),
        _by_bytes("contains", "i32", "PySequence_Contains", "-1"),
    )
    parts = (_word_of_number(), _number_of_word(), _account_number(), _write_back())
    return "".join([*declared, *asking, *parts])


# Generating calls of them


def item(e: Emitter, container: str, index: int) -> str:
    """A borrowed item of a tuple."""
    return e.call("ptr", "PyTuple_GetItem", f"ptr {container}", f"i64 {index}")


def known(e: Emitter, shared: str, name: str) -> str:
    """One of the objects in `KNOWN`, set when the message began."""
    everything = e.load("ptr", e.at(shared, SHARED["KNOWN"]))
    if name in STATE:
        return item(e, item(e, everything, KNOWN.index("STATE")), STATE.index(name))
    return item(e, everything, KNOWN.index(name))


def look_up(e: Emitter, dictionary: str, start: str, size: int) -> str:
    """A dictionary's value for a key of bytes, borrowed, or null."""
    return e.call("ptr", "look_up", f"ptr {dictionary}", f"ptr {start}", f"i64 {size}")


def contains(e: Emitter, container: str, start: str, size: int) -> str:
    """Whether (i32) bytes are in a set or mapping: 0 or 1, or negative if out of memory."""
    return e.call("i32", "contains", f"ptr {container}", f"ptr {start}", f"i64 {size}")


def big_endian(e: Emitter, word: str, place: str) -> None:
    """Write a word in big-endian order, as in Python's bytes; an address is the last 20."""
    e.store("i256", e.byte_swap(word), place, 1)


def _release(e: Emitter, *objects: str) -> None:
    for name in objects:
        e.line(f"call void @Py_DecRef(ptr {name})")


def _bytes(e: Emitter, start: str, size: str | int) -> str:
    return e.call("ptr", "PyBytes_FromStringAndSize", f"ptr {start}", f"i64 {size}")


# The routines


def _by_bytes(name: str, gives: str, function: str, without_memory: str) -> str:
    """name(container, start, size): the result of an API function for those bytes."""
    e = Emitter()
    key = _bytes(e, "%start", "%size")
    with e.when_final(e.compare("eq", key, "null", "ptr")):
        e.line(f"ret {gives} {without_memory}")
    found = e.call(gives, function, "ptr %container", f"ptr {key}")
    _release(e, key)
    e.line(f"ret {gives} {found}")
    return routine(gives, name, "ptr %container, ptr %start, i64 %size", e)


def _word_of_number() -> str:
    """word_of_number(number, place): an int below 2^256, little-endian. Most are small."""
    e = Emitter()
    overflow = e.variable("i32", "0")
    small = e.call("i64", "PyLong_AsLongLongAndOverflow", "ptr %number", f"ptr {overflow}")
    e.store("i256", e.widen(small, "i64", "i256"), "%place")
    with e.when_final(e.compare("ne", e.load("i32", overflow, 4), 0, "i32")):
        limb_size, rest = e.call("ptr", "PyLong_FromLongLong", "i64 64"), "%number"
        for i in _LIMBS:
            limb = e.call("i64", "PyLong_AsUnsignedLongLongMask", f"ptr {rest}")
            e.store("i64", limb, e.limb("%place", i))
            shifted = e.call("ptr", "PyNumber_Rshift", f"ptr {rest}", f"ptr {limb_size}")
            if i:
                _release(e, rest)
            rest = shifted
        _release(e, rest, limb_size)
        e.line("ret void")
    e.line("ret void")
    return routine("void", "word_of_number", "ptr %number, ptr %place", e)


def _number_of_word() -> str:
    """number_of_word(place): the int, a new object."""
    e = Emitter()
    limbs = [e.load("i64", e.limb("%place", i)) for i in _LIMBS]
    higher = e.op("or", e.op("or", limbs[1], limbs[2]), limbs[3])
    with e.when_final(e.compare("eq", higher, 0)):
        e.line(f"ret ptr {e.call('ptr', 'PyLong_FromUnsignedLongLong', f'i64 {limbs[0]}')}")
    limb_size = e.call("ptr", "PyLong_FromLongLong", "i64 64")
    number = e.call("ptr", "PyLong_FromUnsignedLongLong", f"i64 {limbs[3]}")
    for limb in reversed(limbs[:3]):
        shifted = e.call("ptr", "PyNumber_Lshift", f"ptr {number}", f"ptr {limb_size}")
        low = e.call("ptr", "PyLong_FromUnsignedLongLong", f"i64 {limb}")
        joined = e.call("ptr", "PyNumber_Or", f"ptr {shifted}", f"ptr {low}")
        _release(e, number, shifted, low)
        number = joined
    _release(e, limb_size)
    e.line(f"ret ptr {number}")
    return routine("ptr", "number_of_word", "ptr %place", e)


def _account_number() -> str:
    """account_number(shared, address): as `Machine.number_of`, for 20 bytes; negative if out of memory."""
    e = Emitter()
    numbers, addresses = known(e, "%shared", "NUMBERS"), known(e, "%shared", "ADDRESSES")
    found = look_up(e, numbers, "%address", 20)
    with e.when_final(e.compare("ne", found, "null", "ptr")):
        e.line(f"ret i64 {e.call('i64', 'PyLong_AsLongLong', f'ptr {found}')}")
    count = e.call("i64", "PyList_Size", f"ptr {addresses}")
    key, number = _bytes(e, "%address", 20), e.call("ptr", "PyLong_FromLongLong", f"i64 {count}")
    made = e.value(f"and i1 {e.compare('ne', key, 'null', 'ptr')}, {e.compare('ne', number, 'null', 'ptr')}")
    result = e.variable("i64", "-1")
    with e.when(made):
        failed = e.call("i32", "PyDict_SetItem", f"ptr {numbers}", f"ptr {key}", f"ptr {number}")
        with e.when(e.compare("eq", failed, 0, "i32")):
            failed = e.call("i32", "PyList_Append", f"ptr {addresses}", f"ptr {key}")
            e.store("i64", e.select(e.compare("eq", failed, 0, "i32"), "i64", count, -1), result)
    _release(e, key, number)
    e.line(f"ret i64 {e.load('i64', result)}")
    return routine("i64", "account_number", "ptr %shared, ptr %address", e)


def _write_back() -> str:
    """write_back(shared): call `set_word(address, slot, value)` for each written slot.

    The order is that of first use. An exception stops it.
    """
    e = Emitter()
    set_word = known(e, "%shared", "SET_WORD")
    e.store("i64", "0", e.at("%shared", SHARED["WROTE"]))
    addresses = known(e, "%shared", "ADDRESSES")
    cells = e.load("ptr", e.at("%shared", SHARED["CELLS"]))
    size = e.op("mul", e.load("i64", e.at("%shared", SHARED["CELL_COUNT"])), CELL_SIZE)
    place = e.variable("i64", "0")
    slot = e.variable(f"[{WORD} x i8]")
    with e.loop(lambda: e.compare("ult", e.load("i64", place), size)):
        start = e.load("i64", place)
        e.store("i64", e.op("add", start, CELL_SIZE), place)
        cell = e.at(cells, start)
        account = e.load("i64", e.at(cell, CELL_ACCOUNT))
        written = e.op("and", e.load("i64", e.at(cell, CELL_FLAGS)), WRITTEN)
        of_storage = e.value(f"and i1 {e.compare('ult', account, TRANSIENT)}, {e.compare('ne', written, 0)}")
        with e.when(of_storage):
            big_endian(e, e.load("i256", e.at(cell, CELL_KEY), 32), slot)
            _hand_over(e, set_word, addresses, account, slot, e.at(cell, CELL_VALUE))
    e.line("ret void")
    return routine("void", "write_back", "ptr %shared", e, linkage="")


def _hand_over(e: Emitter, set_word: str, addresses: str, account: str, slot: str, value: str) -> None:
    """Call `set_word` once. The tuple owns its arguments; an argument that is null has already set the error."""
    address = e.call("ptr", "PyList_GetItem", f"ptr {addresses}", f"i64 {account}")
    e.line(f"call void @Py_IncRef(ptr {address})")
    objects = (address, _bytes(e, slot, WORD), e.call("ptr", "number_of_word", f"ptr {value}"))
    arguments = e.call("ptr", "PyTuple_New", f"i64 {len(objects)}")
    for needed in (*objects, arguments):
        with e.when_final(e.compare("eq", needed, "null", "ptr")):
            e.line("ret void")
    for i, argument in enumerate(objects):
        e.call("i32", "PyTuple_SetItem", f"ptr {arguments}", f"i64 {i}", f"ptr {argument}")
    result = e.call("ptr", "PyObject_Call", f"ptr {set_word}", f"ptr {arguments}", "ptr null")
    _release(e, arguments)
    with e.when_final(e.compare("eq", result, "null", "ptr")):
        e.line("ret void")
    _release(e, result)
