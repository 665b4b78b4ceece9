"""The twin's arithmetic: checks of an order's terms, margins, and the margin cost of a trade."""

from __future__ import annotations

from bisect import bisect_right

from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS, FEE_SCALE, MarketStatus, Side
from coinone.rules.exchange.twin.book import Op, Position, TwinAccount, TwinMarket, TwinOrder

BUY, SELL = int(Side.BUY), int(Side.SELL)  # plain integers, which compare faster
_JUMPING = int(MarketStatus.JUMPING)
_REDUCE_ONLY = int(MarketStatus.REDUCE_ONLY)
_NOTHING_WRONG = int(Status.NONE)


def check_terms(markets: list[TwinMarket], op: Op) -> int:
    """The status that refuses the order for its terms alone."""
    if not 0 <= op.market < len(markets):
        return Status.BAD_MARKET
    market = markets[op.market]
    if market.status >= _JUMPING:
        return Status.JUMPING if market.status == _JUMPING else Status.HALTED
    if op.sz <= 0 or (op.sz > market.max_sz and not op.liquidation) or op.sz % market.lot:
        return Status.BAD_SIZE
    if not 0 < op.px <= market.max_px:
        return Status.BAD_PRICE
    if op.liquidation:
        return _NOTHING_WRONG
    if not is_tick(market, op.px):
        return Status.BAD_PRICE
    if not op.reduce_only and op.px * op.sz < market.min_notional:
        return Status.MIN_NOTIONAL
    if market.band_bps and abs(op.px - market.mark) * 10_000 > market.mark * market.band_bps:
        return Status.OUT_OF_BAND
    return _NOTHING_WRONG


def is_tick(market: TwinMarket, px: int) -> bool:
    """Whether the price is a multiple of the tick with few enough significant figures; whole quote prices always
    are."""
    if px % market.tick:
        return False
    return not market.sig_figs or px % market.px_unit == 0 or len(str(px).rstrip("0")) <= market.sig_figs


