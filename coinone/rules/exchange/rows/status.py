"""The statuses of operations and orders, and their names and texts in Hyperliquid's API."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The outcome of an operation or an order: a RESULT's or an UPDATE's `status`."""

    NONE = 0
    OPEN = 1
    FILLED = 2
    CANCELED = 3
    SELF_TRADE_CANCELED = 4
    MARGIN_CANCELED = 5
    REDUCE_ONLY_CANCELED = 6
    LIQUIDATED_CANCELED = 7
    SCHEDULED_CANCEL = 8
    IOC_CANCELED = 12
    REPLACED = 13
    RESTRICTED_CANCELED = 14  # stopped at a maker that may not trade in a stale market
    BAND_CANCELED = 15
    DISPLACED = 20  # the side was full, and a better price or a larger order came
    BAD_MARKET = 32
    HALTED = 33
    ONLY_REDUCE = 34
    BAD_PRICE = 35
    BAD_SIZE = 36
    MIN_NOTIONAL = 37
    OUT_OF_BAND = 38
    REDUCE_ONLY = 39
    MARGIN = 40
    BAD_ALO = 41
    IOC_NO_MATCH = 42
    MAX_POSITION = 43
    OPEN_INTEREST_CAP = 44
    TOO_MANY_ORDERS = 45
    DUPLICATE_CLOID = 46
    BOOK_FULL = 47
    NOT_FOUND = 48
    MODIFY_NOT_FOUND = 49
    TRIGGER = 50  # set before the kernel runs
    AGED_PRICE = 51
    JUMPING = 52
    HOLDS_STALE = 53
    LIQUIDATING = 54
    SOLVENT = 55  # an earlier liquidation order of the segment has closed enough
    TOO_MANY_AT_PRICE = 60
    TOO_MANY_REDUCING = 61
    CROWDED = 62


FIRST_REJECTION = Status.BAD_MARKET

API_NAME: dict[Status, str] = {
    Status.OPEN: "open",
    Status.FILLED: "filled",
    Status.CANCELED: "canceled",
    Status.SELF_TRADE_CANCELED: "selfTradeCanceled",
    Status.MARGIN_CANCELED: "marginCanceled",
    Status.REDUCE_ONLY_CANCELED: "reduceOnlyCanceled",
    Status.LIQUIDATED_CANCELED: "liquidatedCanceled",
    Status.SCHEDULED_CANCEL: "scheduledCancel",
    Status.IOC_CANCELED: "canceled",
    Status.REPLACED: "canceled",
    Status.RESTRICTED_CANCELED: "reduceOnlyCanceled",
    Status.BAND_CANCELED: "bandCanceled",
    Status.DISPLACED: "displaced",
    Status.BAD_MARKET: "rejected",
    Status.HALTED: "rejected",
    Status.ONLY_REDUCE: "reduceOnlyRejected",
    Status.BAD_PRICE: "tickRejected",
    Status.BAD_SIZE: "rejected",
    Status.MIN_NOTIONAL: "minTradeNtlRejected",
    Status.OUT_OF_BAND: "oracleRejected",
    Status.REDUCE_ONLY: "reduceOnlyRejected",
    Status.MARGIN: "perpMarginRejected",
    Status.BAD_ALO: "badAloPxRejected",
    Status.IOC_NO_MATCH: "iocCancelRejected",
    Status.MAX_POSITION: "perpMaxPositionRejected",
    Status.OPEN_INTEREST_CAP: "openInterestIncreaseRejected",
    Status.TOO_MANY_ORDERS: "tooManyOpenOrdersRejected",
    Status.DUPLICATE_CLOID: "rejected",
    Status.BOOK_FULL: "rejected",
    Status.TOO_MANY_AT_PRICE: "rejected",
    Status.TOO_MANY_REDUCING: "rejected",
    Status.CROWDED: "rejected",
    Status.AGED_PRICE: "reduceOnlyRejected",
    Status.JUMPING: "rejected",
    Status.HOLDS_STALE: "reduceOnlyRejected",
    Status.LIQUIDATING: "rejected",
    Status.SOLVENT: "rejected",
}
"""Order statuses as Hyperliquid's API names them."""

ERROR_TEXT: dict[Status, str] = {
    Status.BAD_MARKET: "Invalid perpetual or spot asset.",
    Status.HALTED: "Trading is halted.",
    Status.ONLY_REDUCE: "Only orders that reduce a position are accepted at present.",
    Status.BAD_PRICE: "Price must be divisible by tick size.",
    Status.BAD_SIZE: "Order has invalid size.",
    Status.MIN_NOTIONAL: "Order must have minimum value of $10.",
    Status.OUT_OF_BAND: "Order price cannot be that far away from the reference price.",
    Status.REDUCE_ONLY: "Reduce only order would increase position.",
    Status.MARGIN: "Insufficient margin to place order.",
    Status.BAD_ALO: "Post only order would have immediately matched",
    Status.IOC_NO_MATCH: "Order could not immediately match against any resting orders.",
    Status.MAX_POSITION: "Order would exceed the maximum position size.",
    Status.OPEN_INTEREST_CAP: "Order would increase open interest while open interest is capped.",
    Status.TOO_MANY_ORDERS: "Too many open orders.",
    Status.DUPLICATE_CLOID: "An open order has this cloid already.",
    Status.BOOK_FULL: "This side of the book is full of better prices.",
    Status.TOO_MANY_AT_PRICE: "Too many open orders at this price.",
    Status.TOO_MANY_REDUCING: "Too many reduce only orders for this position.",
    Status.CROWDED: "This side of the book is crowded: only larger orders may rest.",
    Status.NOT_FOUND: "Order was never placed, already canceled, or filled.",
    Status.MODIFY_NOT_FOUND: "Cannot modify canceled or filled order",
    Status.TRIGGER: "Trigger orders are not supported.",
    Status.AGED_PRICE: "The oracle price is older than 6 seconds: only orders that reduce a position are accepted.",
    Status.JUMPING: "The oracle price jumped and awaits confirmation: only cancels are accepted.",
    Status.HOLDS_STALE: "A position without an oracle price allows only orders that reduce a position.",
    Status.LIQUIDATING: "Account is being liquidated.",
    Status.SOLVENT: "Account has its maintenance margin.",
}
"""The texts of refusals, in Hyperliquid's words, which compatible bots look for."""
