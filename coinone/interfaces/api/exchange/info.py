"""POST /info: one table from request type to handler.

Questions about markets are answered from the view published after each batch, without asking the executor;
the bytes of such an answer are kept until the next batch. Questions about accounts run between batches.
Histories come from the store.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.base.primitives.parse import parse_address, parse_bytes
from coinone.base.primitives.types import Address
from coinone.interfaces.api import jsonio
from coinone.interfaces.api.exchange import account_json as accounts
from coinone.interfaces.api.exchange import market_json as markets
from coinone.interfaces.api.exchange import reads
from coinone.interfaces.api.exchange.absent import ABSENT
from coinone.interfaces.api.exchange.coins import Coins
from coinone.interfaces.api.exchange.format import hex_address, order_history_json
from coinone.interfaces.api.exchange.histories import Histories
from coinone.interfaces.api.exchange.market_data import MarketData
from coinone.interfaces.api.exchange.numbers import money
from coinone.interfaces.api.exchange.portfolio import portfolio_json
from coinone.interfaces.api.exchange.proofs import account_proof
from coinone.interfaces.api.http import HttpError
from coinone.interfaces.api.queries import InThread, Queries
from coinone.interfaces.api.weights import INFO_WEIGHT, Purse, info_weight
from coinone.interfaces.api.ws.subscriptions import parse_grouping
from coinone.node.runtime.node import ChainReader, Node
from coinone.rules.exchange.fees import TIERS
from coinone.rules.exchange.funding import HOUR_MS

Json = Any
Request = dict[str, Any]
Handler = Callable[["Info", Request], Awaitable[Json]]

_CACHED_ANSWERS_MAX = 512  # distinct market questions between two batches


class Info:
    """The read side of the exchange API."""

    def __init__(
        self,
        node: Node,
        queries: Queries[ChainReader],
        coins: Coins,
        data: MarketData,
        histories: Histories,
        in_thread: InThread,
    ) -> None:
        self.node = node
        self.coins = coins
        self.data = data
        self.histories = histories
        self.query = queries.run
        self.in_thread = in_thread
        self._cache: dict[bytes, tuple[bytes, int]] = {}
        self._cache_seq = -1
        self.answered: dict[str, int] = {}  # by type, for /metrics; those from the cache are left out

    async def answer_bytes(self, body: bytes, purse: Purse) -> bytes:
        """The JSON of an answer, paid for. Raises HttpError for a request that no type or field fits, or that
        the purse does not allow."""
        if self._cache_seq != self.data.seq:
            self._cache.clear()
            self._cache_seq = self.data.seq
        try:
            purse.require()
        except LimitExceeded as error:
            raise HttpError(429, str(error)) from error
        known = self._cache.get(body)
        if known is not None:
            purse.spend(known[1])
            return known[0]
        try:
            request = jsonio.decode(body)
            answer = await self.answer(request)
        except InvalidInput as error:
            purse.spend(INFO_WEIGHT)
            raise HttpError(422, str(error)) from error
        kind, result = request["type"], jsonio.encode(answer)
        weight = info_weight(kind, answer)
        purse.spend(weight)
        if kind in _MARKET and len(self._cache) < _CACHED_ANSWERS_MAX and len(body) < 256:
            self._cache[body] = result, weight
        return result

    async def answer_paid(self, request: Any, purse: Purse) -> Json:
        """`answer`, paid for. Raises InvalidInput, LimitExceeded among them."""
        purse.require()
        answer = await self.answer(request)
        purse.spend(info_weight(request["type"], answer))
        return answer

    async def answer(self, request: Any) -> Json:
        """The answer object of a request. Raises InvalidInput."""
        kind = request.get("type") if isinstance(request, dict) else None
        if not isinstance(kind, str):
            raise InvalidInput("Failed to deserialize the JSON body into the target type")
        handler = HANDLERS.get(kind)
        if handler is not None or kind in ABSENT:
            self.answered[kind] = self.answered.get(kind, 0) + 1
        if handler is not None:
            return await handler(self, request)
        if kind in ABSENT:
            return ABSENT[kind]
        raise InvalidInput("Failed to deserialize the JSON body into the target type", type=kind[:40])

    async def account(self, request: Request, orders: bool = True) -> accounts.AccountView:
        user, time_ms = parse_user(request), self.data.time_ms
        view = await self.query(lambda reader: reads.account_view(reader.exchange, user, time_ms, orders))
        assert isinstance(view, accounts.AccountView)
        return view


def parse_user(request: Request) -> Address:
    return parse_address(request.get("user"))


def _main_dex(request: Request) -> None:
    if request.get("dex") not in (None, ""):
        raise InvalidInput("unknown dex: there is one exchange here")


# Markets: from the published view


async def _meta(info: Info, request: Request) -> Json:
    _main_dex(request)
    return markets.meta_json(info.coins)


async def _all_metas(info: Info, request: Request) -> Json:
    return [markets.meta_json(info.coins)]


async def _spot_meta(info: Info, request: Request) -> Json:
    token = info.node.network.quote_token
    return markets.spot_meta_json(token.name, token.decimals, token.address)


async def _spot_meta_and_contexts(info: Info, request: Request) -> Json:
    return [await _spot_meta(info, request), []]


async def _meta_and_contexts(info: Info, request: Request) -> Json:
    _main_dex(request)
    return [markets.meta_json(info.coins), info.data.contexts()]


async def _all_mids(info: Info, request: Request) -> Json:
    _main_dex(request)
    return info.data.mids()


async def _book(info: Info, request: Request) -> Json:
    figures, mantissa = parse_grouping(request)
    return info.data.book(info.coins.named(request.get("coin")), figures, mantissa)


async def _margin_table(info: Info, request: Request) -> Json:
    leverage = request.get("id")
    if type(leverage) is not int or not 0 < leverage < 50 + 1:
        raise InvalidInput("unknown margin table")
    return markets.margin_table(leverage)


async def _exchange_status(info: Info, request: Request) -> Json:
    return {"specialStatuses": None, "time": info.data.time_ms}


async def _predicted_fundings(info: Info, request: Request) -> Json:
    """The rate of the running hour, under the venue name by which the anchor's clients know the exchange itself."""
    next_ms = (info.data.time_ms // HOUR_MS + 1) * HOUR_MS
    return [
        [coin.name, [["HlPerp", markets.predicted_funding_json(info.data.figures(coin.index), next_ms)]]]
        for coin in info.coins.all
    ]


async def _trades(info: Info, request: Request) -> Json:
    return info.data.recent_trades(info.coins.named(request.get("coin")))


# Accounts: between batches


async def _clearinghouse(info: Info, request: Request) -> Json:
    _main_dex(request)
    account = await info.account(request, orders=False)
    return accounts.clearinghouse_json(account, info.coins, info.data.time_ms)


async def _spot_clearinghouse(info: Info, request: Request) -> Json:
    account = await info.account(request, orders=False)
    return accounts.spot_state_json(account, info.node.network.quote_token.name)


async def _open_orders(info: Info, request: Request) -> Json:
    _main_dex(request)
    account = await info.account(request)
    return [accounts.open_order_json(order, info.coins) for order in reversed(account.orders)]


async def _frontend_open_orders(info: Info, request: Request) -> Json:
    _main_dex(request)
    account = await info.account(request)
    return [accounts.frontend_order_json(order, info.coins) for order in reversed(account.orders)]


async def _order_status(info: Info, request: Request) -> Json:
    user, name = parse_user(request), request.get("oid")
    oid = name if type(name) is int else None
    cloid = None if oid is not None else int.from_bytes(parse_bytes(name, 16), "big")
    found = await info.query(lambda reader: reads.find_order(reader.exchange, user, oid, cloid))
    if found is not None:
        order = accounts.frontend_order_json(found, info.coins)
        return {
            "status": "order",
            "order": {"order": order, "status": "open", "statusTimestamp": found.placed_ms},
        }
    update = info.histories.order(user, oid, cloid)
    if update is None:
        return {"status": "unknownOid"}
    return {"status": "order", "order": order_history_json(update, info.coins)}


async def _user_fees(info: Info, request: Request) -> Json:
    return accounts.user_fees_json(await info.account(request, orders=False), TIERS)


async def _account_proof(info: Info, request: Request) -> Json:
    user = parse_user(request)
    return await info.query(lambda reader: account_proof(reader, user))


async def _portfolio(info: Info, request: Request) -> Json:
    account = await info.account(request, orders=False)
    steps = await info.in_thread(lambda: info.histories.steps(request))
    unrealised = sum(position.unrealised for position in account.positions)
    return portfolio_json(steps, account.equity, unrealised, info.data.time_ms)


async def _rate_limit(info: Info, request: Request) -> Json:
    return accounts.rate_limit_json(await info.account(request, orders=False))


async def _role(info: Info, request: Request) -> Json:
    user = parse_user(request)
    role, master = await info.query(lambda reader: reads.role_of(reader.exchange, user))
    return {"role": role} if master is None else {"role": role, "data": {"user": hex_address(master)}}


async def _agents(info: Info, request: Request) -> Json:
    user, time_ms = parse_user(request), info.data.time_ms
    agents = await info.query(lambda reader: reads.agents_of(reader.exchange, user, time_ms))
    return [
        {"name": agent.name, "address": hex_address(agent.address), "validUntil": agent.valid_until_ms}
        for agent in agents
        if agent.name
    ]


async def _max_builder_fee(info: Info, request: Request) -> Json:
    user, builder = parse_user(request), parse_address(request.get("builder"))
    return await info.query(lambda reader: reads.builder_fee_of(reader.exchange, user, builder))


async def _referral(info: Info, request: Request) -> Json:
    account = await info.account(request, orders=False)
    return {
        "referredBy": None,
        "cumVlm": money(account.volume),
        "unclaimedRewards": "0.0",
        "claimedRewards": "0.0",
        "builderRewards": "0.0",
        "tokenToState": [],
        "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}},
        "rewardHistory": [],
    }


async def _active_asset_data(info: Info, request: Request) -> Json:
    user, coin = parse_user(request), info.coins.named(request.get("coin"))
    return await active_asset_data(info, user, coin.index)


async def active_asset_data(info: Info, user: Address, market: int) -> Json:
    time_ms = info.data.time_ms

    def read(reader: Any) -> tuple[accounts.AccountView, tuple[int, bool]]:
        return (
            reads.account_view(reader.exchange, user, time_ms, orders=False),
            reads.leverage_of(reader.exchange, user, market),
        )

    account, (leverage, cross) = await info.query(read)
    mark = info.data.figures(market).mark
    return accounts.active_asset_json(account, hex_address(user), info.coins[market], mark, leverage, cross)


async def _pre_transfer_check(info: Info, request: Request) -> Json:
    role = await _role(info, request)
    exists = role["role"] != "missing"
    return {"fee": "0.0", "isSanctioned": False, "userExists": exists, "userHasSentTx": exists}


async def _web_data(info: Info, request: Request) -> Json:
    return await web_data(info, parse_user(request))


async def web_data(info: Info, user: Address) -> Json:
    """All that the anchor's own page shows, in one object."""
    request = {"user": hex_address(user)}
    account = await info.account(request)
    return {
        "clearinghouseState": accounts.clearinghouse_json(account, info.coins, info.data.time_ms),
        "leadingVaults": [],
        "totalVaultEquity": "0.0",
        "openOrders": [accounts.frontend_order_json(order, info.coins) for order in reversed(account.orders)],
        "agentAddress": None,
        "agentValidUntil": None,
        "cumLedger": "0.0",
        "meta": markets.meta_json(info.coins),
        "assetCtxs": info.data.contexts(),
        "serverTime": info.data.time_ms,
        "isVault": False,
        "user": hex_address(user),
        "twapStates": [],
        "spotState": accounts.spot_state_json(account, info.node.network.quote_token.name),
        "spotAssetCtxs": [],
        "perpsAtOpenInterestCap": [],
    }


# Histories: from the store


def _history(name: str) -> Handler:
    async def handler(info: Info, request: Request) -> Json:
        return await info.in_thread(lambda: getattr(info.histories, name)(request))

    return handler


_MARKET: dict[str, Handler] = {
    "meta": _meta,
    "allPerpMetas": _all_metas,
    "spotMeta": _spot_meta,
    "metaAndAssetCtxs": _meta_and_contexts,
    "spotMetaAndAssetCtxs": _spot_meta_and_contexts,
    "allMids": _all_mids,
    "l2Book": _book,
    "recentTrades": _trades,
    "marginTable": _margin_table,
    "exchangeStatus": _exchange_status,
    "predictedFundings": _predicted_fundings,
}

HANDLERS: dict[str, Handler] = {
    **_MARKET,
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
    "referral": _referral,
    "activeAssetData": _active_asset_data,
    "preTransferCheck": _pre_transfer_check,
    "accountProof": _account_proof,
    "webData2": _web_data,
    "candleSnapshot": _history("candles"),
    "fundingHistory": _history("funding_rates"),
    "userFills": _history("fills"),
    "userFillsByTime": _history("fills_by_time"),
    "userFunding": _history("fundings"),
    "userNonFundingLedgerUpdates": _history("ledger"),
    "historicalOrders": _history("orders"),
    "portfolio": _portfolio,
}
