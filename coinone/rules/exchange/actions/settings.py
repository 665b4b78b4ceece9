"""Actions that change an account's settings and move no money."""

from dataclasses import dataclass, replace
from typing import Any

from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parameters import BUILDERS_PER_ACCOUNT, SCHEDULE_AHEAD_MS
from coinone.base.primitives.parse import parse_decimal
from coinone.base.primitives.types import Address
from coinone.rules.exchange.accounts.equity import equity, refresh_margins, would_be_initial_margin
from coinone.rules.exchange.accounts.open_orders import cap_builder_fee
from coinone.rules.exchange.actions.orders import BUILDER_FEE_MAX, BUILDER_FEE_UNIT
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.state.ledger import AccountSettings
from coinone.rules.exchange.trading.answers import DEFAULT
from coinone.rules.exchange.wire import contract as abi
from coinone.rules.exchange.wire import fields as f
from coinone.rules.exchange.wire.action import ActionType, Applied
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.fields import Shape
from coinone.rules.exchange.wire.segments import Item


@dataclass(frozen=True, slots=True)
class ScheduleCancel:
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class UpdateLeverage:
    asset: int
    is_cross: bool
    leverage: int


@dataclass(frozen=True, slots=True)
class Noop:
    pass


@dataclass(frozen=True, slots=True)
class SetReferrer:
    code: str


@dataclass(frozen=True, slots=True)
class ApproveBuilderFee:
    builder: Address
    max_fee_rate: int  # tenths of a basis point


@dataclass(frozen=True, slots=True)
class UsdClassTransfer:
    amount: int
    to_perp: bool


def _schedule_cancel(batch: Execution, item: Item, action: ScheduleCancel) -> None:
    """The dead man's switch: at that time all the account's orders are cancelled (scheduled/timers.py)."""
    if action.time_ms is not None and action.time_ms < batch.now + SCHEDULE_AHEAD_MS:
        batch.failed(item, "Scheduled cancel time too early, must be at least 5 seconds from now.")
        return
    number = batch.ex.number(item.account)
    if action.time_ms is None:
        batch.ledger.schedule.drop(number)
    else:
        batch.ledger.schedule.put(number, action.time_ms)
    batch.executed(item, DEFAULT)


def _update_leverage(batch: Execution, item: Item, action: UpdateLeverage) -> None:
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


def _approve_builder_fee(batch: Execution, item: Item, action: ApproveBuilderFee) -> None:
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


def _set_referrer(batch: Execution, item: Item, action: SetReferrer) -> None:
    if batch.ledger.settings_of(batch.ex.number(item.account)).referrer:
        batch.failed(item, "Referrer already set.")
        return
    _change(batch, item, referrer=action.code)
    batch.executed(item, DEFAULT)


def _nothing(batch: Execution, item: Item, action: Noop | UsdClassTransfer) -> None:
    """Do nothing: noop burns a nonce; usdClassTransfer has nothing to move, since one balance serves both classes
    (D10)."""
    batch.executed(item, DEFAULT)


def _change(batch: Execution, item: Item, **values: Any) -> None:
    number = batch.ex.number(item.account)
    settings: AccountSettings = replace(batch.ledger.settings_of(number), **values)
    batch.ledger.settings.put(number, settings)


def _read_schedule(time: int | None = None) -> ScheduleCancel:
    return ScheduleCancel(time)


def _read_class_transfer(fields: f.Fields) -> UsdClassTransfer:
    return UsdClassTransfer(f.amount(fields["amount"]), fields["toPerp"])


def _read_builder_fee(fields: f.Fields) -> ApproveBuilderFee:
    """Read the fee rate from text such as "0.01%", in tenths of a basis point: three decimals of a percent."""
    rate = fields["maxFeeRate"]
    if not rate.endswith("%"):
        raise DecodeError("builder fee: rate must end in %")
    return ApproveBuilderFee(fields["builder"], parse_decimal(rate[:-1], 3))


def _contract_builder_fee(rate: int, builder: Address) -> ApproveBuilderFee:
    """Read the fee rate as a contract writes it, in tenths of a basis point."""
    return ApproveBuilderFee(builder, rate)


SCHEDULE_CANCEL = ActionType(
    "scheduleCancel", Shape(_read_schedule, {}, time=f.integer), Applied(_schedule_cancel)
)
UPDATE_LEVERAGE = ActionType(
    "updateLeverage",
    Shape(UpdateLeverage, {"asset": f.asset, "isCross": f.boolean, "leverage": f.thousand}),
    Applied(_update_leverage, of_the_solvent=True),
)
NOOP = ActionType("noop", Shape(Noop, {}), Applied(_nothing))
SET_REFERRER = ActionType("setReferrer", Shape(SetReferrer, {"code": f.text}), Applied(_set_referrer))
APPROVE_BUILDER_FEE = ActionType(
    "approveBuilderFee",
    _read_builder_fee,
    Applied(_approve_builder_fee),
    signed=user_signed("ApproveBuilderFee"),
    contract=ContractForm(12, _contract_builder_fee, maxFeeRate=abi.UINT64, builder=abi.ADDRESS),
)
USD_CLASS_TRANSFER = ActionType(
    "usdClassTransfer",
    _read_class_transfer,
    Applied(_nothing),
    signed=user_signed("UsdClassTransfer"),
    contract=ContractForm(7, UsdClassTransfer, ntl=abi.UINT64, toPerp=abi.BOOL),
)
