"""The exchange's state as rows in arrays: one typed table for each kind of object (D4).

Units: a price is an integer in 10^-(6 - sz_decimals) quote, a size an integer in 10^-sz_decimals base, so that price x
size is money in u = 10^-6 quote, exactly (Hyperliquid's tick rule). Every stored value is a signed 64-bit integer or
smaller; a market's `max_px * max_sz <= POSITION_NOTIONAL_MAX` keeps every product in range without a check.

Rows refer to one another by *slot* (the place in the array), which is private to this process: no rule depends on it.
An account is identified by its `number`; a market, by its index (the asset number of the wire); an order, by its `oid`,
which also is its time priority. A slot is free when its `number` or `oid` is 0: both count from 1.

`epoch` in a row is the journal epoch in which it was last copied (journal.py). Fields under "running" are pure
functions of the others and of the marks (accounts/equity.py): they are kept up to date, never part of a leaf, and
rebuilt after an undo. Fields under "index" refer to other rows; they are private like slots, and rebuilt too.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FEE_SCALE = 10**7
"""Fee rates are integers in 10^-7 of the notional: 4.5 basis points = 4,500."""


class Side(IntEnum):
    BUY = 0
    SELL = 1


class Tif(IntEnum):
    """Time in force: rest what is left, cancel what is left, or only rest."""

    GTC = 0
    IOC = 1
    ALO = 2


TIF_NAMES = ("Gtc", "Ioc", "Alo")
"""Times in force as they are signed and shown, by number."""


class OpKind(IntEnum):
    PLACE = 0
    CANCEL = 1
    CANCEL_CLOID = 2
    MODIFY = 3
    MODIFY_CLOID = 4
    TRIM = 5  # system: trim reduce-only orders to a position that shrank outside the kernel
    MEET = 6  # system: resting orders of a market that cross each other trade (kernel/passing.py)


class MarketStatus(IntEnum):
    """What a market's oracle price allows (prices/oracle.py); each state allows less than the one before.

    AGED: takers and new orders may only reduce, resting orders may trade. REDUCE_ONLY: every fill reduces both sides.
    JUMPING, HALTED and DELISTED: only cancels.
    """

    ACTIVE = 0
    AGED = 1
    REDUCE_ONLY = 2
    JUMPING = 3
    HALTED = 4
    DELISTED = 5


LIMIT_WHOLE = 2_000  # of MARKET.limit_share
DISTANCE_STEPS = 16  # of MARKET.below and above, in mark / max leverage
ACCOUNT_LOCKED = 1
"""Bit of ACCOUNT.flags: the account's debt was settled by others.

Until its positions are closed it may do nothing but cancel (closing/debts.py).
"""

STALE_PART = (
    10  # this multiple of an account's value in markets without an oracle price must be free, to trade on
)
BAND_DIVISOR = 20
"""No fill is further from the mark than this part of it, in markets whose leverage reaches BAND_LEVERAGE."""

BAND_DIVISOR_LOW_LEVERAGE = 10
BAND_LEVERAGE = 20

_LINE = 64

_i8, _i4, _i2, _i1 = np.int64, np.int32, np.int16, np.int8


def _table(*fields: tuple[str, type], size: int = 0) -> np.dtype[np.void]:
    """A row type of these fields, aligned; of `size` bytes if given."""
    dtype = np.dtype(list(fields), align=True)
    if not size:
        return dtype
    assert dtype.itemsize <= size, "the fields are longer than the row"
    offsets = [dtype.fields[name][1] for name in dtype.names or () if dtype.fields]
    names, formats = zip(*fields, strict=True)
    form: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    row: np.dtype[np.void] = np.dtype(form, align=True)
    return row


def zeros(shape: int | tuple[int, ...], dtype: np.dtype[np.void]) -> Array:
    """Rows of zeros that begin at a cache line (64 bytes), so that a row of two lines never spans three."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    size = count * dtype.itemsize
    memory = np.zeros(size + _LINE, np.uint8)
    first = -memory.ctypes.data % _LINE
    return memory[first : first + size].view(dtype).reshape(shape)


