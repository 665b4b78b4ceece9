"""The race: the order of accounts in the segments of orders (5 and 6), weighted by the margin at stake.

With one ticket per account, a hundred accounts of ten quote would come first in most batches. Here each action runs
against a clock whose mean is 1 / its weight, and the minimum over the parts of a whole has the distribution of the
whole: splitting one's margin over accounts changes nothing.

    T_k = T_(k-1) + X_k / w_k      the k-th action of an account in the segment, in its own order; least T first
    X_k = -log2((u + 1) / 2^64)    u: 64 bits of keccak(seed, segment, account, k div 4), from byte 8 * (k mod 4)
    w_k                            the least weight among the action's orders, at least one millionth of a quote

An order's weight is the initial margin, at the market's maximum leverage, of what it can do in the state in which the
segment begins: its size, if its limit reaches an order that another account has resting, or if it may rest and lies
within the fills' band; else nothing. What it opens counts up to the equity that is not used as margin (for a modify,
plus its side's open orders), what it reduces up to the position. The *least*, so that a large order placed next to a
small one does not speed it up: each order runs on its own margin only. The weight is not reduced where others' orders
offer less than the size: a bound that is the same for all would give each account an equal chance again, and what
all compete for is scarce.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.integers import div_up
from coinone.base.primitives.jit import njit, types
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.book.ladders import key_of, ladder_of
from coinone.rules.exchange.book.own_orders import first_own, first_reducing
from coinone.rules.exchange.margin.fill_check import beyond_band, room
from coinone.rules.exchange.rows.arrays import CORE, MARKETS, NUMBERS, attach, i64, inlined
from coinone.rules.exchange.rows.tables import OP, OpKind, Side, Tif
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.wire.action import Segment
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.trades import WIRE_DECIMALS, Operations

LOG_BITS = 32  # logarithms are in 2^-32
_TABLE_BITS = 12
_WIRE_ONE = 10**WIRE_DECIMALS
_SELL, _IOC = int(Side.SELL), int(Tif.IOC)
_MODIFY, _MODIFY_CLOID = int(OpKind.MODIFY), int(OpKind.MODIFY_CLOID)
_DEPTH = 256  # prices of the other side that are examined; deeper orders are ignored


def raced(batch: Execution, items: Sequence[Item], segment: Segment) -> list[Item]:
    """Items of segment 5 or 6 in execution order."""
    if not items:
        return []
    queues: dict[int, list[tuple[Item, int]]] = {}
    for item, weight in zip(items, weights(batch.rows, items), strict=True):
        queues.setdefault(item.account, []).append((item, weight))
    numbers = batch.rows.accounts["number"][list(queues)].tolist()
    timed: list[tuple[int, int, int, Item]] = []
    for number, queue in zip(numbers, queues.values(), strict=True):
        time, address = 0, queue[0][0].address
        queue.sort(key=lambda pair: pair[0].key)
        drawn = draws(batch.ctx.seed, segment, address, len(queue))
        for k, (x, (item, weight)) in enumerate(zip(drawn, queue, strict=True)):
            time += div_up(x << LOG_BITS, weight)
            timed.append((time, number, k, item))
    timed.sort(key=itemgetter(0, 1, 2))
    return [item for _, _, _, item in timed]


def draws(seed: bytes, segment: Segment, address: bytes, count: int) -> list[int]:
    """X_0 to X_(count - 1) in 2^-32: exponentially distributed, up to a common factor."""
    start, blocks = seed + bytes((segment,)) + address, (count + 3) // 4
    said = b"".join([keccak256(start + block.to_bytes(4, "big")) for block in range(blocks)])
    return [(64 << LOG_BITS) - log2(word + 1) for word in struct.unpack_from(f">{count}Q", said)]


def log2(value: int) -> int:
    """The binary logarithm of 1 to 2^64 in 2^-32, rounded down, by linear interpolation in a table: error below
    2^-26."""
    whole = value.bit_length() - 1
    fraction = (value << 63 >> whole) - (1 << 63)
    place, rest = fraction >> (63 - _TABLE_BITS), fraction & ((1 << (63 - _TABLE_BITS)) - 1)
    low, high = _logs()[place : place + 2]
    return (whole << LOG_BITS) + low + ((high - low) * rest >> (63 - _TABLE_BITS))


def weights(rows: Rows, items: Sequence[Item]) -> list[int]:
    """The weights of the items, in 10^-6 quote."""
    if not items:
        return []
    orders = [item.action.says for item in items if isinstance(item.action.says, Operations)]
    counts = [each.count for each in orders]
    assert len(counts) == len(items) and min(counts) > 0, "segments 5 and 6 hold orders"
    ops = np.frombuffer(bytearray().join([each.rows for each in orders]), OP)
    accounts = np.repeat(np.array([item.account for item in items], np.int64), counts)
    stakes = np.empty(len(ops), np.int64)
    _stakes(rows.core(ops), accounts, stakes)
    least = np.minimum.reduceat(stakes, np.cumsum([0, *counts[:-1]]))
    found: list[int] = np.maximum(least, 1).tolist()
    return found


@inlined
def _own_within(core: Any, account: int, market: int, side: int, limit: int) -> int:
    """Lots of the account's own resting orders of a side, from the key `limit` upwards."""
    found = i64(0)
    for n in range(2):
        slot = first_own(core, account, market, side) if n == 0 else first_reducing(core, account, market)
        while slot >= 0:
            order = core.orders[slot]
            if order.side == side and key_of(side, order.px) >= limit:
                found += order.sz
            slot = i64(core.links[slot].own_next)
    return found


