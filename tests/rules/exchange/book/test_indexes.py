"""Hash tables whose keys clients choose: a look-up stays short whatever they choose; no result depends on the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coinone.base.crypto.siphash import PUBLIC_KEY, Key, siphash
from coinone.rules.exchange.book.indexes import OID_SHIFTS, RUN_BITS
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import OP, OpKind
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.second_try import _names
from coinone.rules.exchange.twin.compare import state_of_rows
from tests.rules.exchange.kernel.test_twin import random_ops, small_world

OTHER_KEY = (-0x123456789ABCDEF, 0x1337)
ORDERS = 500


def rows_with(key: Key) -> Rows:
    rows = Rows(key=key)
    rows.add_market(2, 10, 1000, min_notional=0)
    slot = rows.add_account(bytes(20), 0)
    rows.accounts[slot]["cash"] = 10**9
    return rows


def place(rows: Rows, cloids: list[int]) -> Any:
    ops = np.zeros(len(cloids), OP)
    ops["px"], ops["sz"] = 900 - np.arange(len(cloids)) // 16, 1
    ops["has_cloid"], ops["cloid_lo"] = 1, cloids
    return run_segment(rows, ops, 0).results


def cloid_probes(rows: Rows, key: Key) -> list[int]:
    """For each resting order, how many places a search for its cloid looks at."""
    mask = len(rows.book.cloid_slots) - 1
    probes = []
    for place in (rows.book.cloid_slots >= 0).nonzero()[0].tolist():
        order = rows.orders[rows.book.cloid_slots[place]]
        home = siphash(*key, int(order["account"]), int(order["cloid_hi"]), int(order["cloid_lo"])) & mask
        probes.append(((place - home) & mask) + 1)
    return probes


def colliding(key: Key, count: int) -> list[int]:
    """Client ids of account 0 that share the low 12 bits of their hash under that key: one place of the table."""
    found: list[int] = []
    low = 0
    while len(found) < count:
        low += 1
        if siphash(*key, 0, 0, low) & 0xFFF == 7:
            found.append(low)
    return found


def test_cloids_chosen_to_collide_do_so_only_for_who_knows_the_key() -> None:
    chosen = colliding(PUBLIC_KEY, ORDERS)
    known, secret = rows_with(PUBLIC_KEY), rows_with(OTHER_KEY)
    place(known, chosen)
    place(secret, chosen)
    assert len(known.book.cloid_slots) == 1024
    # one run of 500: 1 + 2 + ... + 500
    assert sum(cloid_probes(known, PUBLIC_KEY)) == 125_250
    # a table half full: (1 + 1 / (1 - 1/2)) / 2 = 1.5 places on average (Knuth 6.4)
    assert sum(cloid_probes(secret, OTHER_KEY)) < 2 * ORDERS


def test_cloids_that_collided_under_the_old_multiplication_share_no_places() -> None:
    golden, mask = -7046029254386353131 % 2**64, 2**64 - 1
    inverse = pow(golden, -1, 2**64)
    old = [((0x1234567 << 32 | j) * inverse) & mask for j in range(1, ORDERS + 1)]
    rows = rows_with(PUBLIC_KEY)
    place(rows, [cloid - 2**64 if cloid >> 63 else cloid for cloid in old])
    assert sum(cloid_probes(rows, PUBLIC_KEY)) < 2 * ORDERS


def longest_chain(rows: Rows) -> int:
    longest = 0
    for slot in rows.book.oids.tolist():
        length = 0
        while slot >= 0:
            length += 1
            slot = int(rows.book.links[slot]["older"])
        longest = max(longest, length)
    return longest


def test_orders_placed_whenever_the_next_oid_falls_on_the_same_low_bits_do_not_share_a_place() -> None:
    """Each order waits for an oid that has the same low 20 bits as the last: without shifts, one place for all."""
    rows = rows_with(OTHER_KEY)
    for n in range(60):
        rows.globals["next_oid"] = (n << 20) + 5
        place(rows, [n])
    assert longest_chain(rows) <= 4
    assert rows.book.find(rows, (7 << 20) + 5) is not None
    ops = np.zeros(1, OP)
    ops["kind"], ops["oid"] = OpKind.CANCEL, (7 << 20) + 5
    run_segment(rows, ops, 0)
    assert rows.book.find(rows, (7 << 20) + 5) is None


def test_the_shifts_of_oids_come_again_only_after_sixty_seven_million() -> None:
    assert OID_SHIFTS << RUN_BITS == 67_108_864


@pytest.mark.parametrize("seed", range(3))
def test_results_are_the_same_for_any_key(seed: int) -> None:
    worlds = [small_world(np.random.default_rng(seed), key) for key in (PUBLIC_KEY, OTHER_KEY, (1, -1))]
    random = np.random.default_rng(seed + 100)
    for now in range(8):
        ops = random_ops(random, worlds[0], 60)
        ran = [run_segment(rows, ops, now) for rows in worlds]
        outputs = [(one.results.tolist(), one.fills.tolist(), one.updates.tolist()) for one in ran]
        assert outputs[0] == outputs[1] == outputs[2]
        states = [state_of_rows(rows) for rows in worlds]
        assert states[0] == states[1] == states[2]


def test_names_of_orders_are_bytes_whose_hash_python_keys() -> None:
    """-1 and -2 have the same hash as numbers, and 2^61 - 1 that of 0; as names they differ."""
    assert hash((5, 0, 0)) == hash((5, 2**61 - 1, 0))
    one, other = _names(0, np.array([5, 5]), np.array([0, 2**61 - 1]), 0)
    assert hash(one) != hash(other)
