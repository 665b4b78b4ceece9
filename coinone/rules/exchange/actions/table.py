"""The table of actions: one row for each action that can be signed, or written by a contract, and no others.

The columns of a row: wire/action.py. Readers of bytes look an action up by its name (decode.py), those of contracts by
its number (core_writer.py); after that an action carries its row.
"""

from coinone.rules.exchange.actions.agents import APPROVE_AGENT, LEAVE_AGENCY
from coinone.rules.exchange.actions.cancel_all import CANCEL_ALL_BY_MARKET
from coinone.rules.exchange.actions.cancels import CANCEL, CANCEL_BY_CLOID
from coinone.rules.exchange.actions.orders import BATCH_MODIFY, MODIFY, ORDER
from coinone.rules.exchange.actions.settings import (
    APPROVE_BUILDER_FEE,
    NOOP,
    SCHEDULE_CANCEL,
    SET_REFERRER,
    UPDATE_LEVERAGE,
    USD_CLASS_TRANSFER,
)
from coinone.rules.exchange.actions.transfers import SEND_ASSET, SPOT_SEND, USD_SEND
from coinone.rules.exchange.wire.action import ActionType

ACTIONS: tuple[ActionType, ...] = (
    ORDER,
    CANCEL,
    CANCEL_BY_CLOID,
    CANCEL_ALL_BY_MARKET,
    MODIFY,
    BATCH_MODIFY,
    SCHEDULE_CANCEL,
    UPDATE_LEVERAGE,
    NOOP,
    SET_REFERRER,
    USD_SEND,
    SPOT_SEND,
    SEND_ASSET,
    USD_CLASS_TRANSFER,
    APPROVE_AGENT,
    LEAVE_AGENCY,
    APPROVE_BUILDER_FEE,
)

L1_ACTIONS = {row.name: row for row in ACTIONS if row.signed is None}
USER_ACTIONS = {row.signed.name: row for row in ACTIONS if row.signed is not None}
"""Actions by the name of their EIP-712 type."""
CONTRACT_ACTIONS = {row.contract.id: row for row in ACTIONS if row.contract is not None}
