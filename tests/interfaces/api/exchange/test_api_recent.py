"""Memory of the newest batches is bounded, and old answers release their segment's rows."""

import gc
import weakref

import pytest

from coinone.interfaces.api import recent
from coinone.interfaces.api.recent import RecentOutcomes
from coinone.node.views.published import Published
from coinone.rules.exchange.context import Outcome
from coinone.rules.ledger.records import TransactionRecord


class Rows:
    """A segment's; what an answer is made of."""

    def __call__(self) -> dict[str, str]:
        return {"type": "default"}


def published(seq: int, *outcomes: Outcome) -> Published:
    return Published(seq, 0, None, outcomes=outcomes)  # type: ignore[arg-type]


def test_an_old_action_is_known_by_how_it_ended_and_its_rows_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recent, "RECENT_ANSWERS_MAX", 2)
    memory, rows = RecentOutcomes(), Rows()
    gone = weakref.ref(rows)
    memory.take(published(1, Outcome(b"\x01" * 32, "executed", rows)))
    del rows
    for seq in (2, 3):
        memory.take(published(seq, Outcome(bytes([seq]) * 32, "executed", Rows())))
    gc.collect()
    assert gone() is None
    old, new = memory.get(b"\x01" * 32), memory.get(b"\x03" * 32)
    assert old is not None and old.outcome is not None and new is not None and new.outcome is not None
    assert (old.seq, old.outcome.status, old.outcome.response) == (1, "executed", None)
    assert new.outcome.response == {"type": "default"}


def test_of_a_contracts_run_only_the_batch_is_remembered() -> None:
    """A transaction may have 44,000 logs, 4 MB of memory; 50,000 transactions are remembered."""
    memory, tx_hash = RecentOutcomes(), b"\x05" * 32
    record = TransactionRecord(b"\xc0", tx_hash, 0, bytes(20), None, False, True, 1, 1, None, ())
    gone = weakref.ref(record)
    memory.take(Published(4, 0, None, records=(record,)))  # type: ignore[arg-type]
    del record
    gc.collect()
    seen = memory.get(tx_hash)
    assert seen is not None and seen.seq == 4 and gone() is None
