"""The exchange's interface to the chain: `apply_exchange` runs segments 1 to 7 of a batch, `apply_undo` undoes it.

Everything the result depends on is in the arguments. A fault inside undoes the batch before it is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Hash32
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.actions.core_writer import core_items, core_outcomes
from coinone.rules.exchange.actions.transfers import apply_deposit
from coinone.rules.exchange.actions.verify import verify_action, verify_raw
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.batch.inclusion import Included, include
from coinone.rules.exchange.batch.race import raced
from coinone.rules.exchange.closing import liquidation
from coinone.rules.exchange.closing.debts import settle_debts
from coinone.rules.exchange.context import BatchContext, ExchangeResult, Outcome
from coinone.rules.exchange.events.events import MarketUpdate
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.invariants import check_batch, conserved_sum
from coinone.rules.exchange.prices.funding import apply_funding, tell_payments
from coinone.rules.exchange.prices.mark import apply_mark_prices
from coinone.rules.exchange.prices.oracle import apply_oracle, is_fresh
from coinone.rules.exchange.prices.quotes import apply_distances, impact_quotes, weigh_quotes
from coinone.rules.exchange.rows.status import ERROR_TEXT, Status
from coinone.rules.exchange.scheduled.collection import collect
from coinone.rules.exchange.scheduled.fees import turn_fee_day, turn_fee_days
from coinone.rules.exchange.scheduled.timers import due_cancels
from coinone.rules.exchange.state.exchange import Exchange, Undo
from coinone.rules.exchange.state.leaves import touched_leaves
from coinone.rules.exchange.trading.second_try import CancelRetry
from coinone.rules.exchange.trading.segment import SegmentRun, Trading
from coinone.rules.exchange.trading.uncrossing import uncross
from coinone.rules.exchange.wire.action import Applied, Segment
from coinone.rules.exchange.wire.segments import Item, ranked
from coinone.rules.exchange.wire.types import VerifiedAction
from coinone.rules.ledger.crossings import CoreAction, Deposit, Withdrawal

__all__ = [
    "BatchContext",
    "CoreAction",
    "Deposit",
    "Exchange",
    "ExchangeConfig",
    "ExchangeResult",
    "MarketConfig",
    "Outcome",
    "Undo",
    "Withdrawal",
    "apply_exchange",
    "apply_undo",
    "conserved_sum",
    "verify_action",
    "verify_raw",
]

_DUE: tuple[Callable[[Execution], list[Item]], ...] = (due_cancels,)
"""What the rules themselves send, after prices and debts: items, each of which joins the segment of its class."""


def apply_exchange(
    ex: Exchange, ctx: BatchContext, actions: Sequence[VerifiedAction], included: Included | None = None
) -> ExchangeResult:
    """Execute a batch: segments 1 to 7 of D2, in the order given by the seed.

    `included` is the result of `include` for exactly these actions on this state, if it was computed before.
    """
    assert ctx.time_ms > ex.ledger.cursor.time_ms, "batch time rises"
    batch = Execution(ex, ctx)
    try:
        _run(batch, actions, included or include(ex, actions, batch.now, ctx.forced))
        touched = ex.rows.journal.touched_accounts()
        leaves = touched_leaves(ex, touched)
        check_batch(batch, touched)
    except BaseException:
        ex.restore(ex.seal())
        raise
    outcomes = tuple([batch.outcomes[index] for index in range(len(actions))])
    return ExchangeResult(
        outcomes=outcomes,
        events=batch.events,
        withdrawals=tuple(batch.withdrawals),
        leaves=leaves,
        undo=ex.seal(),
        digest=_digest(outcomes, leaves),
        core_outcomes=core_outcomes(batch, len(actions)),
    )


def apply_undo(ex: Exchange, undo: Undo) -> None:
    """Undo the last batch not undone yet."""
    ex.restore(undo)


def _run(batch: Execution, actions: Sequence[VerifiedAction], included: Included) -> None:
    included.judge.write()
    apply_oracle(batch)
    apply_funding(batch)
    apply_mark_prices(batch)
    settle_debts(batch)
    turn_fee_days(batch)
    fired = [item for due in _DUE for item in due(batch)]
    work = liquidation.Liquidations(batch)
    for deposit in batch.ctx.deposits:
        apply_deposit(batch, deposit)
    segments = _classed(batch, actions, included, fired)
    second = _cancels(batch, segments[Segment.CANCELS])
    for item in _in_order(batch, Segment.ACCOUNT, segments[Segment.ACCOUNT]):
        _apply(batch, item)
    post_only = _in_order(batch, Segment.POST_ONLY, segments[Segment.POST_ONLY])
    resting, rested = _orders(batch, post_only, second, post_only=True)
    quotes, next_oid = impact_quotes(batch), int(batch.rows.globals["next_oid"][0])
    apply_distances(batch, quotes)
    takers = _in_order(batch, Segment.TAKERS, segments[Segment.TAKERS])
    liquidation.serve(work)
    taking, taken = _orders(batch, takers, second)
    met = uncross(batch)
    resting.refuse(rested, met)
    resting.finish(rested)
    taking.finish(taken)
    second.run()
    second.finish()
    liquidation.settle(work)
    for item in _in_order(batch, Segment.TRANSFERS_OUT, segments[Segment.TRANSFERS_OUT]):
        _apply(batch, item)
    weigh_quotes(batch, quotes, next_oid, [taken.fills, met.fills])
    apply_distances(batch)
    collect(batch)
    batch.set_cursor(seq=batch.ctx.seq, time_ms=batch.now)
    tell_payments(batch)
    _tell_markets(batch)


def _classed(
    batch: Execution, actions: Sequence[VerifiedAction], included: Included, fired: list[Item]
) -> dict[Segment, list[Item]]:
    """The items of each segment, unordered: a segment is ranked when it begins."""
    written, items = core_items(batch, len(actions)), list(included.items)
    for index, reason in included.refused.items():
        status = "skipped" if index < batch.ctx.forced else "excluded"
        batch.outcomes[index] = Outcome(actions[index].tx_hash, status, error=reason)
    found: dict[Segment, list[Item]] = {segment: [] for segment in Segment}
    for account in dict.fromkeys(item.account for item in written + items):
        turn_fee_day(batch, account, acts=True)
    for item in fired + written + items:
        found[item.action.segment(batch.ex.config.system_address)].append(item)
    return found


def _in_order(batch: Execution, segment: Segment, items: list[Item]) -> list[Item]:
    """Order a segment's items: forced ones first, both parts ranked alike, orders by the race and all others by
    turns, after those that the rules sent."""
    forced = batch.ctx.forced
    first = [item for item in items if item.signed is not None and item.index < forced] if forced else []
    rest = [item for item in items if item.signed is None or item.index >= forced] if forced else items
    if segment in (Segment.POST_ONLY, Segment.TAKERS):
        return raced(batch, first, segment) + raced(batch, rest, segment)
    fired, sent = [item for item in rest if item.index < 0], [item for item in rest if item.index >= 0]
    return fired + ranked(first, batch.ctx.seed) + ranked(sent, batch.ctx.seed)


def _apply(batch: Execution, item: Item) -> None:
    """Apply an action of segment 4 or 7, which places no orders."""
    does = item.action.type.does
    assert isinstance(does, Applied), "orders and cancels are in their own segments"
    if does.of_the_solvent and is_locked(batch.rows, item.account):
        batch.failed(item, ERROR_TEXT[Status.LIQUIDATING])
    else:
        does.apply(batch, item, item.action.says)


def _cancels(batch: Execution, items: list[Item]) -> CancelRetry:
    """Run segment 3: scheduled cancels that are due, then the accounts' cancels."""
    trading = Trading(batch)
    for item in _in_order(batch, Segment.CANCELS, items):
        trading.add(item)
    return CancelRetry(trading, trading.run())


