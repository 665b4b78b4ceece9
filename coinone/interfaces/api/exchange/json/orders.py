"""Encode orders as the JSON of the exchange API: resting and ended ones."""

from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.events import Json, cloid_text, side_letter
from coinone.rules.exchange.events.orders import OpenOrder, OrderUpdate


def open_order_json(order: OpenOrder, coins: Coins) -> Json:
    """A row of openOrders."""
    body = _basic(order, coins)
    if order.reduce_only:
        body["reduceOnly"] = True
    return body


def order_update_json(update: OrderUpdate, coins: Coins) -> Json:
    """A row of the orderUpdates stream."""
    order = _basic(update, coins)
    return {"order": order, "status": update.status, "statusTimestamp": update.time_ms}


def frontend_order_json(order: OpenOrder | OrderUpdate, coins: Coins) -> Json:
    """A row of frontendOpenOrders: all that the trading page shows."""
    coin, kind = coins[order.market], order.kind
    trigger_px = coin.px(kind.trigger_px)
    return {
        "coin": coin.name,
        "side": side_letter(order.is_buy),
        "limitPx": coin.px(order.px),
        "sz": coin.sz(order.sz),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "triggerCondition": kind.condition.format(trigger_px),
        "isTrigger": kind.trigger_px > 0,
        "triggerPx": trigger_px,
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": order.reduce_only,
        "orderType": kind.name,
        "origSz": coin.sz(order.orig_sz),
        "tif": order.tif,
        "cloid": cloid_text(order.cloid),
    }


def open_status_json(order: OpenOrder, coins: Coins) -> Json:
    """A resting order as orderStatus and historicalOrders show it."""
    return {
        "order": frontend_order_json(order, coins),
        "status": "open",
        "statusTimestamp": order.placed_ms,
    }


def order_history_json(update: OrderUpdate, coins: Coins) -> Json:
    """A row of historicalOrders and the answer of orderStatus."""
    order = frontend_order_json(update, coins)
    return {"order": order, "status": update.status, "statusTimestamp": update.time_ms}


def _basic(order: OpenOrder | OrderUpdate, coins: Coins) -> Json:
    """The fields of an order that openOrders and orderUpdates share; a client id only if there is one."""
    coin = coins[order.market]
    body: Json = {
        "coin": coin.name,
        "side": side_letter(order.is_buy),
        "limitPx": coin.px(order.px),
        "sz": coin.sz(order.sz),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "origSz": coin.sz(order.orig_sz),
    }
    if order.cloid:
        body["cloid"] = cloid_text(order.cloid)
    return body
