"""Encode an account's fills as JSON: single, or merged as `aggregateByTime` specifies.

Hyperliquid's option merges the fills of one order at one time: a taker that swept ten makers has one row, and so has a
maker that several takers hit within one batch. The price is the average, the rest are sums.
"""

from collections.abc import Iterable, Iterator, Sequence

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.events import Json, direction, fill_json
from coinone.interfaces.api.exchange.json.numbers import money
from coinone.rules.exchange.events.events import Fill
from coinone.rules.exchange.trading.answers import average_price

Row = tuple[Fill, bool]  # a fill, and whether it is the taker's side


def fills_json(rows: Iterable[Row], coins: Coins, joined: bool = False) -> list[Json]:
    """The rows in their order; `joined` merges those of one order and time."""
    return list(fill_rows(rows, coins, joined))


def fill_rows(rows: Iterable[Row], coins: Coins, joined: bool = False) -> Iterator[Json]:
    """The same rows, made lazily."""
    if not joined:
        yield from (fill_json(fill, is_taker, coins) for fill, is_taker in rows)
        return
    groups: dict[tuple[object, ...], list[Row]] = {}
    for fill, is_taker in rows:
        party = fill.taker if is_taker else fill.maker
        key = fill.time_ms, fill.market, party.oid, is_taker, fill.kind
        groups.setdefault(key, []).append((fill, is_taker))
    yield from (_joined(group, coins) for group in groups.values())


def parse_joined(request: Json) -> bool:
    """The aggregateByTime flag of a request; null means absent. Raises InvalidInput."""
    return parse_flag(request, "aggregateByTime")


def parse_flag(request: Json, name: str) -> bool:
    """An optional boolean of a request, false if absent or null. Raises InvalidInput."""
    value = request.get(name)
    if value is not None and type(value) is not bool:
        raise InvalidInput(f"{name} must be true, false or null")
    return bool(value)


def _joined(group: Sequence[Row], coins: Coins) -> Json:
    """One merged row; position, hash and tid are those of the first trade."""
    (first, is_taker), *_ = group = sorted(group, key=lambda row: row[0].tid)
    body = fill_json(first, is_taker, coins)
    if len(group) == 1:
        return body
    coin, fills = coins[first.market], [fill for fill, _ in group]
    sides = [fill.taker if is_taker else fill.maker for fill in fills]
    size = sum(fill.sz for fill in fills)
    body["px"] = average_price(sum(fill.px * fill.sz for fill in fills), size, coin.sz_decimals)
    body["sz"] = coin.sz(size)
    body["closedPnl"] = money(sum(side.closed_pnl for side in sides))
    body["fee"] = money(sum(side.fee for side in sides))
    if any(side.builder_fee for side in sides):
        body["builderFee"] = money(sum(side.builder_fee for side in sides))
    if first.kind == "trade":
        signed = size if first.taker_is_buy == is_taker else -size
        body["dir"] = direction(sides[0].start_position, signed)
    return body
