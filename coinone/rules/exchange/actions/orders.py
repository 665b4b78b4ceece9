"""Orders and modifies: `order`, `modify`, `batchModify`."""

from __future__ import annotations

from typing import Any

from coinone.base.primitives.errors import DecodeError, NotSupported
from coinone.base.primitives.parse import parse_address
from coinone.base.primitives.types import Address
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.rows.tables import FEE_SCALE, TIF_NAMES, Tif
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.answers import DEFAULT, Answers, statuses
from coinone.rules.exchange.trading.ops import BuilderTerms
from coinone.rules.exchange.trading.segment import Trading
from coinone.rules.exchange.wire import contract as abi
from coinone.rules.exchange.wire import fields as f
from coinone.rules.exchange.wire.action import ActionType, Segment, Traded
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.fields import Shape
from coinone.rules.exchange.wire.operations import operations_of
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.trades import (
    BatchModify,
    Builder,
    Modify,
    Operations,
    OrderRef,
    OrderSpec,
    PlaceOrders,
    TriggerSpec,
)

BUILDER_FEE_UNIT = FEE_SCALE // 10**5  # a tenth of a basis point
BUILDER_FEE_MAX = 100  # tenths of a basis point

_TIFS = {TIF_NAMES[tif]: tif for tif in Tif} | {"FrontendMarket": Tif.IOC, "LiquidationMarket": Tif.IOC}
"""As signed. Hyperliquid's page and wallets send a market order as FrontendMarket: a limit order that fills now or
vanishes."""
_CONTRACT_TIFS = {1: Tif.ALO, 2: Tif.GTC, 3: Tif.IOC}
_GROUPINGS = ("na", "normalTpsl", "positionTpsl")


def order_spec(value: object) -> OrderSpec:
    """Decode an order as `orders` and modifies list it."""
    fields = f.mapping(value, "order")
    f.exactly(fields, ("a", "b", "p", "s", "r", "t"), ("c",))
    tif, trigger = _order_type(fields["t"])
    return OrderSpec(
        asset=f.asset(fields["a"]),
        is_buy=f.boolean(fields["b"]),
        px=f.scaled(fields["p"]),
        sz=f.scaled(fields["s"]),
        reduce_only=f.boolean(fields["r"]),
        tif=tif,
        trigger=trigger,
        cloid=f.cloid(fields["c"]) if "c" in fields else 0,
    )


def _order_type(value: object) -> tuple[Tif, TriggerSpec | None]:
    fields = f.mapping(value, "t")
    if "limit" in fields:
        f.exactly(fields, ("limit",))
        limit = f.mapping(fields["limit"], "limit")
        f.exactly(limit, ("tif",))
        tif = _TIFS.get(limit["tif"]) if isinstance(limit["tif"], str) else None
        if tif is None:
            raise DecodeError("order: unknown time in force")
        return tif, None
    f.exactly(fields, ("trigger",))
    trigger = f.mapping(fields["trigger"], "trigger")
    f.exactly(trigger, ("isMarket", "triggerPx", "tpsl"))
    if trigger["tpsl"] not in ("tp", "sl"):
        raise DecodeError("order: unknown trigger kind")
    return Tif.GTC, TriggerSpec(
        f.scaled(trigger["triggerPx"]), f.boolean(trigger["isMarket"]), trigger["tpsl"]
    )


def _grouping(value: object) -> str:
    if isinstance(value, dict):
        raise NotSupported("order priority is not supported")
    if value not in _GROUPINGS:
        raise DecodeError("order: unknown grouping")
    assert isinstance(value, str), "groupings are strings"
    return value


def _builder(value: object) -> Builder:
    fields = f.mapping(value, "builder")
    f.exactly(fields, ("b", "f"))
    return Builder(parse_address(fields["b"]), f.thousand(fields["f"]))


def _order(orders: object, grouping: str, builder: Builder | None = None) -> Operations:
    specs = tuple([order_spec(item) for item in f.items(orders)])
    return operations_of(PlaceOrders(specs, grouping, builder))


