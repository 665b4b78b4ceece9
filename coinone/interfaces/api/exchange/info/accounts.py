"""Questions about accounts, asked between two batches; and histories, from the store."""

from coinone.base.primitives.integers import INT64_MAX
from coinone.base.primitives.parameters import OPENING_FEE
from coinone.base.primitives.parse import parse_address, parse_bytes
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.histories import Unfinished
from coinone.interfaces.api.exchange.info.portfolio import portfolio_json
from coinone.interfaces.api.exchange.info.proofs import account_proof
from coinone.interfaces.api.exchange.info.sources import Handler, Json, Request, Sources, parse_user
from coinone.interfaces.api.exchange.json import accounts, markets
from coinone.interfaces.api.exchange.json.events import hex_address
from coinone.interfaces.api.exchange.json.numbers import money
from coinone.interfaces.api.exchange.json.orders import (
    frontend_order_json,
    open_order_json,
    open_status_json,
    order_history_json,
)
from coinone.interfaces.api.limits import INFO_ROWS_MAX
from coinone.node.node import ChainReader
from coinone.rules.exchange.scheduled.fees import TIERS


async def _clearinghouse(sources: Sources, request: Request) -> Json:
    account = await sources.account(request, orders=False)
    return accounts.clearinghouse_json(account, sources.data.coins, sources.data.time_ms)


async def _spot_clearinghouse(sources: Sources, request: Request) -> Json:
    account = await sources.account(request, orders=False)
    return accounts.spot_state_json(account, sources.network.quote_token.name)


async def _open_orders(sources: Sources, request: Request) -> Json:
    account = await sources.account(request)
    return [open_order_json(order, sources.data.coins) for order in reversed(account.orders)]


async def _frontend_open_orders(sources: Sources, request: Request) -> Json:
    account = await sources.account(request)
    return [frontend_order_json(order, sources.data.coins) for order in reversed(account.orders)]


async def _historical_orders(sources: Sources, request: Request) -> Json:
    return (await orders_so_far(sources, request))[0]


async def orders_so_far(sources: Sources, request: Request) -> tuple[list[Json], int]:
    """All orders, those that rest among them, by the time of their last change, newest first; and the batch after which
    they were so."""
    account, seq, until_ms = await _account_so_far(sources, request)
    ended = await sources.in_thread(lambda: sources.histories.ended_orders(request, until_ms))
    rows = [open_status_json(order, sources.data.coins) for order in account.orders] + ended
    rows.sort(key=lambda row: (row["statusTimestamp"], row["order"]["oid"]), reverse=True)
    return rows[:INFO_ROWS_MAX], seq


async def _account_so_far(
    sources: Sources, request: Request, orders: bool = True
) -> tuple[accounts.AccountView, int, int]:
    """The account, and the batch and its time in ms after which it was so: histories read later end there."""
    user, time_ms = parse_user(request), sources.data.time_ms

    def read(reader: ChainReader) -> tuple[accounts.AccountView, int, int]:
        cursor = reader.chain.cursor
        return reads.account_view(reader.exchange, user, time_ms, orders), cursor.seq, cursor.time_ms

    return await sources.queries.run(read)


async def _order_status(sources: Sources, request: Request) -> Json:
    user, name = parse_user(request), request.get("oid")
    oid = name if type(name) is int else None
    if oid is not None and not 0 <= oid <= INT64_MAX:
        return {"status": "unknownOid"}
    cloid = None if oid is not None else int.from_bytes(parse_bytes(name, 16), "big")
    found = await sources.queries.run(lambda reader: reads.find_order(reader.exchange, user, oid, cloid))
    if found is not None:
        return {"status": "order", "order": open_status_json(found, sources.data.coins)}
    update = sources.histories.order(user, oid, cloid)
    if update is None:
        return {"status": "unknownOid"}
    return {"status": "order", "order": order_history_json(update, sources.data.coins)}


async def _user_fees(sources: Sources, request: Request) -> Json:
    return accounts.user_fees_json(await sources.account(request, orders=False), TIERS)


async def _account_proof(sources: Sources, request: Request) -> Json:
    user = parse_user(request)
    return await sources.queries.run(lambda reader: account_proof(reader, user))


async def _portfolio(sources: Sources, request: Request) -> Json:
    """The curve of an account as it was after one batch: what comes later is in neither its worth nor its past."""
    account, _, until_ms = await _account_so_far(sources, request, orders=False)
    past = await sources.in_thread(lambda: sources.histories.past(request, until_ms))
    unrealised = sum(position.unrealised for position in account.positions)
    return portfolio_json(past, account.equity, unrealised, until_ms)


async def _rate_limit(sources: Sources, request: Request) -> Json:
    return accounts.rate_limit_json(await sources.account(request, orders=False))


async def _role(sources: Sources, request: Request) -> Json:
    user, time_ms = parse_user(request), sources.data.time_ms
    role, master = await sources.queries.run(lambda reader: reads.role_of(reader.exchange, user, time_ms))
    return {"role": role} if master is None else {"role": role, "data": {"user": hex_address(master)}}


