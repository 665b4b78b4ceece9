"""Indexes of orders by oid, and by (account, cloid) (jitted).

Oids are consecutive, so the low bits of an oid are as good as a hash of it: they are a place in `oids`, which holds the
newest order there, and each order's link leads to the next older one. With at least twice as many places as orders most
chains have one order. An attacker who waits for oids that fall on the same place could make a chain of any length: so
every 65,536 oids the low bits are shifted by another amount.

Cloids are the clients' choice: an open-addressing table, at most half full. Removal shifts back what follows, so that
it never fills with tombstones.

Shifts and places of cloids come from SipHash under a secret key that each node draws: no client can choose ids that
share a place. The result of a look-up is the same for any key.
"""

from __future__ import annotations

from typing import Any

from coinone.base.crypto.siphash import siphash
from coinone.rules.exchange.rows.arrays import KEY_0, KEY_1, i64, inlined

RUN_BITS = 16  # consecutive oids with the same shift: 2^16
OID_SHIFTS = 1024  # they repeat after 2^26 oids; a chain of n needs an order in each of n such rounds


@inlined
def home_of(core: Any, oid: int) -> int:
    """The home place of an oid."""
    shift = i64(core.oid_shifts[(oid >> RUN_BITS) & (OID_SHIFTS - 1)])
    return i64((oid + shift) & (core.oids.shape[0] - 1))


@inlined
def find_oid(core: Any, oid: int) -> int:
    """Slot of a resting order by oid, or -1."""
    slot = i64(core.oids[home_of(core, oid)])
    while slot >= 0 and core.orders[slot].oid != oid:
        slot = i64(core.links[slot].older)
    return slot


@inlined
def add_oid(core: Any, oid: int, slot: int) -> None:
    home = home_of(core, oid)
    core.links[slot].older = core.oids[home]
    core.oids[home] = slot


@inlined
def drop_oid(core: Any, oid: int, slot: int) -> None:
    home = home_of(core, oid)
    older = core.links[slot].older
    newer = i64(core.oids[home])
    if newer == slot:
        core.oids[home] = older
    else:
        while core.links[newer].older != slot:
            newer = i64(core.links[newer].older)
        core.links[newer].older = older


@inlined
def _cloid_home(core: Any, slot: int) -> int:
    order = core.orders[slot]
    return _cloid_hash(core, order.account, order.cloid_hi, order.cloid_lo)


@inlined
def _cloid_hash(core: Any, account: int, high: int, low: int) -> int:
    mixed = siphash(core.counters[KEY_0], core.counters[KEY_1], i64(account), high, low)
    return i64(mixed & (core.cloid_slots.shape[0] - 1))


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
    """Remove a cloid, and close the gap so that every probe still meets its key; the order's row must still be
    there."""
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
