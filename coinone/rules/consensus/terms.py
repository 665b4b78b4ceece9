"""Terms: who leads, from which batch on, and with which chain of seeds (D1, D2).

A change of term rests on a quorum of members' *change votes*. Each says how far its signer's certified chain
goes and which batches it saw a quorum of prepares for, so that the new leader must propose those again and
nothing certified is lost; its signer votes no more in older terms. The new leader adds the tip of its seed
chain and signs the whole. A change travels in the first batch of its term. Term 0 begins in genesis without
one.
"""

from dataclasses import dataclass
from itertools import pairwise

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidBatch, InvalidSignature
from coinone.base.primitives.limits import FEDERATION_MEMBERS_MAX, PREPARED_QUORUMS_MAX
from coinone.base.primitives.types import Hash32
from coinone.rules.consensus.federation import Federation, check_member, pack_signature


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that its signer saw a quorum of prepares for, in the highest term it saw one."""

    term: int
    seq: int
    batch_hash: Hash32


@dataclass(frozen=True, slots=True)
class ChangeVote:
    """`seq` and `batch_hash` name the last certified batch that the signer has."""

    term: int
    seq: int
    batch_hash: Hash32
    prepared: tuple[Prepared, ...]

    def content(self, chain_id: int) -> Hash32:
        return keccak256(b"coinone-change" + rlp.encode([chain_id, *_vote_fields(self)]))


@dataclass(frozen=True, slots=True)
class TermChange:
    """The beginning of `term` at batch `first_seq`, the one after `parent_hash`."""

    term: int
    first_seq: int
    parent_hash: Hash32
    seed_tip: Hash32
    seed_length: int
    votes: tuple[tuple[int, ChangeVote, bytes], ...]  # (member, vote, signature), members rising
    leader_signature: bytes

    def content(self, chain_id: int) -> Hash32:
        """What the new leader signs: the term, and the votes it rests on."""
        head: list[rlp.Encodable] = [chain_id, self.term, self.first_seq, self.parent_hash]
        tail: list[rlp.Encodable] = [self.seed_tip, self.seed_length, _votes_item(self.votes)]
        return keccak256(b"coinone-term" + rlp.encode(head + tail))


@dataclass(frozen=True, slots=True)
class Term:
    """The term that runs, as state: the next seed must reveal `seed`, and `seeds_left` remain."""

    number: int
    first_seq: int
    seed: Hash32
    seeds_left: int


def sign_change_vote(vote: ChangeVote, chain_id: int, key: bytes) -> bytes:
    return pack_signature(sign(vote.content(chain_id), key))


def sign_term_change(change: TermChange, chain_id: int, key: bytes) -> TermChange:
    """The change with its leader's signature put in."""
    signature = pack_signature(sign(change.content(chain_id), key))
    return TermChange(
        change.term, change.first_seq, change.parent_hash, change.seed_tip, change.seed_length, change.votes,
        signature,
    )  # fmt: skip


def check_term_change(
    change: TermChange, chain_id: int, federation: Federation, current: Term, parent: tuple[int, Hash32]
) -> None:
    """Raise InvalidBatch unless `change` lawfully ends `current` after the batch `parent` (seq, hash)."""
    if change.term <= current.number:
        raise InvalidBatch("term does not rise", want=current.number + 1, have=change.term)
    if (change.first_seq, change.parent_hash) != (parent[0] + 1, parent[1]):
        raise InvalidBatch("term begins after another batch", want=parent[0] + 1, have=change.first_seq)
    if change.seed_length < 1:
        raise InvalidBatch("term without seeds")
    members = [member for member, _, _ in change.votes]
    if any(left >= right for left, right in pairwise(members)):
        raise InvalidBatch("term change: members not rising")
    if len(members) < federation.quorum:
        raise InvalidBatch("term change: no quorum", want=federation.quorum, have=len(members))
    _check_signatures(change, chain_id, federation)


def _check_signatures(change: TermChange, chain_id: int, federation: Federation) -> None:
    try:
        for member, vote, signature in change.votes:
            if vote.term != change.term:
                raise InvalidBatch("term change: vote for another term", member=member)
            if vote.seq >= change.first_seq:
                raise InvalidBatch("term change: leaves out a certified batch", member=member, seq=vote.seq)
            check_member(federation, member, vote.content(chain_id), signature)
        leader = federation.leader(change.term)
        check_member(federation, leader, change.content(chain_id), change.leader_signature)
    except InvalidSignature as error:
        raise InvalidBatch("term change: bad signature") from error


def term_item(change: TermChange | None) -> rlp.Encodable:
    """The RLP item of a change; none is an empty string."""
    if change is None:
        return b""
    head: list[rlp.Encodable] = [change.term, change.first_seq, change.parent_hash, change.seed_tip]
    return [*head, change.seed_length, _votes_item(change.votes), change.leader_signature]


def parse_term_item(item: rlp.Item) -> TermChange | None:
    """Raises DecodeError."""
    if item == b"":
        return None
    term, first_seq, parent, tip, length, votes, signature = rlp.decode_list(item, 7)
    rows = rlp.decode_list(votes)
    if len(rows) > FEDERATION_MEMBERS_MAX:
        raise DecodeError("term change: too many votes", have=len(rows))
    return TermChange(
        rlp.decode_int(term, 8),
        rlp.decode_int(first_seq, 8),
        rlp.decode_bytes(parent, 32),
        rlp.decode_bytes(tip, 32),
        rlp.decode_int(length, 4),
        tuple(_parse_vote(row) for row in rows),
        rlp.decode_bytes(signature, 65),
    )


def _votes_item(votes: tuple[tuple[int, ChangeVote, bytes], ...]) -> list[rlp.Encodable]:
    return [[member, _vote_fields(vote), signature] for member, vote, signature in votes]


def _vote_fields(vote: ChangeVote) -> list[rlp.Encodable]:
    prepared: list[rlp.Encodable] = [[row.term, row.seq, row.batch_hash] for row in vote.prepared]
    return [vote.term, vote.seq, vote.batch_hash, prepared]


def _parse_vote(row: rlp.Item) -> tuple[int, ChangeVote, bytes]:
    member, fields, signature = rlp.decode_list(row, 3)
    term, seq, batch_hash, prepared = rlp.decode_list(fields, 4)
    quorums = rlp.decode_list(prepared)
    if len(quorums) > PREPARED_QUORUMS_MAX:
        raise DecodeError("term change: too many prepared batches", have=len(quorums))
    vote = ChangeVote(
        rlp.decode_int(term, 8),
        rlp.decode_int(seq, 8),
        rlp.decode_bytes(batch_hash, 32),
        tuple(_parse_prepared(quorum) for quorum in quorums),
    )
    return rlp.decode_int(member, 2), vote, rlp.decode_bytes(signature, 65)


def _parse_prepared(row: rlp.Item) -> Prepared:
    term, seq, batch_hash = rlp.decode_list(row, 3)
    return Prepared(rlp.decode_int(term, 8), rlp.decode_int(seq, 8), rlp.decode_bytes(batch_hash, 32))
