"""Promises as records of the batch log: what this member has signed, so that it never signs anything else."""

from typing import assert_never

from coinone.base.primitives.errors import DecodeError, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record
from coinone.protocols.sequencer.effects import PreparedBatch, Promise
from coinone.rules.ledger.certificate import Vote
from coinone.rules.ledger.term_change import ChangeVote

_KINDS = {Kind.VOTE: Vote, Kind.CHANGE: ChangeVote, Kind.PREPARED: PreparedBatch}


def record_of(promise: Promise) -> Record:
    """Encode a promise. Its seq is the open one: once that is in a block, only the vote for a term is still needed."""
    match promise:
        case Vote():
            return Record(Kind.VOTE, promise.seq, encode(promise))
        case ChangeVote():
            return Record(Kind.CHANGE, promise.seq + 1, encode(promise))
        case PreparedBatch(prepared):
            return Record(Kind.PREPARED, prepared.seq, encode(promise))
        case _:
            assert_never(promise)


def promises_in(log: BatchLog) -> list[Promise]:
    """The promises in the log, in their order."""
    return [_promise(record) for record in log.promises]


def _promise(record: Record) -> Promise:
    kind: type[Promise] = _KINDS[record.kind]
    try:
        return decode(kind, record.payload)
    except DecodeError as error:
        raise StorageError(f"batch log: damaged promise for batch {record.seq}: {error}") from error
