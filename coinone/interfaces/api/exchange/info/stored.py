"""Info requests about the past: answered from the store."""

from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.histories import Unfinished
from coinone.interfaces.api.exchange.info.portfolio import portfolio_json
from coinone.interfaces.api.exchange.info.sources import (
    Answered,
    Handler,
    InfoType,
    Json,
    Request,
    Sources,
    parse_user,
)
from coinone.interfaces.api.exchange.json.accounts import AccountView
from coinone.interfaces.api.exchange.json.orders import open_status_json
from coinone.interfaces.api.limits import CANDLES_MAX, FUNDING_RATES_MAX, INFO_ROWS_MAX
from coinone.node.node import ChainReader


async def _historical_orders(sources: Sources, request: Request) -> Json:
    return (await orders_so_far(sources, request))[0]


async def orders_so_far(sources: Sources, request: Request) -> tuple[list[Json], int]:
    """All orders, including resting ones, by the time of their last change, newest first; and the batch after which
    they were read."""
    account, seq, until_ms = await _account_so_far(sources, request)
    ended = await sources.in_thread(lambda: sources.histories.ended_orders(request, until_ms))
    coins = sources.coins
    rows = [open_status_json(order, coins) for order in account.orders] + ended
    rows.sort(key=lambda row: (row["statusTimestamp"], row["order"]["oid"]), reverse=True)
    return rows[:INFO_ROWS_MAX], seq


async def _account_so_far(
    sources: Sources, request: Request, orders: bool = True
) -> tuple[AccountView, int, int]:
    """The account, and the batch after which it was read with its time in ms: histories read later end there."""
    user, time_ms = parse_user(request), sources.data.time_ms

    def read(reader: ChainReader) -> tuple[AccountView, int, int]:
        cursor = reader.chain.cursor
        return reads.account_view(reader.exchange, user, time_ms, orders), cursor.seq, cursor.time_ms

    return await sources.queries.run(read)


async def _portfolio(sources: Sources, request: Request) -> Json:
    """The curve of an account after one batch: later changes are in neither its value nor its history."""
    account, _, until_ms = await _account_so_far(sources, request, orders=False)
    past = await sources.in_thread(lambda: sources.histories.past(request, until_ms))
    unrealised = sum(position.unrealised for position in account.positions)
    return portfolio_json(past, account.equity, unrealised, until_ms)


def _rows(name: str) -> Handler:
    async def handler(sources: Sources, request: Request) -> Json:
        return await sources.in_thread(lambda: getattr(sources.histories, name)(request))

    return handler


async def _fills_by_time(sources: Sources, request: Request) -> Json:
    """Read the fills, in the slow thread if there are many of one time, so that others need not wait for them."""
    brief = await sources.in_thread(lambda: sources.histories.fills_by_time(request, brief=True))
    if not isinstance(brief, Unfinished):
        return brief
    return await sources.in_slow_thread(lambda: sources.histories.fills_by_time(request))


def _past(
    name: str,
    handler: Handler,
    about: str,
    takes: tuple[str, ...] = (),
    of: str = "user",
    rows_per_weight: int = 20,
) -> InfoType:
    return InfoType(
        name, Answered.FROM_HISTORY, handler, about, (of,), takes, rows_per_weight=rows_per_weight
    )


_TIMES = ("startTime", "endTime")
_FILLS_BY_TIME = (*_TIMES, "aggregateByTime", "reversed")
_MOST = f"{INFO_ROWS_MAX:,}"
_CURVES = f"value and profit over time, from the newest {_MOST} rows of each history"

HISTORY = (
    _past(
        "candleSnapshot", _rows("candles"), f"candles, at most {CANDLES_MAX:,}", of="req", rows_per_weight=60
    ),
    _past("fundingHistory", _rows("funding_rates"), f"rates, at most {FUNDING_RATES_MAX}", _TIMES, of="coin"),
    _past("userFills", _rows("fills"), f"the newest fills, at most {_MOST}", ("aggregateByTime",)),
    _past("userFillsByTime", _fills_by_time, f"fills, {_MOST} or more", _FILLS_BY_TIME),
    _past("userFunding", _rows("fundings"), f"funding payments, {_MOST} or more", _TIMES),
    _past("userNonFundingLedgerUpdates", _rows("ledger"), f"all other payments, {_MOST} or more", _TIMES),
    _past("historicalOrders", _historical_orders, f"ended and resting orders, at most {_MOST}"),
    _past("portfolio", _portfolio, _CURVES, rows_per_weight=0),
)
