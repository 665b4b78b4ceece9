"""One account's share of a batch, and what the event channels say of it."""

from typing import Any

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.batch_events import events_of
from coinone.interfaces.api.exchange.json import events as formats
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.fills import fill_rows
from coinone.interfaces.api.exchange.json.orders import order_history_json, order_update_json
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.sockets.hub import Key
from coinone.rules.exchange.events.event_log import EventLog, parties_of
from coinone.rules.exchange.events.events import (
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
    """One account's share of a batch's events. Who swept a book has thousands: `turns` are given away while they are
    made into rows."""

    def __init__(self, coins: Coins, turns: Turns) -> None:
        self._coins = coins
        self._turns = turns
        self._fill_rows: list[Json] | None = None
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

    async def messages(self, key: Key) -> list[bytes]:
        """What one of the event channels says of it."""
        channel, user, *options = key
        if channel == "userEvents":
            return await self._user_events()
        if channel == "orderUpdates":
            rows = await self._turns.collect(order_update_json(row, self._coins) for row in self.orders)
            return [message(channel, rows)] if rows else []
        name, rows = await self._rows(channel, JOINED in options)
        if not rows:
            return []
        return [message(channel, {"isSnapshot": False, "user": "0x" + user, name: rows})]

    async def _rows(self, channel: str, joined: bool) -> tuple[str, list[Json]]:
        coins, collect = self._coins, self._turns.collect
        if channel == "userFills" and joined:
            return "fills", await collect(fill_rows(self.fills, coins, joined))
        if channel == "userFills":
            return "fills", await self._fills()
        if channel == "userFundings":
            return "fundings", await collect(formats.funding_stream_json(row, coins) for row in self.fundings)
        if channel == "userHistoricalOrders":
            return "orderHistory", await collect(order_history_json(row, coins) for row in self.orders)
        return "nonFundingLedgerUpdates", await collect(map(formats.ledger_json, self.ledger))

    async def _fills(self) -> list[Json]:
        """One by one; two channels say them."""
        if self._fill_rows is None:
            self._fill_rows = await self._turns.collect(fill_rows(self.fills, self._coins))
        return self._fill_rows

    async def _user_events(self) -> list[bytes]:
        """The channel that the anchor calls "user": one kind of news in each message."""
        news: list[Json] = []
        if self.fills:
            news.append({"fills": await self._fills()})
        news += [{"funding": formats.funding_stream_json(row, self._coins)} for row in self.fundings]
        news += [{"liquidation": formats.liquidation_json(row)} for row in self.liquidations]
        forced = [
            row for row in self.orders if row.status.endswith("Canceled") or row.status.endswith("Cancel")
        ]
        if forced:
            rows = await self._turns.collect(
                {"coin": self._coins[row.market].name, "oid": row.oid} for row in forced
            )
            news.append({"nonUserCancel": rows})
        return [message("user", item) for item in news]


async def shares_of(
    events: EventLog, accounts: set[Address], coins: Coins, turns: Turns
) -> dict[Address, Happened]:
    """What a batch did to each of these accounts."""
    shares: dict[Address, Happened] = {}
    async for event in turns.each(events_of(events, accounts)):
        for place, account in enumerate(parties_of(event)):
            if account in accounts:
                share = shares.setdefault(account, Happened(coins, turns))
                share.add(event, is_taker=place == 0)
    return shares
