"""One account's events of a batch, which the event channels publish."""

from typing import Any

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.batch_events import events_of
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.fills import fill_rows
from coinone.rules.exchange.events.event_log import EventLog, parties_of
from coinone.rules.exchange.events.events import Event, Fill, FundingPayment, LedgerUpdate, LiquidationEvent
from coinone.rules.exchange.events.orders import OrderUpdate

Json = dict[str, Any]


class AccountEvents:
    """One account's share of a batch's events. An account that swept a book has thousands: `turns` yields to others
    while they are made into rows."""

    def __init__(self, coins: Coins, turns: Turns) -> None:
        self.coins = coins
        self.turns = turns
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

    async def fill_rows(self) -> list[Json]:
        """The fills as single rows, for two channels."""
        if self._fill_rows is None:
            self._fill_rows = await self.turns.collect(fill_rows(self.fills, self.coins))
        return self._fill_rows


async def shares_of(
    events: EventLog, accounts: set[Address], coins: Coins, turns: Turns
) -> dict[Address, AccountEvents]:
    """The events of a batch by account, for each of these accounts."""
    shares: dict[Address, AccountEvents] = {}
    async for event in turns.each(events_of(events, accounts)):
        for place, account in enumerate(parties_of(event)):
            if account in accounts:
                share = shares.setdefault(account, AccountEvents(coins, turns))
                share.add(event, is_taker=place == 0)
    return shares
