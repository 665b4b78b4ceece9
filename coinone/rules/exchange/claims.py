"""What the post-only orders of a batch claim: where bids and asks part is decided by it (post_only.py).

Only orders that are sure to rest claim (sure.py): if orders counted that are refused when their turn comes, words would
bar others. They claim their lots as many times as their account could bear all it stakes, at most `TIMES_MAX`: makers
have more capital than they quote, and whoever would bar them must bring more lots and more capital. By lots alone an
ask for 5 BTC barred all makers who quoted 4 with a thousand times its margin; by capital alone whoever has most would
bar all others for 12 quote.
"""

from __future__ import annotations

from typing import Any

from numba import types

from coinone.base.primitives.fixed128 import muldiv_down_jit
from coinone.base.primitives.jit import njit
from coinone.rules.exchange.core import CORE, NUMBER_ROWS, NUMBERS, attach, i64, inlined
from coinone.rules.exchange.fill_check import room
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.sure import STAKE, UNSURE, sure_orders
from coinone.rules.exchange.tables import Array

TIMES_MAX = 16
CLAIM_MAX = 1 << 44  # lots: the claims of a segment add up in int64


def claims(rows: Rows, ops: Array) -> Array:
    """Lots that each of the batch's post-only orders `ops` claims, which come as the race ranked them and in their
    markets' units, or UNSURE."""
    sure = sure_orders(rows, ops)
    _claim(rows.core(ops), sure.owner, sure.accounts, sure.lots)
    return sure.lots


@inlined
def _multiplied(core: Any, i: int, stake: int) -> int:
    """The order's lots, as many times as its account could bear the stake. Rounded down."""
    op = core.ops[i]
    free = room(core, i64(op.account))
    if free >= TIMES_MAX * stake:
        return i64(TIMES_MAX * op.sz)
    return i64(muldiv_down_jit(i64(op.sz), free, stake) if free > stake else op.sz)


@njit(types.void(CORE, NUMBERS, NUMBER_ROWS, NUMBERS), error_model="numpy", _nrt=False)
def _claim(words: Any, owner: Any, accounts: Any, lots: Any) -> None:
    """Make claims of the lots of sure orders."""
    core = attach(words)
    for i in range(core.ops.shape[0]):
        if lots[i] != UNSURE:
            lots[i] = min(_multiplied(core, i, i64(accounts[owner[i], STAKE])), CLAIM_MAX)