def copied(rows: Array) -> Array:
    """A copy of contiguous rows as plain bytes: NumPy itself copies field by field, ten times slower."""
    return np.frombuffer(bytearray(rows.view(np.uint8)), rows.dtype)


# ACCOUNT and POSITION have two cache lines each; what placing and cancelling orders reads is in the first.

ACCOUNT = _table(
    ("number", _i8),
    ("epoch", _i8),
    ("cash", _i8),  # raw quote: a buy subtracts px * sz, a sale adds it; equity = cash + position_value
    ("position_value", _i8),  # running: sum of size * mark, less funding not yet in `cash`
    ("initial_margin", _i8),  # running: sum over markets, open orders included
    ("maintenance_margin", _i8),  # running: sum over markets, positions only
    ("taker_rate", _i4),  # in 1 / FEE_SCALE
    ("maker_rate", _i4),  # negative: a rebate
    ("order_count", _i4),
    ("flags", _i4),
    ("taker_volume", _i8),  # lifetime, in u; fee tiers are taken from differences
    ("maker_volume", _i8),
    ("credits_used", _i8),  # actions counted against the allowance (D5)
    ("fees_paid", _i8),  # lifetime, in u, to the exchange: they bring action credits
    ("refilled", _i8),  # action credits that equity brought
    ("looked_ms", _i8),  # when it last acted or was credited; negative: with little equity (credits.py)
    ("liquidated_ms", _i8),  # time of the last partial liquidation: the cool-down
    ("created_ms", _i8),
)

POSITION = _table(
    ("size", _i8),  # signed
    ("bid_size", _i8),  # open buy orders that are not reduce-only
    ("ask_size", _i8),
    ("initial_margin", _i8),  # running
    ("maintenance_margin", _i8),  # running
    ("epoch", _i4),
    ("leverage", _i2),  # 0: never chosen, the market's `first_leverage`
    ("place", _i4),  # index: 1 + place among the market's holders, 0: none (margin/holders.py)
    ("first_bid", _i4),  # index: 1 + slot of the newest resting buy and sell order, 0: none (own_orders.py)
    ("first_ask", _i4),
    ("first_reduce", _i4),  # the same of the reduce-only ones, the worst-priced first
    ("reduce_size", _i8),  # index: the sum of their sizes
    ("entry_notional", _i8),  # what |size| cost, average-cost method; for information, not money
    ("opened_ms", _i8),
    ("funding_all", _i8),  # funding paid ever, since opening, since the last change
    ("funding_open", _i8),
    ("funding_change", _i8),
    ("funding_ms", _i8),  # the turn of the hour up to which funding is booked (margin/funding.py)
    size=2 * _LINE,
)

POSITION_INDEXES = ("place", "first_bid", "first_ask", "first_reduce", "reduce_size")

ORDER = _table(
    ("oid", _i8),
    ("epoch", _i8),
    ("px", _i8),
    ("sz", _i8),  # what is left
    ("orig_sz", _i8),
    ("cloid_hi", _i8),  # the 16 bytes of the client's id as two big-endian signed halves
    ("cloid_lo", _i8),
    ("time_ms", _i8),
    ("account", _i4),
    ("builder", _i4),  # account slot, -1 for none
    ("builder_fee", _i4),  # in 1 / FEE_SCALE
    ("market", _i4),
    ("side", _i1),
    ("tif", _i1),
    ("reduce_only", _i1),
    ("has_cloid", _i1),
)

