"""The words of exchange actions under one name: what tests write as `t.Order`, `t.SendAsset`, `t.VerifiedAction`."""

from coinone.rules.exchange.actions import table
from coinone.rules.exchange.actions.agents import ApproveAgent, LeaveAgency
from coinone.rules.exchange.actions.cancel_all import CancelAllByMarket
from coinone.rules.exchange.actions.settings import (
    ApproveBuilderFee,
    Noop,
    ScheduleCancel,
    SetReferrer,
    UpdateLeverage,
    UsdClassTransfer,
)
from coinone.rules.exchange.actions.transfers import SendAsset
from coinone.rules.exchange.rows.tables import Tif
from coinone.rules.exchange.wire.action import Action
from coinone.rules.exchange.wire.operations import operations_of
from coinone.rules.exchange.wire.trades import (
    BatchModify,
    Builder,
    Cancel,
    Conditional,
    Modify,
    Operations,
    OrderRef,
    OrderSpec,
    PlaceOrders,
    Trade,
    TriggerSpec,
)
from coinone.rules.exchange.wire.types import OracleReport, VerifiedAction

Says = (
    Trade
    | CancelAllByMarket
    | ScheduleCancel
    | UpdateLeverage
    | Noop
    | SetReferrer
    | ApproveAgent
    | LeaveAgency
    | ApproveBuilderFee
    | SendAsset
    | UsdClassTransfer
)

_ROWS = {
    PlaceOrders: table.ORDER,
    CancelAllByMarket: table.CANCEL_ALL_BY_MARKET,
    ScheduleCancel: table.SCHEDULE_CANCEL,
    UpdateLeverage: table.UPDATE_LEVERAGE,
    Noop: table.NOOP,
    SetReferrer: table.SET_REFERRER,
    ApproveAgent: table.APPROVE_AGENT,
    LeaveAgency: table.LEAVE_AGENCY,
    ApproveBuilderFee: table.APPROVE_BUILDER_FEE,
    SendAsset: table.SEND_ASSET,
    UsdClassTransfer: table.USD_CLASS_TRANSFER,
}


def action_of(says: Says) -> Action:
    """The action that says so: the row by the kind of value."""
    if isinstance(says, Cancel):
        row = table.CANCEL_BY_CLOID if says.by_cloid else table.CANCEL
    elif isinstance(says, BatchModify):
        row = table.MODIFY if says.single else table.BATCH_MODIFY
    else:
        row = _ROWS[type(says)]
    return Action(row, operations_of(says) if isinstance(says, Trade) else says)


__all__ = [
    "Action",
    "ApproveAgent",
    "ApproveBuilderFee",
    "BatchModify",
    "Builder",
    "Cancel",
    "CancelAllByMarket",
    "Conditional",
    "LeaveAgency",
    "Modify",
    "Noop",
    "Operations",
    "OracleReport",
    "OrderRef",
    "OrderSpec",
    "PlaceOrders",
    "Says",
    "ScheduleCancel",
    "SendAsset",
    "SetReferrer",
    "Tif",
    "Trade",
    "TriggerSpec",
    "UpdateLeverage",
    "UsdClassTransfer",
    "VerifiedAction",
    "action_of",
    "operations_of",
]
