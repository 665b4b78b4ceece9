"""Actions that change what an account chose, and move no money."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coinone.base.primitives.parameters import BUILDERS_PER_ACCOUNT, SCHEDULE_AHEAD_MS
from coinone.rules.exchange.accounts.equity import equity, refresh_margins, would_be_initial_margin
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.accounts.open_orders import cap_builder_fee
from coinone.rules.exchange.actions.agents import approve_agent, leave_agency
from coinone.rules.exchange.actions.answers import DEFAULT
from coinone.rules.exchange.actions.trading import BUILDER_FEE_MAX, BUILDER_FEE_UNIT
from coinone.rules.exchange.actions.transfers import send
from coinone.rules.exchange.batch.execution import Batch
from coinone.rules.exchange.rows.status import ERROR_TEXT, Status
from coinone.rules.exchange.state.ledger import Settings
from coinone.rules.exchange.wire import types as wire
from coinone.rules.exchange.wire.segments import Item


def apply_account_action(batch: Batch, item: Item) -> None:
    """Segments 4 and 7: whatever brings no order."""
    if isinstance(item.action, _OF_THE_SOLVENT) and is_locked(batch.rows, item.account):
        batch.failed(item, ERROR_TEXT[Status.LIQUIDATING])
        return
    _HANDLERS[type(item.action)](batch, item, item.action)


def _schedule_cancel(batch: Batch, item: Item, action: wire.ScheduleCancel) -> None:
    """The dead man's switch: at the time, all the account's orders are cancelled (scheduled/timers.py)."""
    if action.time_ms is not None and action.time_ms < batch.now + SCHEDULE_AHEAD_MS:
        batch.failed(item, "Scheduled cancel time too early, must be at least 5 seconds from now.")
        return
    number = batch.ex.number(item.account)
    if action.time_ms is None:
        batch.ledger.schedule.drop(number)
    else:
        batch.ledger.schedule.put(number, action.time_ms)
    batch.executed(item, DEFAULT)


def _update_leverage(batch: Batch, item: Item, action: wire.UpdateLeverage) -> None:
    rows = batch.rows
    if action.asset >= rows.market_count:
        batch.failed(item, "Invalid perpetual or spot asset.")
        return
    if not action.is_cross:
        batch.failed(item, "Isolated margin is not supported, use cross.")
        return
    if not 1 <= action.leverage <= int(rows.markets[action.asset]["max_leverage"]):
        batch.failed(item, "Invalid leverage value")
        return
    wanted = would_be_initial_margin(rows, item.account, action.asset, action.leverage)
    if wanted > max(equity(rows, item.account), int(rows.accounts[item.account]["initial_margin"])):
        batch.failed(item, f"Cannot decrease leverage with open position. asset={action.asset}")
        return
    rows.journal.account(item.account)
    rows.journal.position(item.account, action.asset)
    rows.positions[item.account, action.asset]["leverage"] = action.leverage
    refresh_margins(rows, item.account, action.asset)
    batch.executed(item, DEFAULT)


def _approve_builder_fee(batch: Batch, item: Item, action: wire.ApproveBuilderFee) -> None:
    if action.max_fee_rate > BUILDER_FEE_MAX:
        batch.failed(item, "Builder fee rate is too large.")
        return
    slot = batch.rows.slot_of(action.builder)
    if slot is None:
        batch.failed(item, "Builder has no account.")
        return
    settings = batch.ledger.settings_of(batch.ex.number(item.account))
    builders = tuple(pair for pair in settings.builders if pair[0] != action.builder)
    if action.max_fee_rate:
        builders = (*builders, (action.builder, action.max_fee_rate))
    if len(builders) > BUILDERS_PER_ACCOUNT:
        batch.failed(item, "Too many approved builders.")
        return
    _change(batch, item, builders=builders)
    cap_builder_fee(batch.rows, item.account, slot, action.max_fee_rate * BUILDER_FEE_UNIT)
    number = batch.ex.number(slot)
    if not batch.ledger.settings_of(number).is_builder:
        batch.ledger.settings.put(number, replace(batch.ledger.settings_of(number), is_builder=True))
    batch.executed(item, DEFAULT)


def _set_referrer(batch: Batch, item: Item, action: wire.SetReferrer) -> None:
    if batch.ledger.settings_of(batch.ex.number(item.account)).referrer:
        batch.failed(item, "Referrer already set.")
        return
    _change(batch, item, referrer=action.code)
    batch.executed(item, DEFAULT)


def _nothing(batch: Batch, item: Item, action: wire.Noop | wire.UsdClassTransfer) -> None:
    """noop burns a nonce; usdClassTransfer has nothing to move, since one balance serves both classes (D10)."""
    batch.executed(item, DEFAULT)


def _change(batch: Batch, item: Item, **values: Any) -> None:
    number = batch.ex.number(item.account)
    settings: Settings = replace(batch.ledger.settings_of(number), **values)
    batch.ledger.settings.put(number, settings)


_OF_THE_SOLVENT = (wire.SendAsset, wire.UpdateLeverage)
"""What an account may not do while its positions are closed at others' cost (closing/debts.py)."""

_HANDLERS: dict[type, Callable[[Batch, Item, Any], None]] = {
    wire.ScheduleCancel: _schedule_cancel,
    wire.UpdateLeverage: _update_leverage,
    wire.ApproveBuilderFee: _approve_builder_fee,
    wire.SetReferrer: _set_referrer,
    wire.ApproveAgent: approve_agent,
    wire.LeaveAgency: leave_agency,
    wire.SendAsset: send,
    wire.Noop: _nothing,
    wire.UsdClassTransfer: _nothing,
}