async def _agents(sources: Sources, request: Request) -> Json:
    user, time_ms = parse_user(request), sources.data.time_ms
    agents = await sources.queries.run(lambda reader: reads.agents_of(reader.exchange, user, time_ms))
    return [
        {"name": agent.name, "address": hex_address(agent.address), "validUntil": agent.valid_until_ms}
        for agent in agents
        if agent.name
    ]


async def _max_builder_fee(sources: Sources, request: Request) -> Json:
    user, builder = parse_user(request), parse_address(request.get("builder"))
    return await sources.queries.run(lambda reader: reads.builder_fee_of(reader.exchange, user, builder))


async def _approved_builders(sources: Sources, request: Request) -> Json:
    user = parse_user(request)
    builders = await sources.queries.run(lambda reader: reads.builders_of(reader.exchange, user))
    return [hex_address(builder) for builder in builders]


async def _referral(sources: Sources, request: Request) -> Json:
    """A code is kept as it was named; whose it is, nobody here says."""
    account, user = await sources.account(request, orders=False), parse_user(request)
    code = await sources.queries.run(lambda reader: reads.referral_code_of(reader.exchange, user))
    return {
        "referredBy": {"referrer": hex_address(ZERO_ADDRESS), "code": code} if code else None,
        "cumVlm": money(account.volume),
        "unclaimedRewards": "0.0",
        "claimedRewards": "0.0",
        "builderRewards": "0.0",
        "tokenToState": [],
        "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}},
        "rewardHistory": [],
    }


async def _active_asset_data(sources: Sources, request: Request) -> Json:
    user, coin = parse_user(request), sources.data.coins.named(request.get("coin"))
    time_ms = sources.data.time_ms

    def read(reader: ChainReader) -> tuple[accounts.AccountView, tuple[int, bool]]:
        return (
            reads.account_view(reader.exchange, user, time_ms, orders=False),
            reads.leverage_of(reader.exchange, user, coin.index),
        )

    account, leverage = await sources.queries.run(read)
    mark = sources.data.figures(coin.index).mark
    return accounts.active_asset_json(account, hex_address(user), coin, mark, *leverage)


async def _pre_transfer_check(sources: Sources, request: Request) -> Json:
    role = await _role(sources, request)
    exists = role["role"] == "user"  # an agent's key has no account of its own
    fee = money(0 if exists else OPENING_FEE)
    return {"fee": fee, "isSanctioned": False, "userExists": exists, "userHasSentTx": exists}


async def _web_data(sources: Sources, request: Request) -> Json:
    account = await sources.account(request)
    orders = [frontend_order_json(order, sources.data.coins) for order in reversed(account.orders)]
    return web_data(sources, parse_user(request), account, orders)


def web_data(sources: Sources, user: Address, account: accounts.AccountView, orders: Json) -> Json:
    """All that the anchor's own page shows, in one object; `orders` are the account's, as JSON."""
    return {
        "clearinghouseState": accounts.clearinghouse_json(account, sources.data.coins, sources.data.time_ms),
        "leadingVaults": [],
        "totalVaultEquity": "0.0",
        "openOrders": orders,
        **accounts.agent_json(account),
        "cumLedger": "0.0",
        "meta": markets.meta_json(sources.data.coins),
        "assetCtxs": sources.data.contexts(),
        "serverTime": sources.data.time_ms,
        "isVault": False,
        "user": hex_address(user),
        "twapStates": [],
        "spotState": accounts.spot_state_json(account, sources.network.quote_token.name),
        "spotAssetCtxs": [],
        "perpsAtOpenInterestCap": [],
    }


# Histories: from the store


def _history(name: str) -> Handler:
    async def handler(sources: Sources, request: Request) -> Json:
        return await sources.in_thread(lambda: getattr(sources.histories, name)(request))

    return handler


async def _fills_by_time(sources: Sources, request: Request) -> Json:
    """Of one time there may be so many that others should not wait for them."""
    brief = await sources.in_thread(lambda: sources.histories.fills_by_time(request, brief=True))
    if not isinstance(brief, Unfinished):
        return brief
    return await sources.in_slow_thread(lambda: sources.histories.fills_by_time(request))


ACCOUNT: dict[str, Handler] = {
    "clearinghouseState": _clearinghouse,
    "spotClearinghouseState": _spot_clearinghouse,
    "openOrders": _open_orders,
    "frontendOpenOrders": _frontend_open_orders,
    "orderStatus": _order_status,
    "userFees": _user_fees,
    "userRateLimit": _rate_limit,
    "userRole": _role,
    "extraAgents": _agents,
    "maxBuilderFee": _max_builder_fee,
    "approvedBuilders": _approved_builders,
    "referral": _referral,
    "activeAssetData": _active_asset_data,
    "preTransferCheck": _pre_transfer_check,
    "accountProof": _account_proof,
    "webData2": _web_data,
    "candleSnapshot": _history("candles"),
    "fundingHistory": _history("funding_rates"),
    "userFills": _history("fills"),
    "userFillsByTime": _fills_by_time,
    "userFunding": _history("fundings"),
    "userNonFundingLedgerUpdates": _history("ledger"),
    "historicalOrders": _historical_orders,
    "portfolio": _portfolio,
}
