"""Info requests about accounts: answered between two batches."""

from coinone.base.primitives.integers import INT64_MAX
from coinone.base.primitives.parameters import OPENING_FEE
from coinone.base.primitives.parse import parse_address, parse_bytes
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.interfaces.api.admission.weights import INFO_WEIGHT
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.info.proofs import account_proof
from coinone.interfaces.api.exchange.info.sources import (
    Answered,
    Handler,
    InfoType,
    Json,
    Request,
    Sources,
    parse_user,
)
from coinone.interfaces.api.exchange.json import accounts, markets
from coinone.interfaces.api.exchange.json.events import hex_address
from coinone.interfaces.api.exchange.json.numbers import money
from coinone.interfaces.api.exchange.json.orders import (
    frontend_order_json,
    open_order_json,
    open_status_json,
    order_history_json,
)
from coinone.node.node import ChainReader
from coinone.rules.exchange.scheduled.fees import TIERS


async def _clearinghouse(sources: Sources, request: Request) -> Json:
    account = await sources.account(request, orders=False)
    return accounts.clearinghouse_json(account, sources.coins, sources.data.time_ms)


async def _spot_clearinghouse(sources: Sources, request: Request) -> Json:
    account = await sources.account(request, orders=False)
    return accounts.spot_state_json(account, sources.network.quote_token.name)


async def _open_orders(sources: Sources, request: Request) -> Json:
    account, coins = await sources.account(request), sources.coins
    return [open_order_json(order, coins) for order in reversed(account.orders)]


async def _frontend_open_orders(sources: Sources, request: Request) -> Json:
    account, coins = await sources.account(request), sources.coins
    return [frontend_order_json(order, coins) for order in reversed(account.orders)]


async def _order_status(sources: Sources, request: Request) -> Json:
    user, name = parse_user(request), request.get("oid")
    oid = name if type(name) is int else None
    if oid is not None and not 0 <= oid <= INT64_MAX:
        return {"status": "unknownOid"}
    cloid = None if oid is not None else int.from_bytes(parse_bytes(name, 16), "big")
    found = await sources.queries.run(lambda reader: reads.find_order(reader.exchange, user, oid, cloid))
    if found is not None:
        return {"status": "order", "order": open_status_json(found, sources.coins)}
    update = sources.histories.order(user, oid, cloid)
    if update is None:
        return {"status": "unknownOid"}
    return {"status": "order", "order": order_history_json(update, sources.coins)}


async def _user_fees(sources: Sources, request: Request) -> Json:
    return accounts.user_fees_json(await sources.account(request, orders=False), TIERS)


async def _account_proof(sources: Sources, request: Request) -> Json:
    user = parse_user(request)
    return await sources.queries.run(lambda reader: account_proof(reader, user))


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
    """The referral code as the account named it; its owner is not recorded here."""
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

    def read(reader: ChainReader) -> tuple[accounts.AccountView, accounts.MarginTerms]:
        return (
            reads.account_view(reader.exchange, user, time_ms, orders=False),
            reads.margin_terms(reader.exchange, user, coin.index),
        )

    account, terms = await sources.queries.run(read)
    mark = sources.data.figures(coin.index).mark
    return accounts.active_asset_json(account, hex_address(user), coin, mark, terms)


async def _pre_transfer_check(sources: Sources, request: Request) -> Json:
    role = await _role(sources, request)
    exists = role["role"] == "user"  # an agent's key has no account
    fee = money(0 if exists else OPENING_FEE)
    return {"fee": fee, "isSanctioned": False, "userExists": exists, "userHasSentTx": exists}


async def _web_data(sources: Sources, request: Request) -> Json:
    account, coins = await sources.account(request), sources.coins
    orders = [frontend_order_json(order, coins) for order in reversed(account.orders)]
    return web_data(sources, parse_user(request), account, orders)


def web_data(sources: Sources, user: Address, account: accounts.AccountView, orders: Json) -> Json:
    """All the data of Hyperliquid's page in one object; `orders` are the account's, as JSON."""
    return {
        "clearinghouseState": accounts.clearinghouse_json(account, sources.coins, sources.data.time_ms),
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


def _account(
    name: str, handler: Handler, about: str, also: tuple[str, ...] = (), weight: int = INFO_WEIGHT
) -> InfoType:
    """A request type about a user, with the additional fields `also`."""
    return InfoType(name, Answered.BETWEEN_BATCHES, handler, about, ("user", *also), weight=weight)


ACCOUNT = (
    _account("clearinghouseState", _clearinghouse, "margin and positions", weight=2),
    _account("spotClearinghouseState", _spot_clearinghouse, "balance", weight=2),
    _account("openOrders", _open_orders, "resting orders, newest first"),
    _account("frontendOpenOrders", _frontend_open_orders, "the same, with the fields that pages show"),
    _account("orderStatus", _order_status, "one order, by its id or the client's", ("oid",), weight=2),
    _account("userFees", _user_fees, "fee rates, and the tiers"),
    _account("userRateLimit", _rate_limit, "action credits, used and allowed"),
    _account("userRole", _role, "account, agent (and whose), or missing", weight=60),
    _account("extraAgents", _agents, "named agents; `webData2` and `webData3` show the one without a name"),
    _account("maxBuilderFee", _max_builder_fee, "the fee approved for a builder, in 0.1 bp", ("builder",)),
    _account("approvedBuilders", _approved_builders, "builders with an approved fee"),
    _account("referral", _referral, "the referral code, and traded volume"),
    _account("activeAssetData", _active_asset_data, "leverage and largest orders in a market", ("coin",)),
    _account("preTransferCheck", _pre_transfer_check, "what a transfer to this address costs its sender"),
    _account(
        "accountProof", _account_proof, "Coinone's own: [the account's state, provable](account-proofs.md)"
    ),
    _account("webData2", _web_data, "everything that Hyperliquid's page shows"),
)
