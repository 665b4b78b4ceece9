"""Tables in jitted code, against what NumPy says of the same arrays."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from coinone.base.primitives import jit_tables
from coinone.base.primitives.jit import njit, types
from coinone.base.primitives.jit_tables import ADDRESSES, WORDS, TableSet, TableType, describe, move, prefetch

ROW = np.dtype([("money", np.int64), ("small", np.int32), ("side", np.int8)], align=True)


class Arrays(NamedTuple):
    rows: Any
    copies: Any
    grid: Any
    numbers: Any


attach = jit_tables.attach(
    TableSet(Arrays(TableType(ROW), TableType(ROW), TableType(ROW, 2), TableType(np.int32)))
)


@njit(types.int64(ADDRESSES, types.int64), cache=False, error_model="numpy", _nrt=False)
def _work(words: Any, n: int) -> int:
    tables = attach(words)
    prefetch(tables.rows, n)
    row = tables.rows[n]
    row.money += 5
    row.side = -row.side
    tables.copies[0] = row
    tables.grid[1, n].small = 7
    tables.grid[0][n].money = -3
    tables.numbers[n] = row.small
    move(tables.numbers, 0, 1, 3)
    return int(tables.rows.shape[0] * 1000 + tables.grid.shape[0] * 100 + tables.grid.shape[1])


def _arrays() -> Arrays:
    rows = np.zeros(4, ROW)
    rows["money"], rows["small"], rows["side"] = range(10, 14), range(4), -1
    return Arrays(rows, np.zeros(1, ROW), np.zeros((2, 5), ROW), np.arange(4, dtype=np.int32))


def test_rows_fields_and_numbers_are_read_and_written_where_numpy_has_them() -> None:
    arrays = _arrays()
    words = np.zeros(WORDS * len(arrays), np.int64)
    describe(arrays, None, words)
    assert _work(words, 2) == 4 * 1000 + 2 * 100 + 5
    assert arrays.rows.tolist() == [(10, 0, -1), (11, 1, -1), (17, 2, 1), (13, 3, -1)]
    assert arrays.copies.tolist() == [(17, 2, 1)]
    assert arrays.grid["small"].nonzero() == (np.array([1]), np.array([2]))
    assert arrays.grid["money"][0].tolist() == [0, 0, -3, 0, 0]
    assert arrays.numbers.tolist() == [1, 2, 3, 3]  # the places from 1 on, moved to 0; the last one stays


def test_an_array_that_was_replaced_is_described_anew_and_the_others_stand() -> None:
    before = _arrays()
    words = np.zeros(WORDS * len(before), np.int64)
    describe(before, None, words)
    known = words.copy()
    after = before._replace(rows=np.zeros(9, ROW))
    describe(after, before, words)
    assert words[:WORDS].tolist() == [after.rows.ctypes.data, 9, 0]
    assert words[WORDS:].tolist() == known[WORDS:].tolist()
    _work(words, 3)  # the other arrays have no more places
    assert after.rows["money"][3] == 5 and before.rows["money"].tolist() == [10, 11, 12, 13]


def test_an_array_with_gaps_is_not_taken() -> None:
    arrays = _arrays()._replace(numbers=np.arange(8, dtype=np.int32)[::2])
    with pytest.raises(AssertionError):
        describe(arrays, None, np.zeros(WORDS * len(arrays), np.int64))
