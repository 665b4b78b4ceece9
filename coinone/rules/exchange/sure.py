"""Which post-only orders of a batch are sure to rest unless others bar them (claims.py).

An account's orders are looked at as the race ranked them. One is sure if its entry (placing.py) could refuse it for
nothing but what crosses it, whichever of the sure ones enter before it:

- its account bears it together with those that are sure already, in all markets; a modify counts as whichever of its
  old and its new order is larger. An order that only reduces needs no margin;
- its client id is nobody else's, its account's orders and those at its price stay within their limits; no other order
  modifies its old one; of reduce-only orders one in a market is sure;
- no order of its own account is in its way, and its side has room. Others' that rest there take part in where bids
  and asks part (post_only.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types

from coinone.base.primitives.jit import njit
from coinone.base.primitives.limits import OPEN_ORDERS_MAX, OWN_ORDERS_AT_PRICE_MAX
from coinone.rules.exchange.cancelling import find_target
from coinone.rules.exchange.core import CORE, NUMBER_ROWS, NUMBERS, attach, i64, inlined, part
from coinone.rules.exchange.crossing import best_own, crosses, may_be_cleared
from coinone.rules.exchange.fill_check import beyond_band, room
from coinone.rules.exchange.indexes import find_cloid
from coinone.rules.exchange.ladders import key_of, ladder_of, level_of
from coinone.rules.exchange.margin_rules import initial_margin
from coinone.rules.exchange.matching import list_stale
from coinone.rules.exchange.order_terms import check_terms
from coinone.rules.exchange.own_orders import owns_at_level
from coinone.rules.exchange.placing import check_risk, cost_at_rest, may_rest
from coinone.rules.exchange.reducing import reducible, too_many_reducing
from coinone.rules.exchange.room import has_room, least_notional
from coinone.rules.exchange.rows import Rows
from coinone.rules.exchange.tables import ACCOUNT_LOCKED, Array, OpKind

_PLACE = int(OpKind.PLACE)
UNSURE = -1  # instead of what an order claims
_NEW, _UNKNOWN = -1, -2  # instead of the slot of an old order
# Of a position, what its sure orders come to: the lots by which they enlarge its bids and its asks, the margin that
# these add, how many are reduce-only, all lots of bids and of asks; whether a modify in it is unsure; and the keys of
# the best bid and ask that rest, once they were looked for.
_BIDS, _ASKS, _ADDED, _REDUCING, _BID_LOTS, _ASK_LOTS, _UNSURE_MODIFY, _BEST_BID, _BEST_ASK = range(9)
# Of an account: the margin and the number of its sure orders, the most that they may cost together, and what the larger
# sides of its positions' orders would need at the markets' greatest leverages.
_MARGIN, _ORDERS, _COST, STAKE = range(4)
_STAKE_MAX = 1 << 58  # more than anybody has, and no overflow
# Whether an order's kind was there before, by its group: sure ones at a price, with a client id, of an old order.
_AT_PRICE, _OF_CLIENT, _OF_OLD = range(3)


class Sure(NamedTuple):
    """What is sure of the post-only orders of a batch."""

    lots: Array  # of each order; UNSURE of those that are not
    owner: Array  # of each order, the row of `accounts`
    accounts: Array


def sure_orders(rows: Rows, ops: Array) -> Sure:
    """Of orders that come as the race ranked them and in their markets' units."""
    core, count = rows.core(ops), len(ops)
    old, lots = np.zeros((2, count), np.int64)
    _find_old(core, old)
    owner = groups(ops["account"])
    held = groups(owner, ops["market"])
    price = groups(held, ops["side"], ops["px"])
    client = groups(owner, ops["cloid_hi"], ops["cloid_lo"])
    positions, accounts, seen = np.zeros((3, count, 9), np.int64)
    _judge(core, old, owner, held, price, client, groups(old), positions, accounts, seen, lots)
    return Sure(lots, owner, accounts)


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


@njit(types.void(CORE, NUMBERS), error_model="numpy", _nrt=False)
def _find_old(words: Any, old: Any) -> None:
    """The slot of the order that each replaces; _NEW if none. _UNKNOWN if its terms are wrong, or its old order may be
    there when its turn comes, or not: it may be made or cleared before."""
    core = attach(words)
    list_stale(core)
    for i in range(core.ops.shape[0]):
        old[i] = _UNKNOWN
        if check_terms(core, i) != 0:
            continue
        if core.ops[i].kind == _PLACE:
            old[i] = _NEW
            continue
        slot = find_target(core, i)
        if slot >= 0 and not may_be_cleared(core, slot):
            old[i] = slot


@part
def _is_counted(core: Any, i: int, old: int, orders: int, at_price: int) -> bool:
    """Is it within its account's numbers, beside its sure `orders`, of which some are `at_price`, and is its client id
    free?"""
    op = core.ops[i]
    account = i64(op.account)
    if core.accounts[account].order_count + orders >= OPEN_ORDERS_MAX + i64(old >= 0):
        return False
    level = level_of(core, ladder_of(op.market, op.side), key_of(op.side, op.px))
    most = OWN_ORDERS_AT_PRICE_MAX - at_price
    if most <= 0 or owns_at_level(core, account, level, old, most):
        return False
    same = find_cloid(core, account, op.cloid_hi, op.cloid_lo) if op.has_cloid != 0 else i64(-1)
    return bool(same < 0 or same == old)


