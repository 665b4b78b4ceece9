"""Info requests about markets: answered from the published view, without the executor."""

from typing import Any

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.info.sources import Answered, Handler, InfoType, Json, Request, Sources
from coinone.interfaces.api.exchange.json import markets
from coinone.rules.exchange.prices.funding import HOUR_MS

_SINGLE_TIER_MAX = 50  # margin tables up to this number mean "one tier of that leverage", as at Hyperliquid


async def meta(sources: Sources, request: Request) -> Json:
    return markets.meta_json(sources.data.coins)


async def all_metas(sources: Sources, request: Request) -> Json:
    return [markets.meta_json(sources.data.coins)]


async def spot_meta(sources: Sources, request: Request) -> Json:
    token = sources.network.quote_token
    return markets.spot_meta_json(token.name, token.decimals, token.address)


async def spot_meta_and_contexts(sources: Sources, request: Request) -> Json:
    return [await spot_meta(sources, request), markets.spot_contexts_json()]


async def meta_and_contexts(sources: Sources, request: Request) -> Json:
    return [markets.meta_json(sources.data.coins), sources.data.contexts()]


async def all_mids(sources: Sources, request: Request) -> Json:
    return sources.data.mids()


async def book(sources: Sources, request: Request) -> Json:
    figures, mantissa = parse_grouping(request)
    return sources.data.book(sources.data.coins.named(request.get("coin")), figures, mantissa)


async def margin_table(sources: Sources, request: Request) -> Json:
    leverage = request.get("id")
    if type(leverage) is not int or not 0 < leverage <= _SINGLE_TIER_MAX:
        raise InvalidInput("unknown margin table")
    return markets.margin_table(leverage)


async def exchange_status(sources: Sources, request: Request) -> Json:
    return {"specialStatuses": None, "time": sources.data.time_ms}


async def predicted_fundings(sources: Sources, request: Request) -> Json:
    """The rate of the current hour, under the venue name that Hyperliquid's clients use for the exchange itself."""
    next_ms = (sources.data.time_ms // HOUR_MS + 1) * HOUR_MS
    return [
        [coin.name, [["HlPerp", markets.predicted_funding_json(sources.data.figures(coin.index), next_ms)]]]
        for coin in sources.data.coins.all
    ]


async def trades(sources: Sources, request: Request) -> Json:
    return sources.data.recent_trades(sources.data.coins.named(request.get("coin")))


def parse_grouping(request: dict[str, Any]) -> tuple[int | None, int | None]:
    """nSigFigs (2 to 5, or absent) and mantissa (2 or 5, only with nSigFigs 5) of an l2Book request."""
    figures, mantissa = request.get("nSigFigs"), request.get("mantissa")
    if figures is not None and (type(figures) is not int or not 2 <= figures <= 5):
        raise InvalidInput("nSigFigs must be 2, 3, 4, 5 or null")
    if mantissa is not None and (type(mantissa) is not int or mantissa not in (1, 2, 5) or figures != 5):
        raise InvalidInput("mantissa must be 1, 2 or 5, and only with nSigFigs 5")
    return figures, mantissa if mantissa != 1 else None


def _market(name: str, handler: Handler, about: str, **more: Any) -> InfoType:
    return InfoType(name, Answered.FROM_VIEW, handler, about, **more)


MARKET = (
    _market("meta", meta, "the perpetual markets: names, decimals of sizes, leverage, margin tables"),
    _market("allPerpMetas", all_metas, "a list of one `meta`: there is only one exchange"),
    _market("spotMeta", spot_meta, "the collateral token"),
    _market("metaAndAssetCtxs", meta_and_contexts, "`meta`, and each market's prices, funding and volume"),
    _market("spotMetaAndAssetCtxs", spot_meta_and_contexts, "`spotMeta`, and the prices of its one entry"),
    _market("allMids", all_mids, "the mid price of each market", weight=2),
    _market(
        "l2Book", book, "20 levels of each side", needs=("coin",), takes=("nSigFigs", "mantissa"), weight=2
    ),
    _market("recentTrades", trades, "the newest trades of a market", needs=("coin",), rows_per_weight=20),
    _market("marginTable", margin_table, "one of the margin tables that `meta` names", needs=("id",)),
    _market("exchangeStatus", exchange_status, "the time of the newest batch", weight=2),
    _market("predictedFundings", predicted_fundings, "the funding rate of the current hour, by market"),
)
