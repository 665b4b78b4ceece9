"""Scheduled cancels that are due: the account's orders are cancelled in the batch's cancel segment.

A batch examines only accounts whose time has come (timetable.py), and fires a bounded number, so that it stays short if
many chose the same time: the rest fires in the next batches, the earliest first. Accounts with many orders do not delay
those with few: when enough orders are cancelled, the latter still fire, and the former keep their place.
"""

from dataclasses import replace

from coinone.base.primitives.parameters import (
    CANCELLED_WHOLE_PER_BATCH,
    CANCELS_DUE_SEEN_PER_BATCH,
    CANCELS_FIRED_PER_BATCH,
    CANCELS_FIRED_PER_DAY,
    FIRED_WITH_FEW,
)
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.scheduled.fees import DAY_MS
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.segment import Trading
from coinone.rules.exchange.wire.action import Segment, traded_by_rule
from coinone.rules.exchange.wire.segments import Item, system_item


def due_cancels(batch: Execution) -> list[Item]:
    """The cancels of all orders of the accounts whose time has come, by time and account number."""
    schedule, rows = batch.ledger.schedule, batch.rows
    fired: list[Item] = []
    orders = 0
    for number in schedule.due(batch.now, CANCELS_DUE_SEEN_PER_BATCH):
        if len(fired) == CANCELS_FIRED_PER_BATCH:
            break
        slot = rows.slot_by_number[number]
        count = open_orders.count(batch.ex, slot)
        if orders >= CANCELLED_WHOLE_PER_BATCH and count > FIRED_WITH_FEW:
            continue
        schedule.drop(number)
        if _counted(batch, number):
            fired.append(system_item(slot, rows.address_of(slot), _CANCEL_ALL))
            orders += count
    return fired


def _cancel_all(trading: Trading, item: Item, says: None) -> None:
    trading.sweep(item, Status.SCHEDULED_CANCEL, trading.open_cancels(item.account))


_CANCEL_ALL = traded_by_rule(_cancel_all, Segment.CANCELS)


def _counted(batch: Execution, number: int) -> bool:
    """Count a firing against the day's allowance; return whether it was allowed."""
    settings, today = batch.ledger.settings_of(number), batch.now // DAY_MS
    day, fired = settings.cancels_fired
    fired = fired if day == today else 0
    allowed = fired < CANCELS_FIRED_PER_DAY
    counted = (today, fired + 1 if allowed else fired)
    batch.ledger.settings.put(number, replace(settings, cancels_fired=counted))
    return allowed
