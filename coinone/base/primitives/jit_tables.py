"""Tables in jitted code: many NumPy arrays handed over as one array of addresses, indexed without wraparound.

Numba unpacks every array from its Python object at each call and tests every index for being negative; with forty
arrays that costs more than the kernel's own work. So the caller writes the arrays' addresses and lengths into one
array of words (`describe`), and jitted code reads a table from there when it uses it. An index must be in range and
not negative: nothing checks it, just as numba does not check the end of an array.

`TableSet` is the numba type of such a set; the function that `attach` returns makes one from the words:

    tables = attach(words)
    tables.accounts[slot].cash += 1
"""

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin, lower_getattr, lower_getattr_generic, lower_setattr_generic
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    infer_getattr,
    infer_global,
    signature,
)
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

ADDRESSES: Any = types.Array(types.int64, 1, "C")
"""The numba type of the words that describe a set of arrays."""

WORDS = 3  # of an array: its address, its length, and the length of its rows (0: it has one dimension)

_WORD = ir.IntType(64)


def _bytes(count: int) -> Any:
    return ir.ArrayType(ir.IntType(8), count)


_LINE = 64  # bytes of a cache line


class TableType(types.Type):
    """A contiguous array of one or two dimensions, whose elements are numbers or records.

    `table[i]` of records is a `RowType`. `name` distinguishes it within its set; no two tables of a set share memory.
    """

    def __init__(self, dtype: Any, dimensions: int = 1, name: str = "") -> None:
        self.dtype = dtype if isinstance(dtype, types.Type) else from_dtype(np.dtype(dtype))
        self.dimensions = dimensions
        self.table = name
        self.item = RowType(self.dtype, name) if isinstance(self.dtype, types.Record) else self.dtype
        super().__init__(name=f"Table({self.dtype}, {dimensions}, {name})")


class RowType(types.Type):
    """A record within a table: a pointer to it, whose attributes are its fields."""

    def __init__(self, record: types.Record, table: str) -> None:
        self.record = record
        self.table = table
        super().__init__(name=f"Row({record}, {table})")


class TableSet(types.Type):
    """Named tables; a pointer to the words that describe them."""

    def __init__(self, tables: NamedTuple) -> None:
        self.names = tables._fields
        self.tables = [
            TableType(table.dtype, table.dimensions, name)
            for name, table in zip(self.names, tables, strict=True)
        ]
        super().__init__(name=f"TableSet({[table.name for table in self.tables]})")


def describe(arrays: Sequence[Any], known: Sequence[Any] | None, words: NDArray[Any]) -> None:
    """Write the arrays' addresses into `words`, except those that are unchanged since `known`."""
    same = (False,) * len(arrays) if known is None else tuple(map(operator.is_, arrays, known))
    for n in (n for n, kept in enumerate(same) if not kept):
        array = arrays[n]
        assert array.flags.c_contiguous
        words[WORDS * n] = array.ctypes.data
        words[WORDS * n + 1] = array.shape[0]
        words[WORDS * n + 2] = array.shape[1] if array.ndim == 2 else 0


def attach(table_set: TableSet) -> Any:
    """Return the jitted function that turns words into the set of tables that they describe."""

    def attached(_context: Any, words: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return context.make_array(signature.args[0])(context, builder, arguments[0]).data

        return table_set(words), generate

    return cast("Any", intrinsic)(attached)


@register_model(TableSet)
class _TableSetModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@register_model(RowType)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _bytes(kind.record.size).as_pointer())


@register_model(TableType)
class _TableModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        members = [("data", types.CPointer(kind.dtype)), ("length", types.int64), ("width", types.int64)]
        super().__init__(manager, kind, members)


@infer_getattr
class _TableSetAttributes(AttributeTemplate):
    key = TableSet

    def generic_resolve(self, kind: Any, name: str, /) -> Any:  # type: ignore[override]
        return kind.tables[kind.names.index(name)] if name in kind.names else None


