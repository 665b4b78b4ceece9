"""Votes as records of the batch log: what this member has signed, so that it never signs anything else."""

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.node.storage.batch_log import BatchLog
from coinone.protocols.sequencer.effects import VoteKey
from coinone.rules.consensus.federation import Vote


def encode_vote(vote: Vote) -> bytes:
    return rlp.encode([vote.kind.value, vote.term, vote.seq, vote.batch_hash, vote.results])


def votes_in(log: BatchLog) -> dict[VoteKey, tuple[Hash32, Hash32]]:
    """What the log says was signed, by (term, seq, kind)."""
    signed: dict[VoteKey, tuple[Hash32, Hash32]] = {}
    for record in log.votes:
        kind, term, seq, batch_hash, results = rlp.decode_list(rlp.decode(record.payload), 5)
        key = (rlp.decode_int(term), rlp.decode_int(seq), rlp.decode_int(kind))
        signed[key] = (rlp.decode_bytes(batch_hash, 32), rlp.decode_bytes(results, 32))
    return signed