@inlined
def _meets_own(core: Any, i: int, sure: Any) -> bool:
    """Does an order of its own account cross it?"""
    op = core.ops[i]
    at = _BEST_BID if op.side != 0 else _BEST_ASK
    if sure[at] == 0:
        sure[at] = best_own(core, i64(op.account), i64(op.market), 1 - op.side)
    return crosses(op, sure[at])


@part
def _finds_room(core: Any, i: int, sure: Any) -> bool:
    """Is none of its account's own orders in its way, and may it rest on its side?"""
    op = core.ops[i]
    market, ladder = i64(op.market), ladder_of(op.market, op.side)
    if beyond_band(core, market, op.px) or _meets_own(core, i, sure):
        return False
    return bool(
        op.px * op.sz >= least_notional(core, market, ladder)
        and has_room(core, ladder, key_of(op.side, op.px))
    )


@part
def _is_borne(core: Any, i: int, old: int, sure: Any, total: Any) -> bool:
    """Can its account bear it beside its `sure` orders of the position and those of all, `total`? Then it is added."""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    if core.accounts[account].flags & ACCOUNT_LOCKED != 0:
        return False
    most = reducible(core, account, market, op.side)
    if most > 0 and not may_rest(core, i, i64(op.sz)):
        return False
    if op.reduce_only != 0:
        return _only_reduces(core, i, old, most, sure)
    position = core.positions[account, market]
    size = i64(op.sz)
    if old >= 0 and core.orders[old].side == op.side and core.orders[old].reduce_only == 0:
        size = max(size - core.orders[old].sz, i64(0))
    bids, asks = sure[_BIDS] + size * (1 - op.side), sure[_ASKS] + size * op.side
    resting = position.ask_size + asks if op.side != 0 else position.bid_size + bids
    initial = initial_margin(
        core, market, position.size, position.bid_size + bids, position.ask_size + asks, position.leverage
    )
    added = initial - position.initial_margin
    margin = total[_MARGIN] - sure[_ADDED] + added
    cost = total[_COST] + cost_at_rest(core, i, i64(op.sz))
    if resting > most:
        if check_risk(core, account, market, i64(resting - most), i64(margin)) != 0:
            return False
        if room(core, account) - margin < cost:
            return False
    sure[_BIDS], sure[_ASKS], sure[_ADDED] = bids, asks, added
    total[_MARGIN], total[_COST] = margin, cost
    return True


@part
def _only_reduces(core: Any, i: int, old: int, most: int, sure: Any) -> bool:
    """The same for a reduce-only order, where the position would let `most` be reduced."""
    op = core.ops[i]
    account, market = i64(op.account), i64(op.market)
    sure[_REDUCING] += 1
    return bool(
        sure[_REDUCING] == 1
        and core.positions[account, market].reduce_size + op.sz <= most
        and op.px * op.sz >= core.markets[market].min_notional
        and not too_many_reducing(core, account, market, old)
    )


@inlined
def _add_stake(core: Any, i: int, sure: Any, total: Any) -> None:
    """Note what the order puts at stake, where its side is or becomes the larger one of its position's."""
    op = core.ops[i]
    before = max(sure[_BID_LOTS], sure[_ASK_LOTS])
    sure[_ASK_LOTS if op.side != 0 else _BID_LOTS] += op.sz
    more = max(sure[_BID_LOTS], sure[_ASK_LOTS]) - before
    terms = core.markets[i64(op.market)]
    total[STAKE] = min(total[STAKE] + more * terms.mark // terms.max_leverage, _STAKE_MAX)


@njit(types.void(CORE, *[NUMBERS] * 6, *[NUMBER_ROWS] * 3, NUMBERS), error_model="numpy", _nrt=False)
def _judge(
    words: Any,
    old: Any,
    owner: Any,
    held: Any,
    price: Any,
    client: Any,
    replaced: Any,
    positions: Any,
    accounts: Any,
    seen: Any,
    found: Any,
) -> None:
    """The lots of sure orders, and UNSURE."""
    core = attach(words)
    for i in range(core.ops.shape[0]):
        op, sure, total = core.ops[i], positions[held[i]], accounts[owner[i]]
        found[i] = UNSURE
        if (
            old[i] != _UNKNOWN
            and sure[_UNSURE_MODIFY] == 0
            and (op.has_cloid == 0 or seen[client[i], _OF_CLIENT] == 0)
            and (old[i] < 0 or seen[replaced[i], _OF_OLD] == 0)
            and _is_counted(core, i, old[i], total[_ORDERS], seen[price[i], _AT_PRICE])
            and _finds_room(core, i, sure)
            and _is_borne(core, i, old[i], sure, total)
        ):
            found[i] = op.sz
            total[_ORDERS] += i64(old[i] < 0)
            seen[price[i], _AT_PRICE] += 1
            seen[client[i], _OF_CLIENT] += i64(op.has_cloid)
            seen[replaced[i], _OF_OLD] += 1
            _add_stake(core, i, sure, total)
        elif op.kind != _PLACE:
            sure[_UNSURE_MODIFY] = 1
