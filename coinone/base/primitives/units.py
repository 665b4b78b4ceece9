"""Units of the exchange: how many decimals a price and a quote amount have (Hyperliquid's rule of ticks).

A market's size has `sz_decimals` decimals and its price as many as are left of six, so that price times size is
always a whole number of micro-quote.
"""

PRICE_DECIMALS = 6  # of a perpetual's price and size together
QUOTE_DECIMALS = 6  # of quote money: it is counted in micro-quote


def price_decimals(sz_decimals: int) -> int:
    """The decimals of a market's price unit."""
    return PRICE_DECIMALS - sz_decimals
