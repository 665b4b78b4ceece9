"""Kernel: resting orders that an incoming order crosses."""

from __future__ import annotations

from typing import Any

from coinone.rules.exchange.book.ladders import stands_alone_at_best
from coinone.rules.exchange.kernel.cancelling import dismiss
from coinone.rules.exchange.margin.fill_check import beyond_band
from coinone.rules.exchange.rows.arrays import i64, inlined
from coinone.rules.exchange.rows.status import Status

_BAND_CANCELED = int(Status.BAND_CANCELED)


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
