"""One account's share of a batch, and what the event channels say of it."""

from typing import Any

from coinone.interfaces.api import jsonio
from coinone.interfaces.api.exchange import format as formats
from coinone.interfaces.api.exchange.coins import Coins
from coinone.interfaces.api.exchange.fills import fills_json
from coinone.interfaces.api.exchange.orders import order_history_json, order_update_json
from coinone.interfaces.api.ws.hub import Key
from coinone.rules.exchange.events import (
    Event,
    Fill,
    FundingPayment,
    LedgerUpdate,
    LiquidationEvent,
    OrderUpdate,
)

Json = dict[str, Any]
JOINED = "joined"
"""In a key of userFills: put together as aggregateByTime asks for."""
EVENT_CHANNELS: tuple[str, ...] = (
    "orderUpdates",
    "userEvents",
    "userFills",
    "userFundings",
    "userNonFundingLedgerUpdates",
    "userHistoricalOrders",
)


def message(channel: str, data: Any) -> bytes:
    """One message of a stream."""
    return jsonio.encode({"channel": channel, "data": data})


class Happened:
    """One account's share of a batch's events."""

    def __init__(self) -> None:
        self.fills: list[tuple[Fill, bool]] = []
        self.orders: list[OrderUpdate] = []
        self.fundings: list[FundingPayment] = []
        self.ledger: list[LedgerUpdate] = []
        self.liquidations: list[LiquidationEvent] = []

    def add(self, event: Event, is_taker: bool) -> None:
        if isinstance(event, Fill):
            self.fills.append((event, is_taker))
        elif isinstance(event, OrderUpdate):
            self.orders.append(event)
        elif isinstance(event, FundingPayment):
            self.fundings.append(event)
        elif isinstance(event, LedgerUpdate):
            self.ledger.append(event)
        elif isinstance(event, LiquidationEvent):
            self.liquidations.append(event)

    def messages(self, key: Key, coins: Coins) -> list[bytes]:
        """What one of the event channels says of it."""
        channel, user, *options = key
        if channel == "userEvents":
            return self._user_events(coins)
        if channel == "orderUpdates":
            return (
                [message(channel, [order_update_json(row, coins) for row in self.orders])]
                if self.orders
                else []
            )
        name, rows = self._rows(channel, coins, JOINED in options)
        if not rows:
            return []
        return [message(channel, {"isSnapshot": False, "user": "0x" + user, name: rows})]

    def _rows(self, channel: str, coins: Coins, joined: bool) -> tuple[str, list[Json]]:
        if channel == "userFills":
            return "fills", fills_json(self.fills, coins, joined)
        if channel == "userFundings":
            return "fundings", [formats.funding_stream_json(row, coins) for row in self.fundings]
        if channel == "userHistoricalOrders":
            return "orderHistory", [order_history_json(row, coins) for row in self.orders]
        return "nonFundingLedgerUpdates", [formats.ledger_json(row) for row in self.ledger]

    def _user_events(self, coins: Coins) -> list[bytes]:
        """The channel that the anchor calls "user": one kind of news in each message."""
        news: list[Json] = []
        if self.fills:
            news.append({"fills": fills_json(self.fills, coins)})
        news += [{"funding": formats.funding_stream_json(row, coins)} for row in self.fundings]
        news += [{"liquidation": formats.liquidation_json(row)} for row in self.liquidations]
        forced = [
            row for row in self.orders if row.status.endswith("Canceled") or row.status.endswith("Cancel")
        ]
        if forced:
            rows = [{"coin": coins[row.market].name, "oid": row.oid} for row in forced]
            news.append({"nonUserCancel": rows})
        return [message("user", item) for item in news]
