"""Oracle jumps: a price far from the last one takes effect only when the reporters have confirmed it.

A *jump* is a step of more than oracle / (2 * max leverage), the smallest maintenance margin. It opens a window in which
nothing matches in the market and only cancels are accepted, so that makers can withdraw their quotes and a wrong price
at one venue liquidates no account. The window ends, at the latest after 6 s,

    with a second quorum, of reports made since it opened, and later than those that opened it, if its median is no
    longer a jump or is one to the same side: that median takes effect
    after 6 s with the median of whatever quorum there is
    after 6 s without a quorum: the jump is dropped, and the market is aged or stale by the age of its price

After a window that ended otherwise than by a price near the old one, the next one opens no sooner than 6 s later; a
jump before that takes effect immediately. So an attacker who controls a third of the reporters delays liquidations by 6
s per jump, and never for more than half of the time.

The second median takes effect as it is, even if it lies further away than the first. If the nearer of the two took
effect first, the further one would follow in the next batch, from the same reports: for one batch the market would
trade at a price that is known to be outdated.

A quorum is two thirds of the reporters, and they must agree: if their number is even, the two middle prices must not be
a jump apart.
"""

from collections.abc import Sequence
from dataclasses import replace

from coinone.base.primitives.integers import div_up
from coinone.base.primitives.parameters import JUMP_WINDOW_MS
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.state.ledger import MarketMemory, Reported


def taking_effect(batch: Execution, market: int, reports: Sequence[Reported]) -> int | None:
    """The oracle price that a quorum of fresh `reports` sets now; None while a jump is pending."""
    memory = batch.ledger.memory_of(market)
    row = batch.rows.markets[market]
    leverage, old = int(row["max_leverage"]), int(row["oracle"]) if int(row["oracle_ms"]) else 0
    price = middle(reports, old)
    if not memory.jump_ms:
        rests = batch.now - memory.jumped_ms < JUMP_WINDOW_MS
        if old == 0 or rests or not _is_jump(old, price, leverage):
            return price
        batch.ledger.memory.put(market, replace(memory, jump_ms=_opened(batch, reports), jump_px=price))
        return None
    again = [report for report in reports if report.time_ms > memory.jump_ms]
    over = _is_over(batch, memory)
    if is_quorum(batch, again) and agree(again, leverage):
        price = middle(again, old)
    elif not over:
        return None
    jumps = _is_jump(old, price, leverage)
    if jumps and (price > old) != (memory.jump_px > old) and not over:
        return None
    _close_window(batch, market, memory, batch.now if jumps else memory.jumped_ms)
    return price


def drop_overdue(batch: Execution, market: int) -> None:
    """End the market's jump window if its time is up and there is no quorum."""
    memory = batch.ledger.memory_of(market)
    if memory.jump_ms and _is_over(batch, memory):
        _close_window(batch, market, memory, batch.now)


def is_quorum(batch: Execution, reports: Sequence[Reported]) -> bool:
    """Whether the reports come from two thirds of the reporters, and from at least one."""
    return 3 * len(reports) >= 2 * len(batch.ex.config.reporters) > 0


def agree(reports: Sequence[Reported], leverage: int) -> bool:
    """Whether the two middle prices are less than a jump apart: half of an even number of reporters may be
    dishonest."""
    low, high = _middle_ones(reports)
    return not _is_jump(low, high, leverage)


def middle(reports: Sequence[Reported], old: int) -> int:
    """The median; of an even number the price between the two middle ones that is nearest to `old` (the lower one if
    `old` is 0, for none).

    So with two reports of three, a dishonest reporter delays the price a little and cannot move it anywhere.
    """
    low, high = _middle_ones(reports)
    return max(low, min(old, high))


def _middle_ones(reports: Sequence[Reported]) -> tuple[int, int]:
    prices = sorted(report.px for report in reports)
    return prices[(len(prices) - 1) // 2], prices[len(prices) // 2]


def _is_jump(old: int, price: int, leverage: int) -> bool:
    return abs(price - old) * 2 * leverage > old


def _opened(batch: Execution, reports: Sequence[Reported]) -> int:
    """The time after which reports count as a confirmation of the jump.

    Reports may be ahead of the batch's time, so those that opened the window must not confirm it. As many of them as a
    quorum can do without may have any time.
    """
    count = len(batch.ex.config.reporters)
    times = sorted([report.time_ms for report in reports], reverse=True)
    return max(batch.now, times[count - div_up(2 * count, 3)])


def _is_over(batch: Execution, memory: MarketMemory) -> bool:
    return batch.now - memory.jump_ms >= JUMP_WINDOW_MS


def _close_window(batch: Execution, market: int, memory: MarketMemory, jumped_ms: int) -> None:
    batch.ledger.memory.put(market, replace(memory, jump_ms=0, jump_px=0, jumped_ms=jumped_ms))
