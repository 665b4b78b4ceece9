"""From the records of a block's batches to its transactions, receipts, and their roots.

A block lists the Ethereum transactions and system calls of its batches, in the order they ran. Exchange actions are not
among them, so that an Ethereum client can recompute both roots from what it receives; the header commits to the actions
through the hash of the last batch.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from coinone.base.primitives.types import Hash32
from coinone.rules.ledger.header import BLOOM_SIZE
from coinone.rules.ledger.receipts import Receipt, receipt_steps
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.rebuild import ordered_root_steps
from coinone.rules.state.steps import finished

ROWS_PER_STEP = 2_048  # numbered between two yields
PLACED_PER_STEP = 256  # receipts and logs encoded between two yields: about 5 ms


@dataclass(frozen=True, slots=True)
class PlacedRecord:
    """A record with its place in its block."""

    record: TransactionRecord
    index: int
    cumulative_gas: int
    first_log_index: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A block's transactions with the fields of the header that depend on them."""

    rows: tuple[PlacedRecord, ...]
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes
    gas_used: int


def place(records: Iterable[TransactionRecord]) -> Placed:
    """Number the records of a block and compute their roots."""
    return finished(place_steps(records))


def place_steps(records: Iterable[TransactionRecord]) -> Generator[None, None, Placed]:
    """Compute `place` in short steps."""
    rows = yield from _row_steps(records)
    receipts: list[bytes] = []
    bits = since = 0
    for row in rows:
        encoded, its_bits = yield from receipt_steps(receipt_of(row))
        receipts.append(encoded)
        bits |= its_bits
        since += 1 + len(row.record.logs)
        if since >= PLACED_PER_STEP:
            since = 0
            yield
    transactions_root = yield from ordered_root_steps([row.record.raw for row in rows])
    return Placed(
        rows=rows,
        transactions_root=transactions_root,
        receipts_root=(yield from ordered_root_steps(receipts)),
        bloom=bits.to_bytes(BLOOM_SIZE, "big"),
        gas_used=rows[-1].cumulative_gas if rows else 0,
    )


def place_rows(records: Iterable[TransactionRecord]) -> tuple[PlacedRecord, ...]:
    return finished(_row_steps(records))


def _row_steps(records: Iterable[TransactionRecord]) -> Generator[None, None, tuple[PlacedRecord, ...]]:
    rows: list[PlacedRecord] = []
    gas = logs = 0
    for index, record in enumerate(records):
        if index % ROWS_PER_STEP == ROWS_PER_STEP - 1:
            yield
        gas += record.gas_used
        rows.append(PlacedRecord(record, index, gas, logs))
        logs += len(record.logs)
    return tuple(rows)


def receipt_of(row: PlacedRecord) -> Receipt:
    record = row.record
    return Receipt(record.type, record.succeeded, row.cumulative_gas, record.logs, record.post_state)