MARKET = _table(
    ("epoch", _i8),
    ("mark", _i8),
    ("oracle", _i8),
    ("oracle_ms", _i8),
    ("funding_rate", _i8),  # hourly, in 10^-9
    ("funding_ms", _i8),  # the turn of the hour last settled
    ("funding_long", _i8),  # what a lot paid then, in 10^-9 u; negative: received
    ("funding_short", _i8),
    ("unbooked", _i8),  # positions whose funding of that hour is not yet in their account's cash
    ("open_interest", _i8),  # sum of long sizes
    ("last_px", _i8),  # last trade
    ("last_ms", _i8),
    ("volume", _i8),  # lifetime, in u and in lots
    ("base_volume", _i8),
    ("max_px", _i8),  # parameters from here
    ("max_sz", _i8),  # of an order, and of a position with its open orders
    ("max_open_interest", _i8),  # 0: no cap
    ("min_notional", _i8),
    ("tick", _i8),
    ("lot", _i8),
    ("px_unit", _i8),  # 10^(6 - sz_decimals): one whole quote unit; whole prices need no significant figures
    ("band_bps", _i4),  # maximum distance of a price from the mark, 0: no band
    ("sig_figs", _i4),  # 5, or 0: any number
    ("sz_decimals", _i4),
    ("max_leverage", _i4),
    ("first_leverage", _i4),  # of accounts that have chosen none
    ("status", _i4),
    ("order_count", _i4),
    ("tier_count", _i4),
    ("limit_share", _i4),  # applied share of a liquidation order's limit, in 1 / LIMIT_WHOLE (oracle.py)
    ("below", _i4),  # running: steps that the market stands below and above its index (state/distance.py)
    ("above", _i4),
)

TIER = _table(
    ("lower", _i8),  # notional from which the tier applies, in u
    ("deduction", _i8),
    ("max_leverage", _i8),
)

GLOBALS = _table(
    ("epoch", _i8),
    ("next_account", _i8),
    ("next_oid", _i8),
    ("next_tid", _i8),
    ("insurance", _i8),
    ("fees", _i8),
    ("funding_clearing", _i8),
    ("unclaimed", _i8),
)

OP = _table(
    ("px", _i8),
    ("sz", _i8),
    ("cloid_hi", _i8),
    ("cloid_lo", _i8),
    ("oid", _i8),  # target of CANCEL and MODIFY
    ("target_hi", _i8),  # target of CANCEL_CLOID and MODIFY_CLOID
    ("target_lo", _i8),
    ("middle", _i8),  # of a MEET: twice the price that decides which side takes
    ("account", _i4),
    ("builder", _i4),  # account slot; read only where builder_fee > 0
    ("builder_fee", _i4),
    ("liquidation_fee", _i4),  # in 1 / FEE_SCALE, to insurance, instead of the taker fee, if liquidation
    ("market", _i4),
    ("reason", _i4),  # Status a CANCEL reports; 0: CANCELED
    ("kind", _i1),
    ("side", _i1),
    ("tif", _i1),
    ("reduce_only", _i1),
    ("has_cloid", _i1),
    ("liquidation", _i1),  # no margin check on entry
    ("passes", _i1),  # a post-only order that may rest over what it crosses (kernel/crossing.py)
)

RESULT = _table(
    ("oid", _i8),
    ("filled_sz", _i8),
    ("filled_notional", _i8),
    ("resting_sz", _i8),
    ("bid", _i8),  # best prices that refused an ALO (0: none)
    ("ask", _i8),
    ("status", _i4),
)

FILL = _table(
    ("tid", _i8),
    ("px", _i8),
    ("sz", _i8),
    ("taker_oid", _i8),
    ("maker_oid", _i8),
    ("taker_start", _i8),  # positions before the fill
    ("maker_start", _i8),
    ("taker_fee", _i8),  # without the builder's
    ("maker_fee", _i8),
    ("taker_builder_fee", _i8),
    ("maker_builder_fee", _i8),
    ("taker_pnl", _i8),  # closed profit, fees not subtracted
    ("maker_pnl", _i8),
    ("taker_cloid_hi", _i8),
    ("taker_cloid_lo", _i8),
    ("maker_cloid_hi", _i8),
    ("maker_cloid_lo", _i8),
    ("op", _i4),
    ("market", _i4),
    ("taker", _i4),  # account slots
    ("maker", _i4),
    ("side", _i1),  # of the taker
    ("liquidation", _i1),
    ("taker_has_cloid", _i1),
    ("maker_has_cloid", _i1),
)

UPDATE = _table(
    ("oid", _i8),
    ("px", _i8),
    ("sz", _i8),  # left
    ("orig_sz", _i8),
    ("cloid_hi", _i8),
    ("cloid_lo", _i8),
    ("time_ms", _i8),  # when the order was placed
    ("op", _i4),
    ("account", _i4),
    ("market", _i4),
    ("status", _i4),
    ("side", _i1),
    ("tif", _i1),
    ("reduce_only", _i1),
    ("has_cloid", _i1),
)
