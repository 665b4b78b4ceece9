"""Rows and their limits."""

from __future__ import annotations

import pytest

from coinone.base.primitives.parameters import POSITION_NOTIONAL_MAX
from coinone.rules.exchange.rows.status import API_NAME, ERROR_TEXT, FIRST_REJECTION, Status
from coinone.rules.exchange.rows.tables import ACCOUNT, FILL, MARKET, OP, ORDER, POSITION, UPDATE, copied
from coinone.rules.exchange.state.rows import Rows


def test_every_field_is_a_signed_integer() -> None:
    for table in (ACCOUNT, POSITION, ORDER, MARKET, OP, FILL, UPDATE):
        assert {table[name].kind for name in table.names or ()} == {"i"}


def test_accounts_are_numbered_from_one_and_found_by_address_as_tables_grow() -> None:
    rows = Rows(accounts=2, markets=1)
    slots = [rows.add_account(bytes([n]) * 20, 7) for n in range(9)]
    assert rows.accounts["number"][slots].tolist() == list(range(1, 10))
    assert [rows.slot_of(bytes([n]) * 20) for n in range(9)] == slots
    assert rows.address_of(slots[4]) == bytes([4]) * 20
    assert rows.slot_of(bytes(20)) == slots[0] and rows.slot_of(b"\xff" * 20) is None


def test_positions_keep_their_place_when_markets_are_added() -> None:
    rows = Rows(accounts=2, markets=1)
    rows.add_account(bytes(20), 0)
    rows.add_market(5, 50, 1000)
    rows.positions[0, 0]["size"] = 5
    assert [rows.add_market(5, 50, 1000) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert rows.positions[0]["size"].tolist()[:2] == [5, 0]


def test_a_market_whose_positions_could_overflow_is_not_made() -> None:
    with pytest.raises(AssertionError):
        Rows().add_market(5, 50, 1000, max_px=1 << 30, max_sz=(POSITION_NOTIONAL_MAX >> 30) + 1)


def test_a_client_is_told_something_for_every_refusal() -> None:
    refusals = {status for status in Status if status >= FIRST_REJECTION}
    assert refusals == set(ERROR_TEXT)
    assert set(Status) - refusals - {Status.NONE} <= set(API_NAME)


def test_a_copy_of_rows_is_equal_and_independent() -> None:
    rows = Rows()
    rows.add_account(bytes(20), 0)
    copy = copied(rows.accounts[:1])
    assert copy.tolist() == rows.accounts[:1].tolist()
    copy["cash"] = 5
    assert rows.accounts[0]["cash"] == 0
