"""The invariant *one content per vote* (docs/design.md): no (term, seq, kind) is ever signed for two contents.

The ledger is outside of the members and forgets nothing: each vote of a member is compared with all its earlier
ones, also those before a restart. So it finds what a member that lost its records could not.
"""

from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.effects import ChangeCall, Message, Proposal
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import Vote
from coinone.rules.ledger.term_change import ChangeVote

CHANGE = 0  # beside the numbers of VoteKind


class TwoContents(AssertionError):
    """A member signed two contents for one (term, seq, kind), or voted in a term that it had given up."""


class VoteLedger:
    def __init__(self) -> None:
        self._contents: dict[tuple[int, int, int, int], object] = {}  # member, term, seq, kind
        self._given_up: dict[int, int] = {}  # member -> the term it voted for
        self.seen = 0

    def note(self, member: int, message: Message) -> None:
        """`message` is about to leave `member`."""
        if isinstance(message, ChangeCall):
            self.note_change(member, message.signed.vote)
        else:
            self.note_vote(member, message.vote.vote if isinstance(message, Proposal) else message.vote)

    def note_vote(self, member: int, vote: Vote) -> None:
        key = (member, vote.term, vote.seq, vote.kind.value)
        if self._is_new(key, (vote.batch_hash, vote.results)) and vote.term < self._given_up.get(member, 0):
            raise TwoContents(f"member {member} gave up term {vote.term} and voted in it: {vote}")

    def note_change(self, member: int, vote: ChangeVote) -> None:
        self._is_new((member, vote.term, 0, CHANGE), vote)
        self._given_up[member] = max(vote.term, self._given_up.get(member, 0))

    def _is_new(self, key: tuple[int, int, int, int], content: object) -> bool:
        self.seen += 1
        known = self._contents.setdefault(key, content)
        if known != content:
            raise TwoContents(f"(member, term, seq, kind) {key} was signed for {known} and for {content}")
        return known is content


class CertificateLedger:
    """No two certificates name different batches, or different results, for one seq."""

    def __init__(self) -> None:
        self.certified: dict[int, tuple[Hash32, Hash32]] = {}

    def note(self, certified: CertifiedBatch) -> None:
        certificate = certified.certificate
        content = (certificate.batch_hash, certificate.results)
        known = self.certified.setdefault(certificate.seq, content)
        assert known == content, f"two certificates for batch {certificate.seq}"
