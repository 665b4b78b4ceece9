"""Select a batch's events for subscribers, made from its rows in pieces as they are read."""

from collections.abc import Iterator, Sequence

from coinone.base.primitives.types import Address
from coinone.interfaces.api.limits import WS_ROWS_PER_TURN
from coinone.rules.exchange.events.columns import addresses_of
from coinone.rules.exchange.events.event_log import EventLog, Trades, parties_of
from coinone.rules.exchange.events.events import Event, Fill
from coinone.rules.exchange.events.orders import OrderUpdate


def trades_of(events: EventLog, market: int) -> Iterator[Fill]:
    """The trades in a market's book."""
    for part in events.parts:
        if isinstance(part, Trades):
            yield from _fills(part, (part.fills["market"] == market).nonzero()[0].tolist())
        elif isinstance(part, Fill) and part.market == market and part.kind != "adl":
            yield part


def events_of(events: EventLog, accounts: set[Address]) -> Iterator[Event]:
    """The events that concern one of these accounts."""
    for part in events.parts:
        if isinstance(part, Trades):
            parties = zip(addresses_of(part.takers), addresses_of(part.makers), strict=True)
            both = enumerate(parties)
            yield from _fills(part, [n for n, pair in both if pair[0] in accounts or pair[1] in accounts])
            owners = enumerate(addresses_of(part.owners))
            yield from _updates(part, [n for n, owner in owners if owner in accounts])
        elif not accounts.isdisjoint(parties_of(part)):
            yield part


def _fills(trades: Trades, places: Sequence[int]) -> Iterator[Fill]:
    for piece in _pieces(places):
        yield from trades.fill_events_at(piece)


def _updates(trades: Trades, places: Sequence[int]) -> Iterator[OrderUpdate]:
    for piece in _pieces(places):
        yield from map(OrderUpdate, *trades.update_columns(piece).values())


def _pieces(places: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(places), WS_ROWS_PER_TURN):
        yield places[start : start + WS_ROWS_PER_TURN]
