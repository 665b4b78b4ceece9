"""A fast decoder of orders, cancels and modifies from their signed bytes, in the usual encoding.

A jitted reader for four actions (order, cancel, cancelByCloid, batchModify) with the keys in the SDK's order, limit
orders only, grouping "na", no builder. It accepts less than the full decoder does (actions/decode.py), never more:
anything else, and anything doubtful, is left to that one (`None`), which names the error. Tests compare the rows with
those that operations.py makes of what it reads.

Cancels are read with their keys in any order and any order id, so that all valid ones are read here: nobody pays for a
cancel, and the full decoder takes 3.5 us for each target, a second for those of a full batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from coinone.base.primitives.jit import from_dtype, njit, types
from coinone.base.primitives.parameters import ORDERS_PER_ACTION_MAX
from coinone.rules.exchange.rows.arrays import i64, inlined
from coinone.rules.exchange.rows.tables import OP, TIF_NAMES, OpKind, Side, Tif
from coinone.rules.exchange.wire import trades as t

if TYPE_CHECKING:
    from coinone.rules.exchange.rows.tables import Array

ITEM_BYTES_MIN = 7  # a cancel of an order of one byte: 82 a1 61 00 a1 6f 01
PADDING = 256
"""Zero bytes after the data: more than one item can take, so the reader checks for the end once per item."""

_PLACE, _CANCEL, _CANCEL_CLOID = int(OpKind.PLACE), int(OpKind.CANCEL), int(OpKind.CANCEL_CLOID)
_MODIFY, _MODIFY_CLOID = int(OpKind.MODIFY), int(OpKind.MODIFY_CLOID)
_BUY, _SELL = int(Side.BUY), int(Side.SELL)
_GTC, _IOC, _ALO = int(Tif.GTC), int(Tif.IOC), int(Tif.ALO)
_DIGITS_MAX = 18  # with eight decimals; more might not fit in int64
_PLACES = cast("Any", OP.fields)
_KIND_AT: int = _PLACES["kind"][1]  # its first byte in a row
_TIF_AT: int = _PLACES["tif"][1]
_ALL_ALO = bytes((_ALO,))


def _bytes(text: bytes) -> Array:
    return np.frombuffer(text, np.uint8)


_ORDERS = _bytes(b"\x83\xa4type\xa5order\xa6orders")
_GROUPING = _bytes(b"\xa8grouping\xa2na")
_CANCELS = _bytes(b"\x82\xa4type\xa6cancel\xa7cancels")
_CLOID_CANCELS = _bytes(b"\x82\xa4type\xadcancelByCloid\xa7cancels")
_MODIFIES = _bytes(b"\x82\xa4type\xabbatchModify\xa8modifies")
_OID, _ORDER_OF = _bytes(b"\x82\xa3oid"), _bytes(b"\xa5order")
_LIMIT = _bytes(b"\xa1t\x81\xa5limit\x81\xa3tif\xa3")
_TIFS = tuple([_bytes(name.encode()) for name in TIF_NAMES])
_GTC_TEXT, _IOC_TEXT, _ALO_TEXT = _TIFS
_HEX = _bytes(b"\xd9\x220x")
_ASSET, _CLOID = _bytes(b"\xa5asset"), _bytes(b"\xa5cloid")
_CANCELS_FIRST = _bytes(b"\x82\xa7cancels")
_CANCEL_LAST, _CLOID_CANCEL_LAST = _bytes(b"\xa4type\xa6cancel"), _bytes(b"\xa4type\xadcancelByCloid")
_LONG_KEY = (
    0xA5  # of five letters: cancels by client id, whose items have "asset" and "cloid" for "a" and "o"
)


@inlined
def _is(data: Any, at: int, pattern: Any) -> bool:
    same = True
    for n in range(pattern.shape[0]):
        same &= data[at + n] == pattern[n]
    return same


@inlined
def _is_key(data: Any, at: int, letter: int) -> bool:
    """Whether a key of this one letter is at `at`."""
    return bool(data[at] == 0xA1 and data[at + 1] == letter)


@inlined
def _number(data: Any, at: int) -> tuple[int, int]:
    """Read (unsigned integer in its shortest form, position after it); -1 if it is not one, or beyond int64."""
    first = i64(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xCC or first > 0xCF:
        return i64(-1), at
    size = 1 << (first - 0xCC)
    value = i64(0)
    for n in range(size):
        value = (value << 8) | i64(data[at + 1 + n])
    least = 0x80 if size == 1 else i64(1) << (4 * size)
    return (value if value >= least else i64(-1)), at + 1 + size


@inlined
def _decimal(data: Any, at: int) -> tuple[int, int]:
    """Read (a plain decimal in 1e-8, position after it); -1 if it is longer or has another form."""
    size = i64(data[at]) - 0xA0
    if size < 1 or size > 20:
        return i64(-1), at
    value, digits, point = i64(0), 0, i64(-1)
    for n in range(size):
        c = i64(data[at + 1 + n])
        if c == 0x2E and point < 0 and n > 0:
            point = n
        elif 0x30 <= c <= 0x39:
            value = value * 10 + (c - 0x30)
            digits += 1
        else:
            return i64(-1), at
    decimals = i64(0) if point < 0 else size - point - 1
    whole = digits - decimals
    missing = 8 - decimals
    if (
        decimals > 8
        or digits + missing > _DIGITS_MAX
        or point == size - 1
        or (whole > 1 and data[at + 1] == 0x30)
    ):
        return i64(-1), at
    for _ in range(missing):
        value *= 10
    return value, at + 1 + size


@inlined
def _half(data: Any, at: int) -> tuple[int, bool]:
    """Read (8 bytes from 16 hex digits, whether all were hex digits)."""
    value = i64(0)
    good = True
    for n in range(16):
        c = i64(data[at + n])
        digit = c - 0x30 if c <= 0x39 else (c | 0x20) - 0x57
        good &= (0x30 <= c <= 0x39) or (0x61 <= (c | 0x20) <= 0x66)
        value = (value << 4) | (digit & 15)
    return value, good


@inlined
def _cloid(data: Any, at: int) -> tuple[int, int, bool]:
    """Read (halves of a client id, whether it is one)."""
    high, first = _half(data, at + 4)
    low, second = _half(data, at + 20)
    return high, low, _is(data, at, _HEX) and first and second and (high != 0 or low != 0)


@inlined
def _order(data: Any, at: int, op: Any) -> int:
    """Read one order; return the position after it, -1 if it is not of the common form."""
    fields = data[at]
    if (fields != 0x86 and fields != 0x87) or not _is_key(data, at + 1, 0x61):  # a
        return i64(-1)
    market, at = _number(data, at + 3)
    if market < 0 or market > 0x7FFFFFFF or not _is_key(data, at, 0x62) or data[at + 2] & 0xFE != 0xC2:  # b
        return i64(-1)
    op.market = market
    op.side = _BUY if data[at + 2] == 0xC3 else _SELL
    if not _is_key(data, at + 3, 0x70):  # p
        return i64(-1)
    op.px, at = _decimal(data, at + 5)
    if op.px < 0 or not _is_key(data, at, 0x73):  # s
        return i64(-1)
    op.sz, at = _decimal(data, at + 2)
    if op.sz < 0 or not _is_key(data, at, 0x72) or data[at + 2] & 0xFE != 0xC2:  # r
        return i64(-1)
    op.reduce_only = data[at + 2] & 1
    at += 3
    if not _is(data, at, _LIMIT):
        return i64(-1)
    at += _LIMIT.shape[0]
    if _is(data, at, _GTC_TEXT):
        op.tif = _GTC
    elif _is(data, at, _IOC_TEXT):
        op.tif = _IOC
    elif _is(data, at, _ALO_TEXT):
        op.tif = _ALO
    else:
        return i64(-1)
    at += 3
    if fields == 0x87:
        op.cloid_hi, op.cloid_lo, good = _cloid(data, at + 2)
        if not good or not _is_key(data, at, 0x63):  # c
            return i64(-1)
        op.has_cloid = 1
        at += 38
    return at


@inlined
def _target(data: Any, at: int) -> tuple[int, int]:
    """Read (an order id, position after it): 0, which names no order, for one beyond int64; -1 if it is none."""
    if data[at] == 0xCF and data[at + 1] >= 0x80:
        return i64(0), at + 9
    return _number(data, at)


@inlined
def _cancel(data: Any, at: int, op: Any) -> int:
    good = data[at] == 0x82
    if _is_key(data, at + 1, 0x61):  # a
        market, at = _number(data, at + 3)
        good &= _is_key(data, at, 0x6F)  # o
        oid, at = _target(data, at + 2)
    else:
        good &= _is_key(data, at + 1, 0x6F)
        oid, at = _target(data, at + 3)
        good &= _is_key(data, at, 0x61)
        market, at = _number(data, at + 2)
    op.kind = _CANCEL
    op.market = market
    op.oid = oid
    return i64(at if good and oid >= 0 and 0 <= market <= 0x7FFFFFFF else -1)


@inlined
def _cancel_by_cloid(data: Any, at: int, op: Any) -> int:
    good = data[at] == 0x82
    at += 1
    cloid_first = _is(data, at, _CLOID)
    if cloid_first:
        op.target_hi, op.target_lo, valid = _cloid(data, at + _CLOID.shape[0])
        good &= valid
        at += _CLOID.shape[0] + 36
    good &= _is(data, at, _ASSET)
    market, at = _number(data, at + _ASSET.shape[0])
    if not cloid_first:
        good &= _is(data, at, _CLOID)
        op.target_hi, op.target_lo, valid = _cloid(data, at + _CLOID.shape[0])
        good &= valid
        at += _CLOID.shape[0] + 36
    op.kind = _CANCEL_CLOID
    op.market = market
    return i64(at if good and 0 <= market <= 0x7FFFFFFF else -1)


@inlined
def _modify(data: Any, at: int, op: Any) -> int:
    """Read a modify: an order id, or the client's own, and the new order."""
    if not _is(data, at, _OID):
        return i64(-1)
    at += _OID.shape[0]
    if data[at] == 0xD9:
        op.target_hi, op.target_lo, good = _cloid(data, at)
        kind = _MODIFY_CLOID
        at += 36
    else:
        op.oid, at = _number(data, at)
        good = op.oid > 0
        kind = _MODIFY
    if not good or not _is(data, at, _ORDER_OF):
        return i64(-1)
    at = _order(data, at + _ORDER_OF.shape[0], op)
    op.kind = kind
    return at