@inlined
def _possible(core: Any, i: int, account: int, market: int, px: int, lots: int) -> int:
    """The op's lots, if it can trade with others' resting orders within its limit, or else rest within the band.

    An account's own orders do not count, since they do not trade with each other.
    """
    op = core.ops[i]
    ladder = ladder_of(market, 1 - op.side)
    limit = -key_of(op.side, px)
    found = i64(0)
    count = core.ladder_counts[ladder]
    if count > 0 and core.ladder_keys[ladder, count - 1] >= limit:
        best = i64(core.levels[core.ladder_levels[ladder, count - 1]].head)
        if core.orders[best].account != account:  # the usual case
            return lots
        found -= _own_within(core, account, market, i64(1 - op.side), limit)
    for place in range(count - 1, max(count - _DEPTH, core.ladder_firsts[ladder]) - 1, -1):
        if core.ladder_keys[ladder, place] < limit or found > 0:
            break
        found += core.levels[core.ladder_levels[ladder, place]].size
    if found > 0:
        return lots
    return i64(0) if op.tif == _IOC or beyond_band(core, market, px) else lots


@njit(types.void(CORE, NUMBERS, NUMBERS), error_model="numpy", _nrt=False)
def _stakes(words: Any, accounts: Any, stakes: Any) -> None:
    """For each of the core's ops, still in the wire's units, set the margin of what it can do, up to the available
    margin."""
    core = attach(words)
    for i in range(core.ops.shape[0]):
        op = core.ops[i]
        stakes[i] = 0
        if op.market < 0 or op.market >= core.counters[MARKETS]:
            continue
        market = i64(op.market)
        terms = core.markets[market]
        lots = min(op.sz // (100 * terms.px_unit), terms.max_sz)
        lots = _possible(core, i, accounts[i], market, op.px // (_WIRE_ONE // terms.px_unit), lots)
        held = core.positions[accounts[i], market]
        selling = op.side == _SELL
        reduced = min(lots, max(held.size if selling else -held.size, 0))
        opened = i64(0) if op.reduce_only != 0 else lots - reduced
        bound = max(room(core, accounts[i]), 0)
        if op.kind == _MODIFY or op.kind == _MODIFY_CLOID:
            freed = held.ask_size if selling else held.bid_size
            bound += freed * terms.mark // terms.max_leverage
        stakes[i] = min(opened * terms.mark // terms.max_leverage, bound)
        stakes[i] += reduced * terms.mark // terms.max_leverage


@cache
def _logs() -> tuple[int, ...]:
    """floor(2^32 * log2(1 + i / 4096)) for i from 0 to 4096, bit by bit: squaring a number doubles its logarithm."""
    precision, logs = 192, []
    for i in range(1 << _TABLE_BITS):
        power, log = (1 << precision) + (i << (precision - _TABLE_BITS)), 0
        for _ in range(LOG_BITS):
            power = power * power >> precision
            doubled = power >> (precision + 1)
            power >>= doubled
            log = 2 * log + doubled
        logs.append(log)
    return (*logs, 1 << LOG_BITS)
