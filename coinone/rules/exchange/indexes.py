"""Orders by oid, and by (account, cloid): two open-addressing tables, at most half full (jitted).

Removal shifts back what follows, so that no table ever fills with the graves of old orders. An entry of
the oid table has half of the oid in it, so that a shift reads no order; eight oids in a row share a line of
memory, because oids are given in a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.rules.exchange.core import i64, inlined
from coinone.rules.exchange.ladders import GOLDEN

BLOCK_BITS = 3  # 2^3 entries of 8 bytes are a line of 64


@inlined
def home_of(core: Any, oid: int) -> int:
    """Where the probes for an oid begin; of its low 32 bits, with or without sign."""
    block = ((oid & 0xFFFFFFFF) >> BLOCK_BITS) * GOLDEN >> 32
    place = (block << BLOCK_BITS) | (oid & ((1 << BLOCK_BITS) - 1))
    return i64(place & (core.oids.shape[0] - 1))


def home_in(oid: int, mask: int) -> int:
    """`home_of` for Python, whose integers do not wrap."""
    block = ((oid & 0xFFFFFFFF) >> BLOCK_BITS) * GOLDEN % 2**64 >> 32
    return ((block << BLOCK_BITS) | (oid & ((1 << BLOCK_BITS) - 1))) & mask


@inlined
def likely_slot(core: Any, oid: int) -> int:
    """Slot of an order with the same low half, or -1: `find_oid` without a look at the order."""
    tag = np.int32(oid)
    place = home_of(core, oid)
    while core.oids[place].slot >= 0:
        if core.oids[place].tag == tag:
            return i64(core.oids[place].slot)
        place = (place + 1) & (core.oids.shape[0] - 1)
    return i64(-1)


@inlined
def find_oid(core: Any, oid: int) -> int:
    """Slot of a resting order, or -1."""
    tag = np.int32(oid)
    place = home_of(core, oid)
    while core.oids[place].slot >= 0:
        if core.oids[place].tag == tag:
            slot = i64(core.oids[place].slot)
            if core.orders[slot].oid == oid:
                return slot
        place = (place + 1) & (core.oids.shape[0] - 1)
    return i64(-1)


@inlined
def add_oid(core: Any, oid: int, slot: int) -> None:
    place = home_of(core, oid)
    while core.oids[place].slot >= 0:
        place = (place + 1) & (core.oids.shape[0] - 1)
    entry = core.oids[place]
    entry.tag = np.int32(oid)
    entry.slot = slot


@inlined
def drop_oid(core: Any, oid: int, slot: int) -> None:
    """Remove, and close the gap so that every probe still meets its key (backward shift)."""
    mask = core.oids.shape[0] - 1
    gap = home_of(core, oid)
    while core.oids[gap].slot != slot:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while core.oids[place].slot >= 0:
        entry, hole = core.oids[place], core.oids[gap]
        if ((place - home_of(core, i64(entry.tag))) & mask) >= ((place - gap) & mask):
            hole.tag = entry.tag
            hole.slot = entry.slot
            gap = place
        place = (place + 1) & mask
    core.oids[gap].slot = -1


@inlined
def _cloid_home(core: Any, slot: int) -> int:
    order = core.orders[slot]
    return _cloid_hash(core, order.account, order.cloid_hi, order.cloid_lo)


@inlined
def _cloid_hash(core: Any, account: int, high: int, low: int) -> int:
    mixed = ((high * GOLDEN) ^ low ^ (account << 17)) * GOLDEN
    return i64((mixed >> 32) & (core.cloid_slots.shape[0] - 1))


@inlined
def find_cloid(core: Any, account: int, high: int, low: int) -> int:
    """Slot of the account's resting order with this client id, or -1."""
    place = _cloid_hash(core, account, high, low)
    while core.cloid_slots[place] >= 0:
        slot = i64(core.cloid_slots[place])
        order = core.orders[slot]
        if order.cloid_lo == low and order.cloid_hi == high and order.account == account:
            return slot
        place = (place + 1) & (core.cloid_slots.shape[0] - 1)
    return i64(-1)


@inlined
def add_cloid(core: Any, slot: int) -> None:
    place = _cloid_home(core, slot)
    while core.cloid_slots[place] >= 0:
        place = (place + 1) & (core.cloid_slots.shape[0] - 1)
    core.cloid_slots[place] = slot


@inlined
def drop_cloid(core: Any, slot: int) -> None:
    """Remove by backward shift, as `drop_oid`; the order's row must still be there."""
    mask = core.cloid_slots.shape[0] - 1
    gap = _cloid_home(core, slot)
    while core.cloid_slots[gap] != slot:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while core.cloid_slots[place] >= 0:
        home = _cloid_home(core, i64(core.cloid_slots[place]))
        if ((place - home) & mask) >= ((place - gap) & mask):
            core.cloid_slots[gap] = core.cloid_slots[place]
            gap = place
        place = (place + 1) & mask
    core.cloid_slots[gap] = -1