def _contract_order(
    asset: int, is_buy: bool, px: int, sz: int, reduce_only: bool, tif: int, cloid: int
) -> Operations:
    known = _CONTRACT_TIFS.get(tif)
    if known is None:
        raise DecodeError("core action: unknown time in force")
    spec = OrderSpec(asset, is_buy, px, sz, reduce_only, known, None, cloid)
    return operations_of(PlaceOrders((spec,), "na", None))


def _one_modify(oid: object, order: OrderSpec) -> Modify:
    if isinstance(oid, str):
        return Modify(OrderRef(order.asset, 0, f.cloid(oid)), order)
    return Modify(OrderRef(order.asset, f.integer(oid), 0), order)


def _modify(oid: object, order: OrderSpec) -> Operations:
    return operations_of(BatchModify((_one_modify(oid, order),), single=True))


def _batch_modify(modifies: object) -> Operations:
    changes = [f.mapping(item, "modify") for item in f.items(modifies)]
    for change in changes:
        f.exactly(change, ("oid", "order"))
    # The order is read first: if both are wrong, the refusal names the order.
    return operations_of(BatchModify(tuple([_one_change(change) for change in changes]), single=False))


def _one_change(change: f.Fields) -> Modify:
    order = order_spec(change["order"])
    return _one_modify(change["oid"], order)


def _add(trading: Trading, item: Item, says: Operations) -> None:
    builder, terms = says.builder, None
    if builder is not None and builder.fee:
        terms = _builder_terms(trading.batch, item, builder)
        if terms is None:
            trading.batch.failed(item, "Builder fee has not been approved.")
            return
    trading.ops.add(item, says, terms)
    if says.conditional:
        open_orders.set_aside(trading, says)


def _builder_terms(batch: Execution, item: Item, builder: Builder) -> BuilderTerms | None:
    """The builder's account and fee; None if it was never approved, in which case the whole action fails."""
    slot = batch.rows.slot_of(builder.address)
    approved = dict(batch.ledger.settings_of(batch.ex.number(item.account)).builders)
    if slot is None or builder.fee > min(approved.get(builder.address, 0), BUILDER_FEE_MAX):
        return None
    return BuilderTerms(slot, builder.fee * BUILDER_FEE_UNIT)


def _by_its_orders(says: Operations, system_address: Address) -> Segment:
    """5 if all its orders are post-only, else 6"""
    return Segment.POST_ONLY if says.post_only else Segment.TAKERS


def _one_an_order(says: Operations) -> int:
    """1 an order"""
    return says.count


def _order_answer(answers: Answers, start: int, stop: int) -> dict[str, Any]:
    return statuses("order", answers.orders(start, stop))


def _modify_answer(answers: Answers, start: int, stop: int) -> dict[str, Any]:
    return DEFAULT


ORDER = ActionType(
    "order",
    Shape(_order, {"orders": f.as_it_is, "grouping": _grouping}, builder=_builder),
    Traded(_add, _order_answer),
    segment=_by_its_orders,
    cost=_one_an_order,
    contract=ContractForm(
        1,
        _contract_order,
        asset=abi.ASSET,
        isBuy=abi.BOOL,
        limitPx=abi.NUMBER,
        sz=abi.NUMBER,
        reduceOnly=abi.BOOL,
        encodedTif=abi.UINT8,
        cloid=abi.UINT128,
    ),
)
MODIFY = ActionType(
    "modify",
    Shape(_modify, {"oid": f.as_it_is, "order": order_spec}),
    Traded(_add, _modify_answer, fails_with_its_operation=True),
    segment=_by_its_orders,
    cost=_one_an_order,
)
BATCH_MODIFY = ActionType(
    "batchModify",
    Shape(_batch_modify, {"modifies": f.as_it_is}),
    Traded(_add, _order_answer),
    segment=_by_its_orders,
    cost=_one_an_order,
)