@lower_getattr_generic(TableSet)
def _table_of(context: Any, builder: Any, kind: Any, pointer: Any, name: str) -> Any:
    """Load a table from its words, which do not change while jitted code runs."""
    number = kind.names.index(name)
    table = cgutils.create_struct_proxy(kind.tables[number])(context, builder)
    read = []
    for n in range(WORDS):
        loaded = builder.load(builder.gep(pointer, [_WORD(WORDS * number + n)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        read.append(loaded)
    table.data = builder.inttoptr(read[0], table.data.type)
    table.length, table.width = read[1:]
    return table._getvalue()


@infer_getattr
class _TableAttributes(AttributeTemplate):
    key = TableType

    def resolve_shape(self, kind: Any) -> Any:
        return types.UniTuple(types.int64, kind.dimensions)


@lower_getattr(TableType, "shape")
def _shape(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    table = cgutils.create_struct_proxy(kind)(context, builder, value)
    return cgutils.pack_array(builder, [table.length, table.width][: kind.dimensions])


def _item(kind: Any, index: Any) -> Any:
    """The type of `table[index]`, or None if the index has the wrong type."""
    if isinstance(index, types.Integer):
        return kind.item if kind.dimensions == 1 else TableType(kind.dtype, 1, kind.table)
    if isinstance(index, types.BaseTuple) and len(index) == kind.dimensions == 2:
        return kind.item
    return None


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, _keywords: Any) -> Any:
        if isinstance(args[0], TableType) and (item := _item(*args)) is not None:
            return signature(item, *args)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    """Type of an assignment: a number, or a copy of a row with the same fields, also from another table."""

    def generic(self, args: Any, _keywords: Any) -> Any:
        table, index, value = args
        if not isinstance(table, TableType) or _item(table, index) != table.item:
            return None
        if isinstance(table.item, RowType):
            fits = isinstance(value, RowType) and value.record == table.dtype
            return signature(types.none, *args) if fits else None
        return signature(types.none, table, index, table.dtype)


@infer_getattr
class _RowAttributes(AttributeTemplate):
    key = RowType

    def generic_resolve(self, kind: Any, name: str, /) -> Any:  # type: ignore[override]
        return kind.record.typeof(name) if name in kind.record.fields else None


def _tagged(builder: Any, access: Any, table: str, field: str = "") -> Any:
    """Mark a load or store as aliasing only those of the same field of the same table.

    Type-based alias analysis: without it every store would force all fields to be loaded again.
    """
    module = builder.module
    root = module.add_metadata(["tables"])
    column = module.add_metadata([f"{table}.{field}", root, _WORD(0)])
    access.set_metadata("tbaa", module.add_metadata([column, column, _WORD(0)]))
    return access


def _field(context: Any, builder: Any, kind: Any, row: Any, name: str) -> Any:
    """Pointer to a field of a row."""
    start = builder.bitcast(row, ir.IntType(8).as_pointer())
    value = context.get_data_type(kind.record.typeof(name))
    return builder.bitcast(builder.gep(start, [_WORD(kind.record.offset(name))]), value.as_pointer())


@lower_getattr_generic(RowType)
def _get_field(context: Any, builder: Any, kind: Any, row: Any, name: str) -> Any:
    return _tagged(builder, builder.load(_field(context, builder, kind, row, name)), kind.table, name)


@lower_setattr_generic(RowType)
def _set_field(context: Any, builder: Any, sig: Any, values: Any, name: str) -> Any:
    kind = sig.args[0]
    stored = builder.store(values[1], _field(context, builder, kind, values[0], name))
    return _tagged(builder, stored, kind.table, name)


def _place(context: Any, builder: Any, kinds: Any, values: Any) -> tuple[Any, Any]:
    """The table and a pointer to the indexed element."""
    table = cgutils.create_struct_proxy(kinds[0])(context, builder, values[0])
    index: Any = kinds[1]
    if kinds[0].dimensions == 2 and not isinstance(index, types.Integer):
        numbers = cgutils.unpack_tuple(builder, values[1])
        parts = [
            context.cast(builder, value, kind, types.int64)
            for value, kind in zip(numbers, list(index), strict=True)
        ]
        flat = builder.add(builder.mul(parts[0], table.width), parts[1])
    else:
        flat = context.cast(builder, values[1], index, types.int64)
        if kinds[0].dimensions == 2:
            flat = builder.mul(flat, table.width)
    return table, builder.gep(table.data, [flat])


@lower_builtin(operator.getitem, TableType, types.Any)
def _get_item(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    table, pointer = _place(context, builder, sig.args, values)
    if isinstance(sig.return_type, TableType):
        row = cgutils.create_struct_proxy(sig.return_type)(context, builder)
        row.data, row.length, row.width = pointer, table.width, _WORD(0)
        return row._getvalue()
    if isinstance(sig.return_type, RowType):
        return pointer
    return _tagged(builder, builder.load(pointer), sig.args[0].table)


@lower_builtin(operator.setitem, TableType, types.Any, types.Any)
def _set_item(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    _, pointer = _place(context, builder, sig.args, values)
    if isinstance(sig.args[2], RowType):
        cgutils.raw_memcpy(builder, pointer, values[2], _WORD(1), sig.args[2].record.size)
    else:
        _tagged(builder, builder.store(values[2], pointer), sig.args[0].table)
    return context.get_dummy_value()


@cast("Any", intrinsic)
def prefetch(_context: Any, table: Any, _index: Any) -> Any:
    """Prefetch the memory of element `index`, counted over all rows; a hint without effect on results.

    A row of two cache lines may reach into a third, whose fields are used least.
    """
    size = table.dtype.size if isinstance(table.dtype, types.Record) else table.dtype.bitwidth // 8

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        view = cgutils.create_struct_proxy(sig.args[0])(context, builder, arguments[0])
        row = builder.add(builder.ptrtoint(view.data, _WORD), builder.mul(arguments[1], _WORD(size)))
        hint = cast("Any", cgutils.get_or_insert_function)(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0"
        )
        for line in range(0, size, _LINE):
            address = builder.inttoptr(builder.add(row, _WORD(line)), byte)
            builder.call(hint, [address, number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(table, types.int64), generate


@cast("Any", intrinsic)
def move(_context: Any, table: Any, _to: Any, _first: Any, _count: Any) -> Any:
    """`table[to : to + count] = table[first : first + count]` of a table of numbers; the two may overlap."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        view = cgutils.create_struct_proxy(sig.args[0])(context, builder, arguments[0])
        to, first = (builder.gep(view.data, [place]) for place in arguments[1:3])
        size = sig.args[0].dtype.bitwidth // 8
        cast("Any", cgutils.raw_memmove)(builder, to, first, arguments[3], size)
        return context.get_dummy_value()

    return types.void(table, types.int64, types.int64, types.int64), generate
