"""What the questions of POST /info are answered from, and how a question stands in a table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import parse_address
from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.queries import InThread, Queries
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.histories import Histories
from coinone.interfaces.api.exchange.info.market_data import MarketData
from coinone.interfaces.api.exchange.json.accounts import AccountView
from coinone.node.node import ChainReader
from coinone.rules.chain.network import Network

Json = Any
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    network: Network
    data: MarketData  # markets: the view after the newest batch
    queries: Queries[ChainReader]  # accounts: between two batches
    histories: Histories  # what was, from the store
    in_thread: InThread
    in_slow_thread: InThread  # one at a time

    async def account(self, request: Request, orders: bool = True) -> AccountView:
        """The account of the request's user. Raises InvalidInput."""
        user, time_ms = parse_user(request), self.data.time_ms
        return await self.queries.run(
            lambda reader: reads.account_view(reader.exchange, user, time_ms, orders)
        )


Handler = Callable[[Sources, Request], Awaitable[Json]]


def parse_user(request: Request) -> Address:
    return parse_address(request.get("user"))


def require_main_dex(request: Request) -> None:
    if request.get("dex") not in (None, ""):
        raise InvalidInput("unknown dex: there is one exchange here")
