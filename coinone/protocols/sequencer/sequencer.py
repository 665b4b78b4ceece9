"""A member of the federation that makes and certifies batches: events in, effects out.

Theory of operation. One seq is open at a time. The leader of the term proposes a batch for it; a member that finds
it valid votes prepare. On a quorum of prepares every member executes the batch, and votes commit with the digest of
the results. On a quorum of equal commits the batch is certified and the next seq opens.

    propose / Proposal --> prepare --quorum--> Execute --executed--> commit --quorum--> Certified

A leader that makes nothing for too long, or whose seeds are used up, loses its term (changing.py): members vote for
the next one, and its leader continues from the claims of a quorum.

Rule 1: this file has no clock, disk or network: each event brings the time, and actions leave as effects. Rule 2: a
member signs one content per (term, seq, kind), and none in a term it abandoned, also after a restart, for which its
promises on disk are passed to the constructor. Rule 3: its own votes are counted by the same code as others', so a
federation of one needs no special path.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.parameters import BATCH_TIME_AHEAD_MS_MAX, BATCH_TIME_BEHIND_MS_MAX
from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.changing import Changing
from coinone.protocols.sequencer.effects import (
    Broadcast,
    Certified,
    ChangeCall,
    Effect,
    Execute,
    Persist,
    PreparedBatch,
    Promise,
    Proposal,
)
from coinone.protocols.sequencer.promises import VoteJournal
from coinone.protocols.sequencer.rounds import Round
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import (
    Federation,
    certificate_of,
    check_certified,
    check_vote,
    sign_vote,
    signatures_of,
)
from coinone.rules.consensus.terms import check_certified_change
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.certificate import NO_RESULTS, SignedVote, Vote, VoteKind
from coinone.rules.ledger.term_change import Prepared, TermChange

TERM_PATIENCE_MS = 750  # three batch intervals without a certified batch, and the leader loses its term
PATIENCE_DOUBLINGS_MAX = 4  # each failed term waits twice as long, up to 12 s, for slow networks


@dataclass(frozen=True, slots=True)
class Draft:
    """The contents that a leader wants in its next batch."""

    base_number: int
    base_hash: Hash32
    evm_offset_s: int
    transactions: tuple[bytes, ...]
    forced: int = 0  # number of leading transactions that a block forces


class ChainQueries(Protocol):
    """The chain, as far as a member needs it synchronously."""

    def check(self, batch: Batch) -> None:
        """Raise InvalidBatch or NotSupported for a batch that cannot be applied after the newest one."""
        ...

    def undo(self) -> None:
        """Undo the newest batch: it was prepared and executed, but another may be certified in its place."""
        ...


class Sequencer:
    def __init__(
        self,
        network: Network,
        federation: Federation,
        member: int,
        key: bytes,
        secret: bytes,
        cursor: Cursor,
        ledger: ChainQueries,
        promises: Iterable[Promise] = (),
    ) -> None:
        self._network = network
        self._federation = federation
        self._member = member
        self._key = key
        self._ledger = ledger
        self._promises = VoteJournal(promises)
        self._changing = Changing(network, federation, member, key, secret)
        self._term = self._promises.term
        self._failures = 0
        self._deadline_ms = 0
        self._stand(cursor)

    def start(self) -> list[Effect]:
        """Start, once after construction: continue a change of term that a restart interrupted, or begin one that the
        last run made necessary. A vote for another term is sent again: it may not have left before the restart."""
        change = self._promises.change
        if change is not None and change.term > self._cursor.term.number:
            call = self._changing.call(change, self._held())
            self._changing.add(call)
            return [Broadcast(call), *self._begin_term(), *self._renew()]
        return self._renew()

    def rewind(self, cursor: Cursor) -> list[Effect]:
        """Return to an earlier batch (dev's evm_revert): later batches are proposed in a new term, since this
        member has signed other contents for the seqs it now uses again."""
        assert self._network.is_dev and len(self._federation.members) == 1, "only dev goes back"
        self._term = max(self._term, cursor.term.number)
        self._stand(cursor)
        return self._call_change(self._term + 1)

    @property
    def seq(self) -> int:
        """The seq of the newest certified batch."""
        return self._cursor.seq

    @property
    def leader(self) -> int:
        """The member that leads this one's term."""
        return self._federation.leader(self._term)

    @property
    def is_leader(self) -> bool:
        return self.leader == self._member

    @property
    def may_propose(self) -> bool:
        """Whether this member leads a term that has begun, and the open seq has no proposal yet."""
        has_begun = self._changing.change is not None or self._cursor.term.number == self._term
        return self.is_leader and has_begun and self._round.batch is None

    def propose(self, now_ms: int, draft: Draft) -> list[Effect]:
        """Lead: make the batch for the open seq. Its time is `now_ms`, or a millisecond after the last
        batch's."""
        assert self.may_propose, "not ours to propose"
        seq, change = self._cursor.seq + 1, self._changing.change
        first_seq = self._cursor.term.first_seq if change is None else change.first_seq
        batch = Batch(
            term=self._term,
            seq=seq,
            parent_hash=self._cursor.batch_hash,
            base_number=draft.base_number,
            base_hash=draft.base_hash,
            time_ms=max(now_ms, self._cursor.time_ms + 1),
            evm_offset_s=draft.evm_offset_s,
            seed=self._changing.seed(self._term, seq - first_seq),
            term_change=change,
            transactions=draft.transactions,
            forced=draft.forced,
        )
        return self._put(batch, None)

    def receive_proposal(self, proposal: Proposal, now_ms: int) -> list[Effect]:
        """Follow: vote for the leader's batch. Raises InvalidBatch if it breaks a rule, InvalidSignature if the
        leader has not signed it."""
        vote, batch = proposal.vote.vote, proposal.batch
        if vote.seq != self._cursor.seq + 1 or vote.term < self._term:
            return []  # late or early: a member that lags requests certified batches
        if self._round.batch is not None and vote.term == self._term:
            return []  # one proposal per term and seq: a second one is a repetition or an equivocation
        self._check_sender(proposal)
        self._check_place(proposal)
        if proposal.change is None and not self._network.is_dev:
            self._check_time(batch, now_ms)
        self._enter(vote.term)
        self._ledger.check(batch)
        own = Vote(VoteKind.PREPARE, vote.term, batch.seq, batch.hash, NO_RESULTS)
        if not self._promises.allow(own):
            raise InvalidBatch("already signed something else", term=vote.term, seq=vote.seq)
        self._round.batch = batch
        self._round.keep(proposal.vote)
        return [*self._cast(own), *self._advance()]

    def receive_vote(self, signed: SignedVote) -> list[Effect]:
        """Count a member's vote. Raises InvalidSignature if it is not that member's."""
        if signed.vote.seq != self._cursor.seq + 1 or self._round.has(signed):
            return []
        check_vote(signed, self._network.chain_id, self._federation)
        self._round.keep(signed)
        return self._advance()

    def receive_change(self, call: ChangeCall) -> list[Effect]:
        """Count a member's vote for another term. Raises InvalidBatch if it is invalid."""
        if call.signed.vote.term <= max(self._cursor.term.number, self._term - 1):
            return []
        self._changing.check(call)
        self._changing.add(call)
        joined = self._changing.term_to_join(self._term)
        effects = [] if joined is None else self._call_change(joined)
        return [*effects, *self._begin_term()]

    def receive_certified(self, certified: CertifiedBatch) -> list[Effect]:
        """Catch up with a batch that others certified. Raises InvalidBatch if they did not."""
        batch, current = certified.batch, self._round
        if batch.seq != self._cursor.seq + 1:
            return []
        check_certified(certified, self._network.chain_id, self._federation)
        if current.results is not None and current.batch is not None and current.batch.hash == batch.hash:
            return self._finish(certified)
        self._enter(self._term)
        self._round.batch, self._round.decided, self._round.executing = batch, certified, True
        return [Execute(batch)]

    def executed(self, cursor: Cursor, results: Hash32) -> list[Effect]:
        """The batch asked for by `Execute` was applied; `results` is the digest that the certificate
        names."""
        current = self._round
        assert current.batch is not None and cursor.batch_hash == current.batch.hash, "another batch"
        current.results = results
        self._after = cursor
        if current.decided is not None:
            return self._finish(current.decided)
        vote = Vote(VoteKind.COMMIT, self._term, cursor.seq, cursor.batch_hash, results)
        return [*self._cast(vote), *self._advance()]

    def tick(self, steady_ms: int) -> list[Effect]:
        """Process time: repeat messages that others may have missed, and time out a silent leader."""
        if len(self._federation.members) == 1:
            return []
        if self._deadline_ms == 0:
            self._deadline_ms = steady_ms + (TERM_PATIENCE_MS << min(self._failures, PATIENCE_DOUBLINGS_MAX))
        if steady_ms >= self._deadline_ms and not self._changing.waits_for_others(self._term):
            return self._call_change(self._term + 1)
        return self._repeat()

    # Votes

    def _put(self, batch: Batch, change: TermChange | None) -> list[Effect]:
        """Propose `batch` as the leader."""
        self._ledger.check(batch)
        persist, send = self._cast(Vote(VoteKind.PREPARE, self._term, batch.seq, batch.hash, NO_RESULTS))
        assert isinstance(send, Broadcast) and isinstance(send.message, SignedVote)
        self._round.batch = batch
        self._round.proposal = Proposal(send.message, batch, change)
        return [persist, Broadcast(self._round.proposal), *self._advance()]

    def _cast(self, vote: Vote) -> list[Effect]:
        # A batch's results do not depend on when it is executed, so they are equal even after a restart.
        assert self._promises.allow(vote), f"one content per vote: {vote} is not what was signed before"
        self._promises.note(vote)
        signed = sign_vote(vote, self._network.chain_id, self._member, self._key)
        self._round.keep(signed)
        return [Persist(vote), Broadcast(signed)]

    def _advance(self) -> list[Effect]:
        """Advance the round as far as its votes allow."""
        batch, current = self._round.batch, self._round
        if batch is None or current.decided is not None:
            return []
        if not current.executing:
            prepares = current.equal(Vote(VoteKind.PREPARE, self._term, batch.seq, batch.hash, NO_RESULTS))
            if len(prepares) < self._federation.quorum:
                return []
            current.executing = True
            quorum = Prepared(self._term, batch.seq, batch.hash, signatures_of(prepares))
            self._promises.note(PreparedBatch(quorum, batch))
            return [Persist(PreparedBatch(quorum, batch)), Execute(batch)]
        if current.results is None:
            return []
        commits = current.equal(Vote(VoteKind.COMMIT, self._term, batch.seq, batch.hash, current.results))
        if len(commits) < self._federation.quorum:
            return []
        return self._finish(CertifiedBatch(batch, certificate_of(commits)))

    def _finish(self, certified: CertifiedBatch) -> list[Effect]:
        # A quorum signed other results than ours: one side is wrong, and continuing would hide which.
        assert self._round.results == certified.certificate.results, "other results than were certified"
        self._stand(self._after)
        return [Certified(certified), *self._renew(), *self._begin_term()]

    def _stand(self, cursor: Cursor) -> None:
        """Open the seq after the batch of `cursor`."""
        self._cursor = cursor
        self._round = Round()
        self._term = max(self._term, cursor.term.number)
        self._failures, self._deadline_ms = 0, 0
        self._promises.forget(cursor.seq)
        self._changing.stand(cursor)

    # Terms

    def _enter(self, term: int) -> None:
        """Leave the current round for one in `term`."""
        current = self._round
        self._round = Round(votes=current.votes)
        if term != self._term:
            self._term = term
            self._changing.change = None
        if current.results is not None:
            self._ledger.undo()

    def _renew(self) -> list[Effect]:
        """Call for another term if this one cannot continue: its seeds are used up, or this member, as its leader,
        voted for a batch that it no longer has."""
        used_up = self._cursor.term.seeds_left == 0 and self._cursor.term.number == self._term
        lost = self.is_leader and self._round.batch is None and self._has_voted
        return self._call_change(self._term + 1) if used_up or lost else []

    def _call_change(self, term: int) -> list[Effect]:
        """Vote for `term`, and no longer in earlier ones."""
        self._enter(term)
        vote = self._changing.vote(term, self._held())
        self._promises.note(vote)
        call = self._changing.call(vote, self._held())
        self._changing.add(call)
        self._failures, self._deadline_ms = self._failures + 1, 0
        return [Persist(vote), Broadcast(call), *self._begin_term()]

    def _begin_term(self) -> list[Effect]:
        """Lead the new term as soon as a quorum has voted for it."""
        begun = self._cursor.term.number == self._term or self._changing.change is not None
        if not self.is_leader or begun or self._has_voted:
            return []
        again = self._changing.begin(self._term)
        if again is None:
            return []
        return self._put(again, self._changing.change)

    @property
    def _has_voted(self) -> bool:
        return self._promises.has_voted(self._term, self._cursor.seq + 1)

    def _held(self) -> PreparedBatch | None:
        """The batch that this member saw prepared for the open seq, if any."""
        held = self._promises.prepared
        return held if held is not None and held.prepared.seq == self._cursor.seq + 1 else None

    def _check_sender(self, proposal: Proposal) -> None:
        vote, batch = proposal.vote.vote, proposal.batch
        if vote != Vote(VoteKind.PREPARE, vote.term, batch.seq, batch.hash, NO_RESULTS):
            raise InvalidBatch("proposal is signed for another batch", seq=vote.seq)
        if proposal.vote.member != self._federation.leader(vote.term):
            raise InvalidBatch("not the leader of its term", term=vote.term, member=proposal.vote.member)
        check_vote(proposal.vote, self._network.chain_id, self._federation)

    def _check_time(self, batch: Batch, now_ms: int) -> None:
        """Check a batch's time. One millisecond after the last batch is valid if that one ran ahead of our clock:
        waiting would stop the chain. But a leader may not hold time back while prices move and nobody can be
        liquidated."""
        if batch.time_ms > max(now_ms + BATCH_TIME_AHEAD_MS_MAX, self._cursor.time_ms + 1):
            raise InvalidBatch("batch from the future", now=now_ms, have=batch.time_ms)
        if batch.time_ms < now_ms - BATCH_TIME_BEHIND_MS_MAX:
            raise InvalidBatch("batch from the past", now=now_ms, have=batch.time_ms)

    def _check_place(self, proposal: Proposal) -> None:
        """Check a proposal's term: the batch is of that term or must be proposed again there, and a new term has a
        quorum of votes."""
        batch, term = proposal.batch, proposal.vote.vote.term
        change = proposal.change or batch.term_change
        if proposal.change is None and batch.term != term:
            raise InvalidBatch("proposal of another term", want=term, have=batch.term)
        if change is None or change.term != term:
            if term > self._term:
                raise InvalidBatch("a term that nobody voted for", have=term)
            return
        claim = check_certified_change(change, self._network.chain_id, self._federation)
        if proposal.change is not None and claim.parent != (batch.seq, batch.hash):
            raise InvalidBatch("not the batch that must be proposed again", term=term, seq=batch.seq)

    def _repeat(self) -> list[Effect]:
        effects: list[Effect] = []
        call, current = self._changing.own_call, self._round
        if call is not None and call.signed.vote.term == self._term > self._cursor.term.number:
            effects.append(Broadcast(call))
        if current.proposal is not None:
            effects.append(Broadcast(current.proposal))
        return [*effects, *[Broadcast(signed) for signed in current.of(self._member, self._term)]]
