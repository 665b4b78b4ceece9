"""An action that lists a market: tests add its row to the table of actions, which has none yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from coinone.rules.exchange.actions.table import L1_ACTIONS
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.instruments.config import MarketConfig
from coinone.rules.exchange.trading.answers import DEFAULT
from coinone.rules.exchange.wire.action import ActionType, Applied, Segment
from coinone.rules.exchange.wire.segments import Item

NAME = "testListing"


def _apply(batch: Execution, item: Item, market: MarketConfig) -> None:
    batch.ex.list_market(market)
    batch.executed(item, DEFAULT)


def _read(fields: Mapping[str, Any]) -> MarketConfig:
    return MarketConfig(fields["name"], fields["szDecimals"], 20, initial_mark=fields["initialMark"])


def listing_in(segment: Segment) -> ActionType:
    """The row of an action that lists a market in this segment of its batch."""
    return ActionType(NAME, _read, Applied(_apply), segment)


LISTING = listing_in(Segment.ACCOUNT)


def add_to_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes of this process read and execute it."""
    monkeypatch.setitem(L1_ACTIONS, NAME, LISTING)


def says(name: str, sz_decimals: int, initial_mark: int) -> dict[str, Any]:
    """The action as a client signs it."""
    return {"type": NAME, "name": name, "szDecimals": sz_decimals, "initialMark": initial_mark}
