"""The votes that a member has signed and must honour, also after a restart.

Invariant *one content per vote*: no (term, seq, kind) is ever signed for two contents, and nothing is signed in a
term older than one that the member voted for. Everything here is on disk before the signature leaves, and is restored
after a restart. `coinone/rules/consensus/terms.py` explains why that is enough.
"""

from collections.abc import Iterable
from typing import TypeAlias, assert_never

from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.effects import PreparedBatch, Promise
from coinone.rules.ledger.certificate import Vote
from coinone.rules.ledger.term_change import ChangeVote

VoteKey: TypeAlias = tuple[int, int, int]  # term, seq, kind
VoteContent: TypeAlias = tuple[Hash32, Hash32]


def vote_key(vote: Vote) -> VoteKey:
    return vote.term, vote.seq, vote.kind.value


def vote_content(vote: Vote) -> VoteContent:
    return vote.batch_hash, vote.results


class VoteJournal:
    def __init__(self, records: Iterable[Promise] = ()) -> None:
        self._votes: dict[VoteKey, VoteContent] = {}
        self.prepared: PreparedBatch | None = None  # of the highest seq, then the highest term
        self.change: ChangeVote | None = None  # of the highest term
        for record in records:
            self.note(record)

    @property
    def term(self) -> int:
        """The newest term in which anything was signed."""
        change = -1 if self.change is None else self.change.term
        return max([change, *(term for term, _, _ in self._votes)])

    def allow(self, vote: Vote) -> bool:
        """Whether `vote` may be signed: the first of its kind or the same again, and not in an abandoned term."""
        if self.change is not None and vote.term < self.change.term:
            return False
        return self._votes.get(vote_key(vote), vote_content(vote)) == vote_content(vote)

    def has_voted(self, term: int, seq: int) -> bool:
        return any(key[:2] == (term, seq) for key in self._votes)

    def note(self, promise: Promise) -> None:
        match promise:
            case Vote():
                self._votes[vote_key(promise)] = vote_content(promise)
            case ChangeVote():
                if self.change is None or promise.term > self.change.term:
                    self.change = promise
            case PreparedBatch():
                if self.prepared is None or _rank(promise) > _rank(self.prepared):
                    self.prepared = promise
            case _:
                assert_never(promise)

    def forget(self, seq: int) -> None:
        """Drop seqs up to `seq`, which are certified: only `rewind` opens them again, in a new term."""
        self._votes = {key: content for key, content in self._votes.items() if key[1] > seq}
        if self.prepared is not None and self.prepared.prepared.seq <= seq:
            self.prepared = None


def _rank(held: PreparedBatch) -> tuple[int, int]:
    return held.prepared.seq, held.prepared.term
