"""From unpacked msgpack, or signed fields, to typed actions: each field named, none unknown, none missing."""

from collections.abc import Callable
from typing import Any

from coinone.base.primitives.errors import DecodeError, InvalidInput, NotSupported
from coinone.base.primitives.integers import INT64_MAX, U64_MAX
from coinone.base.primitives.parameters import AGENT_NAME_MAX, ORDERS_PER_ACTION_MAX, USER_TEXT_MAX
from coinone.base.primitives.parse import parse_address, parse_bytes, parse_decimal
from coinone.base.primitives.units import QUOTE_DECIMALS
from coinone.rules.exchange.wire import types as t

Fields = dict[str, Any]
_TIFS = {tif.value: tif for tif in t.Tif} | {"FrontendMarket": t.Tif.IOC, "LiquidationMarket": t.Tif.IOC}
"""As signed. Hyperliquid's page and wallets send a market order as FrontendMarket: a limit order that fills now or
vanishes."""
_GROUPINGS = ("na", "normalTpsl", "positionTpsl")


def decode_l1(value: object) -> tuple[str, t.Trade | t.Action]:
    """(type name, action) of an unpacked L1 action. Raises DecodeError, or NotSupported by name."""
    fields = _map(value, "action")
    kind = fields.get("type")
    check_known(kind)
    assert isinstance(kind, str), "checked"
    return kind, _L1[kind](fields)


def check_known(kind: object) -> None:
    """Raise NotSupported by name for an L1 action type we do not have."""
    if not isinstance(kind, str):
        raise DecodeError("action: type missing")
    if kind not in _L1:
        raise NotSupported(f"action type {kind[:32]} is not supported")


def check_items(fields: Fields) -> None:
    """Refuse an action of too many items before any work is put into them. Raises DecodeError."""
    for value in fields.values():
        if isinstance(value, list) and len(value) > ORDERS_PER_ACTION_MAX:
            raise _wrong_number(len(value))


def decode_user(name: str, fields: Fields) -> t.Action:
    """The action of a user-signed type from its decoded fields."""
    return _USER[name](fields)


def _order_action(fields: Fields) -> t.Trade:
    _exactly(fields, ("type", "orders", "grouping"), ("builder",))
    grouping = fields["grouping"]
    if isinstance(grouping, dict):
        raise NotSupported("order priority is not supported")
    if grouping not in _GROUPINGS:
        raise DecodeError("order: unknown grouping")
    builder = _builder(fields["builder"]) if "builder" in fields else None
    return t.Order(tuple([_order(item) for item in _items(fields["orders"])]), grouping, builder)


def _order(value: object) -> t.OrderSpec:
    fields = _map(value, "order")
    _exactly(fields, ("a", "b", "p", "s", "r", "t"), ("c",))
    tif, trigger = _order_type(fields["t"])
    return t.OrderSpec(
        asset=_asset(fields["a"]),
        is_buy=_bool(fields["b"]),
        px=_scaled(fields["p"]),
        sz=_scaled(fields["s"]),
        reduce_only=_bool(fields["r"]),
        tif=tif,
        trigger=trigger,
        cloid=_cloid(fields["c"]) if "c" in fields else 0,
    )


def _order_type(value: object) -> tuple[t.Tif, t.Trigger | None]:
    fields = _map(value, "t")
    if "limit" in fields:
        _exactly(fields, ("limit",))
        limit = _map(fields["limit"], "limit")
        _exactly(limit, ("tif",))
        tif = _TIFS.get(limit["tif"]) if isinstance(limit["tif"], str) else None
        if tif is None:
            raise DecodeError("order: unknown time in force")
        return tif, None
    _exactly(fields, ("trigger",))
    trigger = _map(fields["trigger"], "trigger")
    _exactly(trigger, ("isMarket", "triggerPx", "tpsl"))
    if trigger["tpsl"] not in ("tp", "sl"):
        raise DecodeError("order: unknown trigger kind")
    return t.Tif.GTC, t.Trigger(_scaled(trigger["triggerPx"]), _bool(trigger["isMarket"]), trigger["tpsl"])