def maintenance_margin(market: TwinMarket, size: int) -> int:
    """The maintenance margin by the tier that the notional falls into, rounded up."""
    notional = abs(size) * market.mark
    leverage, deduction = market.tiers[bisect_right(market.bounds, notional) - 1]
    return -(-notional // (2 * leverage)) - deduction


def initial_margin(market: TwinMarket, held: Position) -> int:
    """The initial margin of the largest position that the open orders can lead to, rounded up."""
    size = held.size
    worst = max(size + held.bids, held.asks - size)  # long if all bids trade, or short if all asks do
    notional = worst * market.mark
    margin = -(-notional // (held.leverage or market.first_leverage))
    if len(market.bounds) > 1 and notional >= market.bounds[1]:
        margin = max(margin, 2 * maintenance_margin(market, worst))
    return max(
        margin,
        _with_distance(market, size + held.bids, market.below),
        _with_distance(market, held.asks - size, market.above),
    )


def _with_distance(market: TwinMarket, exposed: int, steps: int) -> int:
    """The least initial margin of a position that gains by opening so many steps beside the index."""
    if exposed <= 0 or steps == 0:
        return 0
    covered = -(-exposed * market.mark * steps // (DISTANCE_STEPS * market.max_leverage))
    return 2 * maintenance_margin(market, exposed) + covered


def sums(markets: list[TwinMarket], account: TwinAccount) -> tuple[int, int, int]:
    """Value of the positions, initial and maintenance margin, each added up from scratch."""
    pairs = list(zip(markets, account.positions, strict=True))
    return (
        sum(held.size * market.mark - unbooked_funding(market, held) for market, held in pairs),
        sum(initial_margin(market, held) for market, held in pairs),
        sum(maintenance_margin(market, held.size) for market, held in pairs),
    )


def stale_markets(markets: list[TwinMarket]) -> dict[int, TwinMarket]:
    """The markets without an oracle price, by index."""
    return {index: market for index, market in enumerate(markets) if market.status == _REDUCE_ONLY}


def holds_stale(stale: dict[int, TwinMarket], account: TwinAccount, spent: int = 0) -> bool:
    """Whether positions in markets without an oracle price are worth more than a tenth of the account's room.

    The room counts less what was `spent` of it.
    """
    value = sum(abs(account.positions[index].size) * market.mark for index, market in stale.items())
    return value > 0 and (room(account) - spent) // 10 < value


def unbooked_funding(market: TwinMarket, held: Position) -> int:
    """What the position owes of the last settled hour and has not paid in cash; rounded up, negative if it receives."""
    if not held.size or held.funding_ms == market.funding_ms:
        return 0
    a_lot = market.funding_long if held.size > 0 else market.funding_short
    return -(-abs(held.size) * a_lot // 10**9)


def reserve(order: TwinOrder, size: int) -> None:
    """Reserve `size` of an open order for the margin, unless reduce-only; a negative size is released."""
    if order.op.reduce_only:
        return
    if order.op.side == BUY:
        order.held.bids += size
    else:
        order.held.asks += size


def update(account: TwinAccount, held: Position, market: TwinMarket, maintenance: int) -> None:
    """Update the account's margins after a change of its market's mark or of one position, which now needs
    `maintenance`."""
    account.maintenance_margin += maintenance - held.maintenance_margin
    held.maintenance_margin = maintenance
    update_initial(account, held, market)


def update_initial(account: TwinAccount, held: Position, market: TwinMarket) -> None:
    """Update the margins as `update` does, where only open orders have changed."""
    initial = initial_margin(market, held)
    account.initial_margin += initial - held.initial_margin
    held.initial_margin = initial


def may_fill(order: TwinOrder, change: int, px: int, charge: int) -> bool:
    """Whether the order's owner may make this fill and pay for it, as in fill_check.py.

    Either twice the maintenance margin is left, or the fill only reduces and what stays open keeps its share of the
    equity.
    """
    owner, size = order.owner, order.held.size
    equity = worth(owner)
    after = equity_after(order, change, px, charge)
    left = margin_left(order, change)
    if after >= 2 * left:
        return after >= 0
    reduces = size * change < 0 and abs(change) <= abs(size)
    needed = owner.maintenance_margin
    return reduces and equity >= 0 and after >= 0 and needed > 0 and after * needed >= equity * left


def may_rest(order: TwinOrder) -> bool:
    """Whether its owner could make the fill of all that is left, at the order's price."""
    px, change = order.op.px, order.left if order.op.side == BUY else -order.left
    charge = fee(order.left * px, order.owner.maker_rate + order.op.builder_fee)
    return may_fill(order, change, px, max(charge, 0))


def costs_the_fund(order: TwinOrder) -> bool:
    """Whether a fill of this resting order would cost a locked owner, whose money is the fund's."""
    return order.owner.locked and (adverse(order, order.op.px, 1) > 0 or order.op.builder_fee != 0)


def equity_after(order: TwinOrder, change: int, px: int, charge: int) -> int:
    """The owner's equity after a fill of `change` lots."""
    return worth(order.owner) + change * (order.market.mark - px) - charge


def margin_left(order: TwinOrder, change: int) -> int:
    """The owner's maintenance margin after a fill of `change` lots."""
    after = maintenance_margin(order.market, order.held.size + change)
    return order.owner.maintenance_margin - order.held.maintenance_margin + after


def worth(account: TwinAccount) -> int:
    """The account's equity: cash, and positions at the mark."""
    return account.cash + account.position_value


def room(account: TwinAccount) -> int:
    """The equity above the initial margin."""
    return worth(account) - account.initial_margin


def beyond_band(market: TwinMarket, px: int) -> bool:
    """Whether the price is further from the mark than a twentieth of it, or a tenth in markets of low leverage."""
    return abs(px - market.mark) * (20 if market.max_leverage >= 20 else 10) > market.mark


def resting_need(order: TwinOrder, size: int) -> int:
    """What `size` of the order may lose against the mark and pay in fees when it trades at rest."""
    rate = order.owner.maker_rate + order.op.builder_fee
    return adverse(order, order.op.px, size) + max(fee(order.op.px * size, rate), 0)


def adverse(order: TwinOrder, px: int, size: int) -> int:
    """The loss against the mark of trading at `px`."""
    mark = order.market.mark
    worse = px - mark if order.op.side == BUY else mark - px
    return worse * size if worse > 0 else 0


def fee(notional: int, rate: int) -> int:
    """The fee, rounded up for the payer; a rebate is a negative rate."""
    return -(-notional * rate // FEE_SCALE)


def book_funding(order: TwinOrder) -> None:
    """Pay in cash what the position owes in funding, before its size changes."""
    market, owner, held = order.market, order.owner, order.held
    owed = unbooked_funding(market, held)
    if held.size and held.funding_ms != market.funding_ms:
        market.unbooked -= 1
    held.funding_ms = market.funding_ms
    owner.cash -= owed
    owner.position_value += owed
    held.funding_all += owed
    held.funding_open += owed
    held.funding_change += owed


def change_position(order: TwinOrder, change: int, px: int, charge: int, now: int) -> int:
    """Book cash and position of one side of a fill; return the profit on the part it closed."""
    held, size = order.held, abs(change)
    book_funding(order)
    before, after = held.size, held.size + change
    order.owner.cash -= change * px + charge
    order.market.open_interest += (after if after > 0 else 0) - (before if before > 0 else 0)
    order.owner.position_value += change * order.market.mark
    held.size, held.funding_change = after, 0
    reserve(order, -size)
    if after and before * after <= 0:
        held.opened_ms, held.funding_open = now, 0
    if before * change >= 0:
        held.entry_notional += size * px
        return 0
    closed = min(abs(before), size)
    cost = held.entry_notional * closed // abs(before)
    held.entry_notional += (size - closed) * px - cost
    return closed * px - cost if before > 0 else cost - closed * px


def only_smaller(order: TwinOrder, op: Op) -> bool:
    """Whether a modify changes only the size, and makes it smaller, in which case the order keeps its place."""
    old = order.op
    same = (op.px, op.side, op.tif, op.reduce_only, op.builder_fee, op.has_cloid) == (
        old.px,
        old.side,
        old.tif,
        old.reduce_only,
        old.builder_fee,
        old.has_cloid,
    )
    cloid, old_cloid = (op.cloid_hi, op.cloid_lo), (old.cloid_hi, old.cloid_lo)
    return same and (not op.has_cloid or cloid == old_cloid) and op.sz < order.left
