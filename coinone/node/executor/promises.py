"""What a member writes, as records of the batch log: its promises, so that it never signs anything else, and certified
batches."""

from typing import assert_never

from coinone.base.primitives.errors import DecodeError, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record
from coinone.protocols.member.effects import Written
from coinone.protocols.sequencer.effects import PreparedBatch, Promise
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import Vote
from coinone.rules.ledger.term_change import ChangeVote

_KINDS = {Kind.VOTE: Vote, Kind.CHANGE: ChangeVote, Kind.PREPARED: PreparedBatch}


def record_of(written: Written) -> Record:
    """Encode a promise or certified batch. A promise's seq is the open one: once that is in a block, only the vote for
    a term is still needed."""
    match written:
        case Vote():
            return Record(Kind.VOTE, written.seq, encode(written))
        case ChangeVote():
            return Record(Kind.CHANGE, written.seq + 1, encode(written))
        case PreparedBatch(prepared):
            return Record(Kind.PREPARED, prepared.seq, encode(written))
        case CertifiedBatch(batch):
            return Record(Kind.BATCH, batch.seq, encode(written))
        case _:
            assert_never(written)


def promises_in(log: BatchLog) -> list[Promise]:
    """The promises in the log, in their order."""
    return [_promise(record) for record in log.promises]


def _promise(record: Record) -> Promise:
    kind: type[Promise] = _KINDS[record.kind]
    try:
        return decode(kind, record.payload)
    except DecodeError as error:
        raise StorageError(f"batch log: damaged promise for batch {record.seq}: {error}") from error
