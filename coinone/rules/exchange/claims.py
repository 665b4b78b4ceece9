"""What the post-only orders of a batch claim: the lots of those that are sure to rest unless others bar them.

Claims decide which side of a market enters first (post_only.py). So a claim must cost what the order would: if orders
counted that are refused when their turn comes, words would bar others. An order claims its lots only if, whatever
enters before it, its entry (placing.py) could refuse it for nothing but what crosses it:

- an account bears all its post-only orders of the batch together, in all markets; a modify counts as whichever of its
  old and its new order is larger. Else none of them claims anything. An order that only reduces needs no margin;
- its client id is nobody else's, its account's orders and those at its price stay within their limits if all of
  them rest, and it is the only one that modifies its old order or, of reduce-only ones, the only one of its market;
- nothing rests in its way but what lies beyond the band and goes, and its side has room.

And the further it lies beyond the mark to its owner's loss, and beyond the mark of the last batch, which its owner
knew, the less it claims: at n times as far as a book may be from it (oracle / 4L, mark.py), an n-th. An order stands
for one batch before its owner may take it back, so a large one far away is little risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.base.primitives.limits import OPEN_ORDERS_MAX, OWN_ORDERS_AT_PRICE_MAX, POSITION_NOTIONAL_MAX
from coinone.rules.exchange.cancelling import find_target
from coinone.rules.exchange.core import CORE, attach, i64, inlined, part
from coinone.rules.exchange.crossing import keeps_out, may_be_cleared
from coinone.rules.exchange.fill_check import beyond_band, room
from coinone.rules.exchange.indexes import find_cloid
from coinone.rules.exchange.ladders import key_of, ladder_of, level_of
from coinone.rules.exchange.margin_rules import initial_margin
from coinone.rules.exchange.mark import OFFSET_SHARE
from coinone.rules.exchange.matching import list_stale
from coinone.rules.exchange.order_terms import check_terms
from coinone.rules.exchange.own_orders import owns_at_level
from coinone.rules.exchange.placing import check_risk, falls_short, may_rest
from coinone.rules.exchange.reducing import reducible, too_many_reducing
from coinone.rules.exchange.room import has_room, least_notional
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import ACCOUNT_LOCKED, Array, OpKind

_PLACE = int(OpKind.PLACE)
NUMBERS = types.Array(types.int64, 1, "C")
TABLE = types.Array(types.int64, 2, "C")
_NEW, _UNSURE, _REFUSED = -1, -2, -3  # instead of the slot of an old order
# What enters of a position: lots of bids, of asks, of reduce-only orders, and how many these are; then whether what its
# margin grows by is among what its account asks for.
_BIDS, _ASKS, _REDUCE_ONLY, _REDUCING, _COUNTED = range(5)
_MARGIN, _ORDERS = range(2)  # what an account asks for
_NOBODY_HAS = 1 << 60  # of margin; and no overflow


def claims(rows: Rows, ops: Array, moved: Mapping[int, int]) -> Array:
    """Lots that each of the batch's post-only orders `ops` claims, which are in their markets' units; `moved`: by how
    much marks moved in this batch."""
    known = rows.markets["mark"][: rows.market_count].copy()
    for market, change in moved.items():
        known[market] -= change
    core = rows.core(ops)
    old, found = np.zeros((2, len(ops)), np.int64)
    _find_old(core, old)
    owner = groups(ops["account"])
    held = groups(owner, ops["market"])
    entering = np.zeros((held.max() + 1, _COUNTED + 1), np.int64)
    asked = np.zeros((owner.max() + 1, _ORDERS + 1), np.int64)
    _add_up(core, old, held, entering)
    _ask(core, old, owner, held, entering, asked)
    alike = _alike(ops, old, owner, held)
    _judge(core, old, owner, held, entering, asked, alike, known, found)
    return found


def groups(*columns: Array) -> Array:
    """For each row a number that equal rows share, from 0 on without gaps."""
    order = np.lexsort(columns)
    differs = np.zeros(len(order), np.bool_)
    for column in columns:
        ordered = column[order]
        differs[1:] |= ordered[1:] != ordered[:-1]
    found = np.empty(len(order), np.int64)
    found[order] = np.cumsum(differs)
    return found


def _alike(ops: Array, old: Array, owner: Array, held: Array) -> Array:
    """How many orders of the account enter at each order's price; very many where another of them has its client id or
    modifies its old order."""
    named = ops["has_cloid"] != 0
    clients = groups(owner, ops["cloid_hi"], ops["cloid_lo"], named)
    at_price = _counts(groups(held, ops["side"], ops["px"]))
    twice = (named & (_counts(clients) > 1)) | ((old >= 0) & (_counts(groups(old)) > 1))
    found: Array = np.where(twice, OPEN_ORDERS_MAX, at_price).astype(np.int64)
    return found


def _counts(group: Array) -> Array:
    found: Array = np.bincount(group)[group]
    return found


@njit(types.void(CORE, NUMBERS), error_model="numpy", _nrt=False)
def _find_old(words: Any, old: Any) -> None:
    """The slot of the order that each replaces; _NEW if none. _REFUSED if its terms are wrong; _UNSURE if its old order
    may be there when its turn comes, or not: it may be made or cleared before."""
    core = attach(words)
    list_stale(core)
    for i in range(core.ops.shape[0]):
        old[i] = _NEW
        if check_terms(core, i) != 0:
            old[i] = _REFUSED
        elif core.ops[i].kind != _PLACE:
            slot = find_target(core, i)
            old[i] = slot if slot >= 0 and not may_be_cleared(core, slot) else _UNSURE


@njit(types.void(CORE, NUMBERS, NUMBERS, TABLE), error_model="numpy", _nrt=False)
def _add_up(words: Any, old: Any, held: Any, entering: Any) -> None:
    """What enters of each position, in lots; of a modify what its old order does not hold already."""
    core = attach(words)
    for i in range(core.ops.shape[0]):
        if old[i] == _REFUSED:
            continue
        op, row = core.ops[i], entering[held[i]]
        size = i64(op.sz)
        if old[i] >= 0:
            before = core.orders[old[i]]
            if before.side == op.side and before.reduce_only == op.reduce_only:
                size = max(size - before.sz, i64(0))
        place = _REDUCE_ONLY if op.reduce_only != 0 else i64(op.side)
        row[place] = min(row[place] + size, POSITION_NOTIONAL_MAX)  # more than any position, and no overflow
        row[_REDUCING] += i64(op.reduce_only != 0)


@njit(types.void(CORE, *[NUMBERS] * 3, TABLE, TABLE), error_model="numpy", _nrt=False)
def _ask(words: Any, old: Any, owner: Any, held: Any, entering: Any, asked: Any) -> None:
    """The margin that all of an account's orders ask for together, and how many more it would have."""
    core = attach(words)
    for i in range(core.ops.shape[0]):
        if old[i] == _REFUSED:
            continue
        op, row, total = core.ops[i], entering[held[i]], asked[owner[i]]
        total[_ORDERS] += i64(old[i] < 0)
        if row[_COUNTED] == 0:
            row[_COUNTED] = 1
            market = i64(op.market)
            position = core.positions[i64(op.account), market]
            most = core.markets[market].max_sz + abs(position.size)  # what opens more than max_sz is refused
            bids = position.bid_size + min(row[_BIDS], most)
            asks = position.ask_size + min(row[_ASKS], most)
            initial = initial_margin(core, market, position.size, bids, asks, position.leverage)
            total[_MARGIN] = min(total[_MARGIN] + initial - position.initial_margin, _NOBODY_HAS)


