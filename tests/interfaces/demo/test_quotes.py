"""The makers' ladders: valid prices, no crossing with themselves, leaning against inventory."""

from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.interfaces.client import Market, round_price, round_size
from coinone.interfaces.demo.market import STYLES
from coinone.interfaces.demo.quotes import RestingOrder, Style, WantedQuote, ladder, reconcile

MARKETS = (Market(0, "BTC", 5, 50), Market(1, "ETH", 4, 50), Market(2, "SOL", 2, 20))
PRICES = st.decimals(min_value=Decimal("0.5"), max_value=Decimal(500_000), places=3)


@settings(max_examples=100)
@given(
    st.sampled_from(MARKETS),
    PRICES,
    st.floats(-1e7, 1e7),
    st.sampled_from(STYLES),
    st.integers(0, 2**32),
)
def test_every_quote_is_placeable_and_no_bid_reaches_an_ask(
    market: Market, fair: Decimal, inventory: float, style: Style, seed: int
) -> None:
    quotes = ladder(market, fair, inventory, style, Random(seed))
    for quote in quotes:
        assert quote.price > 0 and quote.size > 0
        assert round_price(quote.price, market.size_decimals) == quote.price
        assert round_size(quote.size, market.size_decimals) == quote.size
    bids = [quote.price for quote in quotes if quote.is_buy]
    asks = [quote.price for quote in quotes if not quote.is_buy]
    assert not bids or not asks or max(bids) <= min(asks)


def test_a_long_maker_quotes_lower_and_a_full_one_only_sells() -> None:
    style = STYLES[0]
    fair, seed = Decimal(97_000), 1
    flat = ladder(MARKETS[0], fair, 0.0, style, Random(seed))
    long = ladder(MARKETS[0], fair, style.inventory_max / 2, style, Random(seed))
    full = ladder(MARKETS[0], fair, style.inventory_max, style, Random(seed))
    assert all(lower.price < level.price for lower, level in zip(long, flat, strict=True))
    assert {quote.is_buy for quote in full} == {False}


def test_the_same_chance_gives_the_same_quotes() -> None:
    first, second = (ladder(MARKETS[1], Decimal(3400), 0.0, STYLES[1], Random("1/11")) for _ in range(2))
    assert first == second


def test_orders_near_enough_and_mostly_unfilled_stay_and_the_rest_is_replaced() -> None:
    wanted = [WantedQuote(True, Decimal(100), Decimal(4), 2), WantedQuote(False, Decimal(101), Decimal(4), 2)]
    near = RestingOrder("0x1", True, Decimal("100.01"), Decimal(3))
    far = RestingOrder("0x2", False, Decimal("102"), Decimal(4))
    thin = RestingOrder("0x3", False, Decimal("101"), Decimal(1))
    stale, missing = reconcile(wanted, [near, far, thin])
    assert stale == [far, thin]
    assert missing == [wanted[1]]


def test_one_order_serves_one_quote_only() -> None:
    twice = [WantedQuote(True, Decimal(100), Decimal(1), 1)] * 2
    stale, missing = reconcile(twice, [RestingOrder("0x1", True, Decimal(100), Decimal(1))])
    assert (stale, len(missing)) == ([], 1)
