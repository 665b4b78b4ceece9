"""scheduleCancel coming due: the account's orders are cancelled in the batch's cancel segment."""

from dataclasses import replace

from coinone.base.primitives.limits import CANCELS_FIRED_PER_DAY
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.fees import DAY_MS


def due_cancels(batch: Batch) -> list[int]:
    """Slots whose scheduled cancel fires now, by account number; each firing counts against the day's allowance."""
    today = batch.now // DAY_MS
    due = sorted(number for number, time_ms in batch.ledger.schedule.items() if time_ms <= batch.now)
    slots = []
    for number in due:
        batch.ledger.schedule.drop(number)
        settings = batch.ledger.settings_of(number)
        day, fired = settings.cancels_fired
        fired = fired if day == today else 0
        allowed = fired < CANCELS_FIRED_PER_DAY
        counted = (today, fired + 1 if allowed else fired)
        batch.ledger.settings.put(number, replace(settings, cancels_fired=counted))
        if allowed:
            slots.append(batch.rows.slot_by_number[number])
    return slots
