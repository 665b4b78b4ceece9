"""Encode the leaves of many accounts and orders together: their columns form one matrix that is cut into rows.

For the contents of a leaf see leaf_forms.py. A row's columns are 8-byte signed big-endian integers; packing them one
row after another, in Python, would cost more than matching the orders did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from coinone.base.primitives import rlp
from coinone.base.primitives.records import encode
from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_forms import (
    ACCOUNT_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    AgentLeaf,
    SettingsLeaf,
)
from coinone.rules.exchange.state.ledger import Agent, NonceSet

_ADDRESS_PREFIX = rlp.encode(bytes(20))[:-20]  # the RLP prefix with the length
_ROW_PREFIX = rlp.encode(bytes(8 * len(ACCOUNT_COLUMNS)))[: -8 * len(ACCOUNT_COLUMNS)]


def packed(columns: Sequence[Array]) -> list[bytes]:
    """Pack the columns row by row, each value in 8 big-endian bytes."""
    cells = np.empty((len(columns[0]), len(columns)), ">i8")
    for n, column in enumerate(columns):
        cells[:, n] = column
    rows: list[bytes] = cells.view(f"V{8 * len(columns)}").ravel().tolist()
    return rows


def account_leaves(ex: Exchange, slots: Array) -> Iterable[bytes]:
    """The leaves of the accounts in `slots`, in their order."""
    accounts = ex.rows.accounts
    numbers = accounts["number"][slots].tolist()
    rows = packed([accounts[name][slots] for name in ACCOUNT_COLUMNS])
    positions = _positions(ex, slots)
    for place, (slot, number, row) in enumerate(zip(slots.tolist(), numbers, rows, strict=True)):
        yield rlp.encode_joined([
            _ADDRESS_PREFIX + ex.rows.address_of(slot),
            _ROW_PREFIX + row,
            rlp.encode_joined(positions.get(place, ())),
            *_ledger_parts(ex, number),
        ])  # fmt: skip


def order_leaves(ex: Exchange, slots: Array) -> list[bytes]:
    """The leaves of the orders in `slots`: their columns, and the number of their builder's account."""
    orders, numbers = ex.rows.orders, ex.rows.accounts["number"]
    columns = [orders[name][slots] for name in ORDER_COLUMNS]
    builders = np.where(orders["builder_fee"][slots] != 0, numbers[orders["builder"][slots]], 0)
    return packed([*columns, builders])


def order_keys(numbers: Array, oids: Array, first: bytes) -> list[bytes]:
    """Keys of orders: `first`, account number, oid."""
    cells = np.empty((len(oids), 17), np.uint8)
    cells[:, 0] = first[0]
    cells[:, 1:9] = numbers.astype(">i8").view(np.uint8).reshape(-1, 8)
    cells[:, 9:] = oids.astype(">i8").view(np.uint8).reshape(-1, 8)
    keys: list[bytes] = cells.view("V17").ravel().tolist()
    return keys


def _positions(ex: Exchange, slots: Array) -> dict[int, list[bytes]]:
    """Place in `slots` -> the encoded positions that are not blank, by market."""
    held = ex.rows.positions
    within = np.ix_(slots, np.arange(ex.rows.market_count))
    names = ("size", "leverage", "funding_all", "opened_ms")
    used = np.any([held[name][within] != 0 for name in names], axis=0)
    places, markets = used.nonzero()
    rows = packed([held[name][slots[places], markets] for name in POSITION_COLUMNS])
    found: dict[int, list[bytes]] = {}
    for place, market, row in zip(places.tolist(), markets.tolist(), rows, strict=True):
        found.setdefault(place, []).append(_position_prefix(market) + row)
    return found


@cache
def _position_prefix(market: int) -> bytes:
    """The bytes before a position's columns in its encoding: the list's prefix, the market, the columns' prefix."""
    size = 8 * len(POSITION_COLUMNS)
    return rlp.encode([market, bytes(size)])[:-size]


def _ledger_parts(ex: Exchange, number: int) -> list[bytes]:
    """Settings, scheduled cancel, agents and nonces of an account, each encoded."""
    ledger = ex.ledger
    settings = ledger.settings_of(number)
    agents = [_agent(ledger.agents.get(address), address) for address in settings.agents]
    nonces = [_nonces(ledger.nonces.get(signer), signer) for signer in settings.signers]
    return [
        _settings(
            settings.builders,
            settings.referrer,
            settings.cancels_fired,
            settings.volume_days,
            settings.is_builder,
        ),
        rlp.encode(ledger.schedule.get(number) or 0),
        rlp.encode_joined(agents),
        rlp.encode_joined(nonces),
    ]


@lru_cache(maxsize=4096)
def _settings(*parts: Any) -> bytes:
    """Encode the settings once for all accounts with the same, which are most."""
    return encode(SettingsLeaf(*parts))


def _agent(agent: Agent | None, address: Address) -> bytes:
    assert agent is not None, "a listed agent exists"
    return encode(AgentLeaf(address, agent.name, agent.valid_until_ms, agent.compat))


def _nonces(nonces: NonceSet | None, signer: Address) -> bytes:
    assert nonces is not None, "a listed signer has nonces"
    return rlp.encode_joined((_ADDRESS_PREFIX, signer, nonces.packed()))
