"""Cancels of individual orders: `cancel` by order id, `cancelByCloid` by client order id."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinone.base.primitives.errors import InvalidAction
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.answers import Answers, statuses
from coinone.rules.exchange.trading.segment import Trading
from coinone.rules.exchange.wire import contract as abi
from coinone.rules.exchange.wire import fields as f
from coinone.rules.exchange.wire.action import ActionType, Segment, Traded
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.fields import Shape
from coinone.rules.exchange.wire.operations import operations_of, rows_of
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.trades import Cancel, Operations, OrderRef


def _by_oid(cancels: object) -> Operations:
    return operations_of(Cancel(tuple([_oid_target(item) for item in f.items(cancels)]), by_cloid=False))


def _oid_target(value: object) -> OrderRef:
    fields = f.mapping(value, "cancel")
    f.exactly(fields, ("a", "o"))
    return OrderRef(f.asset(fields["a"]), f.integer(fields["o"]), 0)


def _by_cloid(cancels: object) -> Operations:
    return operations_of(Cancel(tuple([_cloid_target(item) for item in f.items(cancels)]), by_cloid=True))


def _cloid_target(value: object) -> OrderRef:
    fields = f.mapping(value, "cancel")
    f.exactly(fields, ("asset", "cloid"))
    return OrderRef(f.asset(fields["asset"]), 0, f.cloid(fields["cloid"]))


def _contract_by_oid(asset: int, oid: int) -> Operations:
    return operations_of(Cancel((OrderRef(asset, oid, 0),), by_cloid=False))


def _contract_by_cloid(asset: int, cloid: int) -> Operations:
    return operations_of(Cancel((OrderRef(asset, 0, cloid),), by_cloid=True))


def _add(trading: Trading, item: Item, says: Operations) -> None:
    trading.ops.add(item, says)


def _answer(answers: Answers, start: int, stop: int) -> dict[str, Any]:
    return statuses("cancel", answers.cancels(start, stop))


def _all_rest(ex: Exchange, slot: int, says: Operations) -> bool:
    """Whether all targets, given by order id, rest in the market that is named.

    Raises InvalidAction if an order is named twice: the second cancel of it would find nothing.
    """
    targets = rows_of(says)
    if not open_orders.all_open(ex, slot, targets):
        return False
    oids = np.sort(targets["oid"])
    again = oids[1:][oids[1:] == oids[:-1]]
    if len(again):
        raise InvalidAction(
            "An account in credit debt may name an order only once in a cancel", oid=int(again[0])
        )
    return True


def _not_by_cloid(ex: Exchange, slot: int, says: Operations) -> bool:
    """An account in credit debt names its orders by order id."""
    return False


CANCEL = ActionType(
    "cancel",
    Shape(_by_oid, {"cancels": f.as_it_is}),
    Traded(_add, _answer),
    segment=Segment.CANCELS,
    cost=0,
    contract=ContractForm(10, _contract_by_oid, asset=abi.ASSET, oid=abi.UINT64),
    rests=_all_rest,
)
CANCEL_BY_CLOID = ActionType(
    "cancelByCloid",
    Shape(_by_cloid, {"cancels": f.as_it_is}),
    Traded(_add, _answer),
    segment=Segment.CANCELS,
    cost=0,
    contract=ContractForm(11, _contract_by_cloid, asset=abi.ASSET, cloid=abi.UINT128),
    rests=_not_by_cloid,
)
