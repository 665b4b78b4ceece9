"""The quotes of a maker: a ladder of prices around the fair price, shifted by inventory.

A maker with too long a position quotes lower on both sides (and the reverse), so that the next trade tends to reduce
it (Avellaneda and Stoikov 2008, in its simplest form); at its limit it stops adding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from coinone.interfaces.client import Market, round_price, round_size

_BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Style:
    """The parameters of one maker; distances in basis points of the fair price, amounts in quote units."""

    levels: int
    half_spread_bps: float
    step_bps: float  # between the first two levels; the steps widen outwards
    level_value: float  # value of the innermost order; outer ones are larger
    inventory_max: float
    lean_bps: float  # shift of the quotes at full inventory


@dataclass(frozen=True, slots=True)
class WantedQuote:
    """A wanted order. One within `slack_bps` is good enough: the further from the fair price, the less precision
    matters, and every replacement costs an action."""

    is_buy: bool
    price: Decimal
    size: Decimal
    slack_bps: float


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """One of the maker's orders in the book."""

    cloid: str
    is_buy: bool
    price: Decimal
    size: Decimal


def ladder(
    market: Market, fair: Decimal, inventory: float, style: Style, random: Random
) -> list[WantedQuote]:
    """The wanted quotes, innermost first; `inventory` is the value of the position, negative if short."""
    ratio = max(-1.0, min(1.0, inventory / style.inventory_max))
    centre = fair * (1 - Decimal(ratio * style.lean_bps) * _BPS)
    quotes = []
    for level in range(style.levels):
        distance = style.half_spread_bps + style.step_bps * level * (1 + level / style.levels)
        size = style.level_value * (1 + level / 2) * random.uniform(0.6, 1.4)
        for is_buy, full in ((True, ratio >= 1), (False, ratio <= -1)):
            side = -1 if is_buy else 1
            price = round_price(centre * (1 + side * Decimal(distance) * _BPS), market.size_decimals)
            lots = round_size(Decimal(size) / price, market.size_decimals)
            if lots > 0 and not full:
                quotes.append(WantedQuote(is_buy, price, lots, max(style.step_bps / 2, distance / 4)))
    return quotes


def reconcile(
    wanted: Sequence[WantedQuote], resting: Sequence[RestingOrder]
) -> tuple[list[RestingOrder], list[WantedQuote]]:
    """The orders to cancel and to place so that the book has approximately `wanted`.

    An order that is close enough and mostly unfilled stays and keeps its time priority.
    """
    spare = list(resting)
    missing = []
    for quote in wanted:
        match = next((order for order in spare if _serves(order, quote)), None)
        if match is None:
            missing.append(quote)
        else:
            spare.remove(match)
    return spare, missing


def _serves(order: RestingOrder, quote: WantedQuote) -> bool:
    near = abs(order.price - quote.price) <= quote.price * Decimal(quote.slack_bps) * _BPS
    return order.is_buy == quote.is_buy and near and 2 * order.size >= quote.size
