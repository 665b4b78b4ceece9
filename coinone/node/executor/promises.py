"""Promises as records of the batch log: what this member has signed, so that it never signs anything else."""

from typing import assert_never

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import StorageError
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record
from coinone.protocols.sequencer.effects import PreparedBatch, Promise
from coinone.protocols.sequencer.messages import parse_vote_fields, vote_fields
from coinone.rules.ledger.batch import decode_batch
from coinone.rules.ledger.certificate import Vote
from coinone.rules.ledger.term_change import (
    ChangeVote,
    change_vote_fields,
    parse_change_vote,
    parse_prepared,
    prepared_item,
)


def record_of(promise: Promise) -> Record:
    """Its seq is the one that was open: once that is in a block, only the vote for a term is still needed."""
    match promise:
        case Vote():
            return Record(Kind.VOTE, promise.seq, rlp.encode(vote_fields(promise)))
        case ChangeVote():
            return Record(Kind.CHANGE, promise.seq + 1, rlp.encode(change_vote_fields(promise)))
        case PreparedBatch(prepared, batch):
            payload = rlp.encode([prepared_item(prepared), batch.encoded])
            return Record(Kind.PREPARED, prepared.seq, payload)
        case _:
            assert_never(promise)


def promises_in(log: BatchLog) -> list[Promise]:
    """What the log says was promised, in the order in which it was."""
    return [_promise(record) for record in log.promises]


def _promise(record: Record) -> Promise:
    item = rlp.decode(record.payload)
    if record.kind is Kind.VOTE:
        return parse_vote_fields(item)
    if record.kind is Kind.CHANGE:
        return parse_change_vote(item)
    quorum, batch = rlp.decode_list(item, 2)
    prepared = parse_prepared(quorum)
    if prepared is None:
        raise StorageError(f"batch log: a prepared batch {record.seq} without its quorum")
    return PreparedBatch(prepared, decode_batch(rlp.decode_bytes(batch)))