def _builder(value: object) -> t.Builder:
    fields = _map(value, "builder")
    _exactly(fields, ("b", "f"))
    return t.Builder(parse_address(fields["b"]), _int(fields["f"], 1_000))


def _cancel(fields: Fields) -> t.Trade:
    _exactly(fields, ("type", "cancels"))
    return t.Cancel(tuple([_cancel_target(item) for item in _items(fields["cancels"])]), by_cloid=False)


def _cancel_target(value: object) -> t.OrderRef:
    fields = _map(value, "cancel")
    _exactly(fields, ("a", "o"))
    return t.OrderRef(_asset(fields["a"]), _int(fields["o"]), 0)


def _cancel_by_cloid(fields: Fields) -> t.Trade:
    _exactly(fields, ("type", "cancels"))
    return t.Cancel(tuple([_cloid_target(item) for item in _items(fields["cancels"])]), by_cloid=True)


def _cloid_target(value: object) -> t.OrderRef:
    fields = _map(value, "cancel")
    _exactly(fields, ("asset", "cloid"))
    return t.OrderRef(_asset(fields["asset"]), 0, _cloid(fields["cloid"]))


def _modify(fields: Fields) -> t.Trade:
    _exactly(fields, ("type", "oid", "order"))
    return t.BatchModify((_one_modify(fields),), single=True)


def _batch_modify(fields: Fields) -> t.Trade:
    _exactly(fields, ("type", "modifies"))
    modifies = [_map(item, "modify") for item in _items(fields["modifies"])]
    for item in modifies:
        _exactly(item, ("oid", "order"))
    return t.BatchModify(tuple([_one_modify(item) for item in modifies]), single=False)


def _one_modify(fields: Fields) -> t.Modify:
    oid = fields["oid"]
    order = _order(fields["order"])
    if isinstance(oid, str):
        return t.Modify(t.OrderRef(order.asset, 0, _cloid(oid)), order)
    return t.Modify(t.OrderRef(order.asset, _int(oid), 0), order)


def _schedule_cancel(fields: Fields) -> t.Action:
    _exactly(fields, ("type",), ("time",))
    return t.ScheduleCancel(_int(fields["time"]) if "time" in fields else None)


def _update_leverage(fields: Fields) -> t.Action:
    _exactly(fields, ("type", "asset", "isCross", "leverage"))
    return t.UpdateLeverage(
        _asset(fields["asset"]), _bool(fields["isCross"]), _int(fields["leverage"], 1_000)
    )


def _noop(fields: Fields) -> t.Action:
    _exactly(fields, ("type",))
    return t.Noop()


def _set_referrer(fields: Fields) -> t.Action:
    _exactly(fields, ("type", "code"))
    return t.SetReferrer(_text(fields["code"]))


_L1: dict[str, Callable[[Fields], t.Trade | t.Action]] = {
    "order": _order_action,
    "cancel": _cancel,
    "cancelByCloid": _cancel_by_cloid,
    "modify": _modify,
    "batchModify": _batch_modify,
    "scheduleCancel": _schedule_cancel,
    "updateLeverage": _update_leverage,
    "noop": _noop,
    "setReferrer": _set_referrer,
}


def _usd_send(fields: Fields) -> t.Action:
    return t.SendAsset("usdSend", parse_address(fields["destination"]), _amount(fields["amount"]))


def _spot_send(fields: Fields) -> t.Action:
    destination, amount = parse_address(fields["destination"]), _amount(fields["amount"])
    return t.SendAsset("spotSend", destination, amount, fields["token"])