@njit(
    types.int64(
        types.Array(types.uint8, 1, "C", readonly=True), types.int64, types.Array(from_dtype(OP), 1, "C")
    ),
    error_model="numpy",
    _nrt=False,
)
def _decode(data: Any, size: int, ops: Any) -> int:
    """Fill `ops` from `size` bytes followed by padding; return their number, or -1."""
    kind = _PLACE
    type_last = False
    at = _ORDERS.shape[0]
    if not _is(data, 0, _ORDERS):
        kind = _CANCEL
        at = _CANCELS.shape[0]
        if not _is(data, 0, _CANCELS):
            kind = _CANCEL_CLOID
            at = _CLOID_CANCELS.shape[0]
            if not _is(data, 0, _CLOID_CANCELS):
                kind = _MODIFY
                at = _MODIFIES.shape[0]
                if not _is(data, 0, _MODIFIES):
                    type_last = True
                    at = _CANCELS_FIRST.shape[0]
                    if not _is(data, 0, _CANCELS_FIRST):
                        return -1
    count = i64(data[at])
    if count == 0xDC:
        count = (i64(data[at + 1]) << 8) | i64(data[at + 2])
        at += 3
        if count < 16:
            return -1
    else:
        at += 1
        if count & 0xF0 != 0x90:
            return -1
        count &= 15
    if count == 0 or count > ops.shape[0]:
        return -1
    if type_last:
        kind = _CANCEL_CLOID if data[at + 1] == _LONG_KEY else _CANCEL
    for n in range(count):
        if kind == _PLACE:
            at = _order(data, at, ops[n])
        elif kind == _CANCEL:
            at = _cancel(data, at, ops[n])
        elif kind == _CANCEL_CLOID:
            at = _cancel_by_cloid(data, at, ops[n])
        else:
            at = _modify(data, at, ops[n])
        if at < 0 or at > size:
            return -1
    if kind == _PLACE:
        if not _is(data, at, _GROUPING):
            return -1
        at += _GROUPING.shape[0]
    elif type_last and kind == _CANCEL:
        if not _is(data, at, _CANCEL_LAST):
            return -1
        at += _CANCEL_LAST.shape[0]
    elif type_last:
        if not _is(data, at, _CLOID_CANCEL_LAST):
            return -1
        at += _CLOID_CANCEL_LAST.shape[0]
    return count if at == size else -1


def decode_operations(data: bytes) -> tuple[str, t.Operations] | None:
    """Decode (type name, operations) of an action in the common encoding; None: use the full decoder."""
    ops = np.zeros(min(len(data) // ITEM_BYTES_MIN + 1, ORDERS_PER_ACTION_MAX), OP)
    count = _decode(np.frombuffer(data + bytes(PADDING), np.uint8), len(data), ops)
    if count <= 0:
        return None
    rows = ops[:count].tobytes()
    kind = rows[_KIND_AT]
    if kind in (_CANCEL, _CANCEL_CLOID):
        name = "cancel" if kind == _CANCEL else "cancelByCloid"
        return name, t.Operations(rows, count, post_only=False)
    post_only = not rows[_TIF_AT :: OP.itemsize].strip(_ALL_ALO)
    if kind == _PLACE:
        return "order", t.Operations(rows, count, post_only)
    return "batchModify", t.Operations(rows, count, post_only)
