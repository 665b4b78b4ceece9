"""From the records of a block's batches to its transactions, receipts, and their roots.

A block lists the Ethereum transactions and system calls of its batches, in the order they ran. Exchange
actions are not among them, so that an Ethereum client can recompute both roots from what it is shown; the
header commits to the actions through the hash of the last batch.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from coinone.base.primitives.types import Hash32
from coinone.rules.chain.ethereum.receipts import Receipt, bloom, encode_receipt
from coinone.rules.chain.records import TransactionRecord
from coinone.rules.state.rebuild import ordered_root_steps
from coinone.rules.state.steps import finished

PLACED_PER_STEP = 256  # receipts encoded between two pauses: about 5 ms


@dataclass(frozen=True, slots=True)
class PlacedRecord:
    """A record with its place in its block."""

    record: TransactionRecord
    index: int
    cumulative_gas: int
    first_log_index: int


@dataclass(frozen=True, slots=True)
class Placed:
    """All that a header says about a block's transactions."""

    rows: tuple[PlacedRecord, ...]
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes
    gas_used: int


def place(records: Iterable[TransactionRecord]) -> Placed:
    """Number the records of a block and sum them up."""
    return finished(place_steps(records))


def place_steps(records: Iterable[TransactionRecord]) -> Generator[None, None, Placed]:
    """The same in short steps."""
    rows = place_rows(records)
    receipts: list[bytes] = []
    for start in range(0, len(rows), PLACED_PER_STEP):
        receipts += [encode_receipt(receipt_of(row)) for row in rows[start : start + PLACED_PER_STEP]]
        yield
    transactions_root = yield from ordered_root_steps([row.record.raw for row in rows])
    return Placed(
        rows=rows,
        transactions_root=transactions_root,
        receipts_root=(yield from ordered_root_steps(receipts)),
        bloom=bloom(log for row in rows for log in row.record.logs),
        gas_used=rows[-1].cumulative_gas if rows else 0,
    )


def place_rows(records: Iterable[TransactionRecord]) -> tuple[PlacedRecord, ...]:
    rows: list[PlacedRecord] = []
    gas = logs = 0
    for index, record in enumerate(records):
        gas += record.gas_used
        rows.append(PlacedRecord(record, index, gas, logs))
        logs += len(record.logs)
    return tuple(rows)


def receipt_of(row: PlacedRecord) -> Receipt:
    record = row.record
    return Receipt(record.type, record.succeeded, row.cumulative_gas, record.logs, record.post_state)
