"""A member of the federation making batches: events in, effects out.

Theory of operation. One seq is open at a time. The leader of the term proposes a batch for it; a member that
finds the head lawful votes prepare. On a quorum of prepares everybody executes the batch, and votes commit
with the digest of the results. On a quorum of equal commits the batch is certified and the next seq opens.

    propose / Proposal --> prepare --quorum--> Execute --executed--> commit --quorum--> Certified

Rule 1: this file knows no clock, no disk, no network: time comes in with each event, and what must happen
goes out as effects. Rule 2: a member signs one content per (term, seq, kind); a second one is refused even
after a restart, for which the votes on disk are handed to the constructor. Rule 3: own votes are counted by
the same code as others', so a federation of one needs no path of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidBatch, InvalidSignature
from coinone.base.primitives.limits import BATCH_TIME_AHEAD_MS_MAX
from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.effects import (
    Certified,
    Effect,
    Execute,
    Persist,
    Proposal,
    Send,
    VoteKey,
    vote_content,
    vote_key,
)
from coinone.rules.chain.batch import Batch, CertifiedBatch
from coinone.rules.chain.cursor import Cursor, check_batch
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import (
    NO_RESULTS,
    Federation,
    SignedVote,
    Vote,
    VoteKind,
    certificate_of,
    check_vote,
    sign_vote,
)
from coinone.rules.consensus.header import Header
from coinone.rules.consensus.seeds import make_chain
from coinone.rules.consensus.terms import ChangeVote, TermChange, sign_change_vote, sign_term_change


@dataclass(frozen=True, slots=True)
class Draft:
    """What a leader wants in its next batch."""

    base_number: int
    base_hash: Hash32
    evm_offset_s: int
    transactions: tuple[bytes, ...]


@dataclass(slots=True)
class _Round:
    """The votes for the open seq: by member, the first one of each kind counts."""

    batch: Batch | None = None
    results: Hash32 | None = None
    executing: bool = False
    votes: dict[VoteKind, dict[int, SignedVote]] = field(
        default_factory=lambda: {VoteKind.PREPARE: {}, VoteKind.COMMIT: {}}
    )


class Sequencer:
    def __init__(
        self,
        network: Network,
        federation: Federation,
        member: int,
        key: bytes,
        secret: bytes,
        cursor: Cursor,
        header_of: Callable[[int], Header | None],
        signed: Mapping[VoteKey, tuple[Hash32, Hash32]] | None = None,
    ) -> None:
        self._network = network
        self._federation = federation
        self._member = member
        self._key = key
        self._secret = secret
        self._header_of = header_of
        self._signed = dict(signed or {})
        self._seeds: tuple[int, list[Hash32]] = (-1, [])
        self._change: TermChange | None = None
        self._voting_term = cursor.term.number
        self._open(cursor)

    def rewind(self, cursor: Cursor) -> None:
        """Go back to an earlier batch (dev's evm_revert): what follows is proposed in a new term, since this
        member has signed other contents for the seqs it now uses again."""
        assert self._network.is_dev, "only dev goes back"
        term = max(self._voting_term, cursor.term.number) + 1
        self._signed.clear()
        self._open(cursor)
        self._change = self._open_term(term)
        self._voting_term = term

    def _open(self, cursor: Cursor) -> None:
        """Stand after the batch of `cursor`, with the next seq open."""
        self._cursor = cursor
        self._voting_term = cursor.term.number
        self._change = None
        self._round = _Round()

    @property
    def is_leader(self) -> bool:
        return self._federation.leader(self._voting_term) == self._member

    @property
    def is_idle(self) -> bool:
        """Whether the open seq has no proposal yet."""
        return self._round.batch is None

    def propose(self, now_ms: int, draft: Draft) -> list[Effect]:
        """Lead: make the batch for the open seq. Its time is `now_ms`, or a millisecond after the last
        batch's."""
        assert self.is_leader and self.is_idle, "not ours to propose"
        seq = self._cursor.seq + 1
        if self._change is None and (
            self._cursor.term.seeds_left == 0 or self._has_signed(self._voting_term, seq)
        ):
            self._change = self._open_term(self._voting_term + 1)
            self._voting_term = self._change.term
        term = self._voting_term
        batch = Batch(
            term=term,
            seq=seq,
            parent_hash=self._cursor.batch_hash,
            base_number=draft.base_number,
            base_hash=draft.base_hash,
            time_ms=max(now_ms, self._cursor.time_ms + 1),
            evm_offset_s=draft.evm_offset_s,
            seed=self._next_seed(term, seq),
            term_change=self._change,
            transactions=draft.transactions,
        )
        proposal = Proposal(term, batch)
        return [*self._prepare(proposal), Send(proposal), *self._advance()]

    def receive_proposal(self, proposal: Proposal, now_ms: int) -> list[Effect]:
        """Follow: vote for the leader's batch. Raises InvalidBatch if it breaks a rule."""
        if self._round.batch is not None:
            return []  # one proposal per term and seq: a second one is no news, or equivocation
        if proposal.batch.time_ms > now_ms + BATCH_TIME_AHEAD_MS_MAX and not self._network.is_dev:
            raise InvalidBatch("batch from the future", now=now_ms, have=proposal.batch.time_ms)
        if proposal.term < self._voting_term:
            raise InvalidBatch("proposal of a past term", want=self._voting_term, have=proposal.term)
        return [*self._prepare(proposal), *self._advance()]

    def receive_vote(self, signed: SignedVote) -> list[Effect]:
        """Count a member's vote. Raises InvalidSignature if it is not that member's."""
        if signed.vote.seq != self._cursor.seq + 1:
            return []  # late, or early: who lags asks for certified batches, not for votes
        check_vote(signed, self._network.chain_id, self._federation)
        self._round.votes[signed.vote.kind].setdefault(signed.member, signed)
        return self._advance()

    def executed(self, cursor: Cursor, results: Hash32) -> list[Effect]:
        """The batch asked for by `Execute` was applied; `results` is the digest that the certificate
        names."""
        assert self._round.batch is not None and cursor.batch_hash == self._round.batch.hash, "another batch"
        self._round.results = results
        self._after = cursor
        vote = Vote(VoteKind.COMMIT, self._voting_term, cursor.seq, cursor.batch_hash, results)
        return [*self._cast(vote), *self._advance()]

    def _prepare(self, proposal: Proposal) -> list[Effect]:
        batch = proposal.batch
        check_batch(self._network, self._federation, self._cursor, batch, self._header_of)
        self._voting_term = proposal.term
        self._round.batch = batch
        return self._cast(Vote(VoteKind.PREPARE, proposal.term, batch.seq, batch.hash, NO_RESULTS))

    def _cast(self, vote: Vote) -> list[Effect]:
        key = vote_key(vote)
        known = self._signed.get(key)
        if known is not None and known != vote_content(vote):
            raise InvalidSignature("already signed something else", term=vote.term, seq=vote.seq)
        self._signed[key] = vote_content(vote)
        signed = sign_vote(vote, self._network.chain_id, self._member, self._key)
        self._round.votes[vote.kind].setdefault(self._member, signed)
        return [Persist(vote), Send(signed)]

    def _advance(self) -> list[Effect]:
        """What the votes at hand allow."""
        batch, current = self._round.batch, self._round
        if batch is None:
            return []
        if not current.executing:
            prepare = Vote(VoteKind.PREPARE, self._voting_term, batch.seq, batch.hash, NO_RESULTS)
            if len(self._equal(prepare)) < self._federation.quorum:
                return []
            current.executing = True
            return [Execute(batch)]
        if current.results is None:
            return []
        commits = self._equal(
            Vote(VoteKind.COMMIT, self._voting_term, batch.seq, batch.hash, current.results)
        )
        if len(commits) < self._federation.quorum:
            return []
        certificate = certificate_of(commits)
        self._forget(batch.seq)
        self._open(self._after)
        return [Certified(CertifiedBatch(batch, certificate))]

    def _equal(self, vote: Vote) -> list[SignedVote]:
        return [signed for signed in self._round.votes[vote.kind].values() if signed.vote == vote]

    def _has_signed(self, term: int, seq: int) -> bool:
        return any((term, seq, kind.value) in self._signed for kind in VoteKind)

    def _forget(self, seq: int) -> None:
        """Votes for seqs below the certified one need no guard: they cannot open again, but by `rewind`."""
        for key in [key for key in self._signed if key[1] < seq]:
            del self._signed[key]

    def _open_term(self, term: int) -> TermChange:
        """Begin a term alone. With more members the votes must be gathered first: that is the next slice."""
        assert len(self._federation.members) == 1, "a change of term among several members is not built yet"
        cursor, chain_id = self._cursor, self._network.chain_id
        vote = ChangeVote(term, cursor.seq, cursor.batch_hash, ())
        votes = ((self._member, vote, sign_change_vote(vote, chain_id, self._key)),)
        tip = self._chain(term)[0]
        length = self._network.seed_length
        change = TermChange(term, cursor.seq + 1, cursor.batch_hash, tip, length, votes, b"")
        return sign_term_change(change, chain_id, self._key)

    def _next_seed(self, term: int, seq: int) -> Hash32:
        first_seq = seq if self._change is not None else self._cursor.term.first_seq
        return self._chain(term)[seq - first_seq + 1]

    def _chain(self, term: int) -> list[Hash32]:
        """The term's seeds, tip first, derived from the node's one secret so that a restart can go on."""
        if self._seeds[0] != term:
            self._seeds = (term, seed_chain(self._secret, term, self._network.seed_length))
        return self._seeds[1]


def seed_chain(secret: bytes, term: int, length: int) -> list[Hash32]:
    """The seeds of a term, tip first."""
    return make_chain(keccak256(b"coinone-seeds" + secret + term.to_bytes(8, "big")), length)
