"""The data sources of POST /info, and the record of a request type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.queries import InThread, Queries
from coinone.interfaces.api.admission.weights import INFO_WEIGHT, rows_weight
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.json.accounts import AccountView
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.node.node import ChainReader
from coinone.rules.chain.network import Network

Json = Any
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    network: Network
    data: MarketData  # markets: the view after the newest batch
    queries: Queries[ChainReader]  # accounts: between two batches
    histories: Histories  # the past, from the store
    in_thread: InThread
    in_slow_thread: InThread  # one at a time

    @property
    def coins(self) -> Coins:
        """The markets of the node's newest view. Accounts and the store may be ahead of `data`, and of its coins."""
        return self.histories.coins

    async def account(self, request: Request, orders: bool = True) -> AccountView:
        """The account of the request's user. Raises InvalidInput."""
        user, time_ms = parse_user(request), self.data.time_ms
        return await self.queries.run(
            lambda reader: reads.account_view(reader.exchange, user, time_ms, orders)
        )


Handler = Callable[[Sources, Request], Awaitable[Json]]


class Answered(Enum):
    """When a request is answered, and from what."""

    FROM_VIEW = "from the view published after each batch"  # and the bytes are kept until the next one
    BETWEEN_BATCHES = "from the rows of the exchange, between two batches"
    FROM_HISTORY = "from the store"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class InfoType:
    """A request type of POST /info: dispatch, weights and docs/protocol/api.md read this record.

    The handler gets the fields of a request that are named here; all others are ignored.
    """

    name: str
    answered: Answered
    handler: Handler
    about: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()  # optional fields
    weight: int = INFO_WEIGHT
    rows_per_weight: int = 0  # rows per additional weight of a list; 0: rows are free
    fields: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", (*self.needs, *self.takes))

    def fields_of(self, request: Request) -> Request:
        return {name: request[name] for name in self.fields if name in request}

    def weight_of(self, answer: Json) -> int:
        return self.weight + (rows_weight(answer, self.rows_per_weight) if self.rows_per_weight else 0)


def parse_user(request: Request) -> Address:
    return parse_address(request.get("user"))


def require_main_dex(request: Request) -> None:
    if request.get("dex") not in (None, ""):
        raise InvalidInput("unknown dex: there is one exchange here")