def _send_asset(fields: Fields) -> t.Action:
    if fields["fromSubAccount"]:
        raise NotSupported("sub-accounts are not supported")
    if fields["sourceDex"] not in ("", "spot") or fields["destinationDex"] not in ("", "spot"):
        raise NotSupported("this network has one exchange: dex must be empty or spot")
    destination, amount = parse_address(fields["destination"]), _amount(fields["amount"])
    return t.SendAsset("sendAsset", destination, amount, fields["token"])


def _usd_class_transfer(fields: Fields) -> t.Action:
    return t.UsdClassTransfer(_amount(fields["amount"]), fields["toPerp"])


def _approve_agent(fields: Fields) -> t.Action:
    """Reads the name's suffixes: " valid_until <ms>" as Hyperliquid has it, and our " compat" before it."""
    name, _, until = fields["agentName"].partition(" valid_until ")
    valid_until_ms = parse_decimal(until, 0) if until else 0
    if valid_until_ms > U64_MAX:
        raise DecodeError("agent: expiry too large")
    compat = name == "compat" or name.endswith(" compat")
    name = name[: -len("compat")].rstrip(" ") if compat else name
    if len(name) > AGENT_NAME_MAX:
        raise DecodeError("agent: name too long", most=AGENT_NAME_MAX)
    return t.ApproveAgent(fields["agentAddress"], name, valid_until_ms, compat)


def _leave_agency(fields: Fields) -> t.Action:
    return t.LeaveAgency()


def _approve_builder_fee(fields: Fields) -> t.Action:
    """The rate is text such as "0.01%"; we keep tenths of a basis point, so three decimals of a percent."""
    rate = fields["maxFeeRate"]
    if not rate.endswith("%"):
        raise DecodeError("builder fee: rate must end in %")
    return t.ApproveBuilderFee(fields["builder"], parse_decimal(rate[:-1], 3))


_USER: dict[str, Callable[[Fields], t.Action]] = {
    "UsdSend": _usd_send,
    "SpotSend": _spot_send,
    "SendAsset": _send_asset,
    "UsdClassTransfer": _usd_class_transfer,
    "ApproveAgent": _approve_agent,
    "LeaveAgency": _leave_agency,
    "ApproveBuilderFee": _approve_builder_fee,
}


def _exactly(fields: Fields, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    for name in required:
        if name not in fields:
            raise DecodeError("field missing", name=name)
    if len(fields) > len(required):
        for name in fields:
            if name not in required and name not in optional:
                raise DecodeError("unknown field", name=name)


def _map(value: object, what: str) -> Fields:
    if not isinstance(value, dict):
        raise DecodeError("map expected", at=what)
    return value


def _items(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise DecodeError("list expected")
    if not 0 < len(value) <= ORDERS_PER_ACTION_MAX:
        raise _wrong_number(len(value))
    return value


def _wrong_number(count: int) -> DecodeError:
    return DecodeError("number of items in an action", have=count, most=ORDERS_PER_ACTION_MAX)


def _int(value: object, most: int = U64_MAX) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise DecodeError("integer expected", most=most)
    return value


def _asset(value: object) -> int:
    return _int(value, t.ASSET_MAX)


def _bool(value: object) -> bool:
    if type(value) is not bool:
        raise DecodeError("true or false expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > USER_TEXT_MAX:
        raise DecodeError("short text expected")
    return value


def _cloid(value: object) -> int:
    cloid = int.from_bytes(parse_bytes(value, 16), "big")
    if cloid == 0:
        raise InvalidInput("cloid must not be zero")
    return cloid


def _scaled(value: object) -> int:
    """A price or size in 1e-8; zero is well-formed and refused later, by the market."""
    scaled = parse_decimal(value, t.WIRE_DECIMALS)
    if scaled > INT64_MAX:
        raise DecodeError("number too large")
    return scaled


def _amount(value: object) -> int:
    amount = parse_decimal(value, QUOTE_DECIMALS)
    if not 0 < amount < 2**62:
        raise InvalidInput("amount out of range")
    return amount