@part
def _is_counted(core: Any, i: int, old: int, orders: int, alike: int) -> bool:
    """Is the order within its account's numbers, and its client id its own, if all the account's orders rest?"""
    op = core.ops[i]
    account = i64(op.account)
    if core.accounts[account].order_count + orders > OPEN_ORDERS_MAX or alike > OWN_ORDERS_AT_PRICE_MAX:
        return False
    level = level_of(core, ladder_of(op.market, op.side), key_of(op.side, op.px))
    if owns_at_level(core, account, level, old, OWN_ORDERS_AT_PRICE_MAX + 1 - alike):
        return False
    same = find_cloid(core, account, op.cloid_hi, op.cloid_lo) if op.has_cloid != 0 else i64(-1)
    return bool(same < 0 or same == old)


@part
def _finds_room(core: Any, i: int) -> bool:
    """Does nothing that rests keep it out, and may it rest on its side?"""
    op = core.ops[i]
    market, ladder = i64(op.market), ladder_of(op.market, op.side)
    if beyond_band(core, market, op.px) or keeps_out(core, i, ladder_of(market, 1 - op.side)):
        return False
    return bool(
        op.px * op.sz >= least_notional(core, market, ladder)
        and has_room(core, ladder, key_of(op.side, op.px))
    )


@part
def _is_borne(core: Any, i: int, old: int, row: Any, margin: int) -> bool:
    """Can its account bear the order beside all others that it sends?"""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    if core.accounts[account].flags & ACCOUNT_LOCKED != 0:
        return False
    position = core.positions[account, market]
    most = reducible(core, account, market, op.side)
    if most > 0 and not may_rest(core, i, i64(op.sz)):
        return False
    if op.reduce_only != 0:
        return bool(
            row[_REDUCING] == 1
            and position.reduce_size + row[_REDUCE_ONLY] <= most
            and op.px * op.sz >= core.markets[market].min_notional
            and not too_many_reducing(core, account, market, old)
        )
    resting = position.ask_size + row[_ASKS] if op.side != 0 else position.bid_size + row[_BIDS]
    if resting <= most:
        return True
    slack = room(core, account) - margin
    return bool(
        check_risk(core, account, market, i64(resting - most), i64(margin)) == 0
        and slack >= 0
        and not falls_short(core, i, i64(op.sz), i64(slack))
    )


@inlined
def _tapered(core: Any, i: int, known: int) -> int:
    """The lots that it claims: all of them near the mark, fewer the further it lies beyond. Rounded down."""
    op = core.ops[i]
    terms = core.markets[i64(op.market)]
    beyond = min(terms.mark, known) - op.px if op.side != 0 else op.px - max(terms.mark, known)
    steps = beyond * OFFSET_SHARE * terms.max_leverage
    return i64(op.sz * terms.oracle // steps if steps > terms.oracle else op.sz)


@njit(types.void(CORE, *[NUMBERS] * 3, TABLE, TABLE, *[NUMBERS] * 3), error_model="numpy", _nrt=False)
def _judge(
    words: Any,
    old: Any,
    owner: Any,
    held: Any,
    entering: Any,
    asked: Any,
    alike: Any,
    known: Any,
    found: Any,
) -> None:
    core = attach(words)
    for i in range(core.ops.shape[0]):
        found[i] = 0
        if old[i] == _REFUSED or old[i] == _UNSURE:
            continue
        row, total = entering[held[i]], asked[owner[i]]
        if (
            _is_counted(core, i, old[i], total[_ORDERS], alike[i])
            and _finds_room(core, i)
            and _is_borne(core, i, old[i], row, total[_MARGIN])
        ):
            found[i] = _tapered(core, i, known[i64(core.ops[i].market)])
