"""Kernel: resting orders that an incoming order crosses."""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.parameters import PRICE_LEVELS_MAX
from coinone.rules.exchange.book.ladders import stands_alone_at_best
from coinone.rules.exchange.kernel.cancelling import dismiss
from coinone.rules.exchange.margin.fill_check import band_of, beyond_band
from coinone.rules.exchange.rows.arrays import i64, inlined
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import MarketStatus

_BAND_CANCELED = int(Status.BAND_CANCELED)
_AGED = int(MarketStatus.AGED)


@inlined
def would_cross(core: Any, i: int, other: int, old: int) -> bool:
    """Whether op `i` would trade with the best of the other side's ladder, once the order in slot `old` is gone."""
    op = core.ops[i]
    count = core.ladder_counts[other]
    if old >= 0 and stands_alone_at_best(core, other, old):
        count -= 1
    first = core.ladder_firsts[other]
    return bool(count > first and crosses(op, core.ladder_keys[other, count - 1]))


@inlined
def rests_over(core: Any, i: int) -> bool:
    """Whether post-only op `i` rests although it crosses others, which it meets after the takers (passing.py).

    Only in its own segment and on a fresh price; if it is reduce-only, also on an aged one. Beyond the band at its
    owner's loss no fill can happen: 16,384 such bids, each at a better price than the makers', would push theirs off
    the side, and so would as many prices in a row nearby.
    """
    op = core.ops[i]
    terms = core.markets[i64(op.market)]
    if op.passes == 0 or terms.status > _AGED or (terms.status == _AGED and op.reduce_only == 0):
        return False
    lost = (1 - 2 * op.side) * (op.px - terms.mark)
    return bool(lost <= min(band_of(terms), PRICE_LEVELS_MAX // 2 * terms.px_unit))


@inlined
def clear_beyond_band(core: Any, i: int, other: int) -> None:
    """Remove others' orders that no fill could ever meet, at their owners' loss: they must not keep a post-only order
    out."""
    op = core.ops[i]
    market = i64(op.market)
    while core.ladder_counts[other] > 0:
        best = core.ladder_counts[other] - 1
        key = core.ladder_keys[other, best]
        slot = i64(core.levels[core.ladder_levels[other, best]].head)
        if (
            not crosses(op, key)
            or core.orders[slot].account == op.account
            or not _is_lost(core, market, op.side, key)
        ):
            break
        dismiss(core, slot, i, _BAND_CANCELED)


@inlined
def crosses(op: Any, key: int) -> bool:
    """Whether the order would trade with one that rests on the other side's ladder under this key."""
    return bool(key >= op.px * (2 * op.side - 1))


@inlined
def _is_lost(core: Any, market: int, side: int, key: int) -> bool:
    """Whether orders under this key, opposite to `side`, are beyond the band to their owners' loss."""
    px = abs(key)
    return bool((1 - 2 * side) * (px - core.markets[market].mark) <= 0 and beyond_band(core, market, px))