def _orders(
    batch: Execution, items: list[Item], second: CancelRetry, post_only: bool = False
) -> tuple[Trading, SegmentRun]:
    """Run segment 5, which is `post_only`, or 6."""
    trading = Trading(batch)
    for item in items:
        trading.add(item)
    ran = trading.run(post_only)
    second.note_placed(trading, ran)
    return trading, ran


def _tell_markets(batch: Execution) -> None:
    rows = batch.rows
    for market in rows.journal.touched_markets().tolist():
        row = rows.markets[market]
        batch.events.append(
            MarketUpdate(
                *batch.here,
                market=market,
                mark=int(row["mark"]),
                oracle=int(row["oracle"]),
                oracle_fresh=is_fresh(rows, market),
                premium=batch.ledger.memory_of(market).premium,
                funding_rate=int(row["funding_rate"]),
                open_interest=int(row["open_interest"]),
            )
        )


def _digest(outcomes: Sequence[Outcome], leaves: dict[bytes, bytes | None]) -> Hash32:
    """The digest that two nodes must agree on: each action's status and every touched leaf, in rising order of keys."""
    parts = [len(outcomes).to_bytes(8, "big")]
    parts += [outcome.tx_hash + _STATUS_BYTES[outcome.status] for outcome in outcomes]
    for key, leaf in leaves.items():
        parts += (key, len(leaf or b"").to_bytes(4, "big"), leaf or b"")
    return keccak256(b"".join(parts))


_STATUS_BYTES = {"executed": b"\x00", "failed": b"\x01", "excluded": b"\x02", "skipped": b"\x03"}
