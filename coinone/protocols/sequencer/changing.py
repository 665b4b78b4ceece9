"""Change of term: the votes for it, and the change that its leader makes from them.

Every member keeps each member's newest vote for another term. When a quorum has voted for a term, its leader puts
these votes into a change and continues with the batch that they name as prepared, if any, else with a new one. Votes
that are ahead of the leader's chain wait until it has caught up.

    leader silent / seeds used up --> ChangeCall --quorum--> TermChange --> Proposal

A member also votes for a term when enough others did that one of them must be honest, so that no member is left behind.
"""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.types import Hash32
from coinone.protocols.sequencer.effects import ChangeCall, PreparedBatch
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import Federation
from coinone.rules.consensus.seeds import make_chain
from coinone.rules.consensus.terms import check_change_vote, claim_of, sign_change_vote, sign_term_change
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.term_change import ChangeVote, TermChange


class Changing:
    def __init__(
        self, network: Network, federation: Federation, member: int, key: bytes, secret: bytes
    ) -> None:
        self._network = network
        self._federation = federation
        self._member = member
        self._key = key
        self._secret = secret
        self._seeds: tuple[int, list[Hash32]] = (-1, [])
        self._calls: dict[int, ChangeCall] = {}
        self._cursor: Cursor
        # of the term that this member leads, until its first batch is certified
        self.change: TermChange | None = None

    def stand(self, cursor: Cursor) -> None:
        self._cursor = cursor
        if self.change is not None and cursor.term.number >= self.change.term:
            self.change = None

    def vote(self, term: int, held: PreparedBatch | None) -> ChangeVote:
        """This member's vote for `term`, with its certified chain and prepared batch."""
        prepared = None if held is None else held.prepared
        return ChangeVote(term, self._cursor.seq, self._cursor.batch_hash, prepared)

    def call(self, vote: ChangeVote, held: PreparedBatch | None) -> ChangeCall:
        """`vote` as a message, with the batch that it names."""
        signed = sign_change_vote(vote, self._network.chain_id, self._member, self._key)
        return ChangeCall(signed, None if vote.prepared is None or held is None else held.batch)

    @property
    def own_call(self) -> ChangeCall | None:
        return self._calls.get(self._member)

    def add(self, call: ChangeCall) -> None:
        known = self._calls.get(call.signed.member)
        if known is None or known.signed.vote.term < call.signed.vote.term:
            self._calls[call.signed.member] = call

    def check(self, call: ChangeCall) -> None:
        """Raise InvalidBatch unless the call is signed by its member and contains the batch that it names."""
        check_change_vote(call.signed, self._network.chain_id, self._federation)
        prepared = call.signed.vote.prepared
        if prepared is not None and (call.batch is None or call.batch.hash != prepared.batch_hash):
            raise InvalidBatch("term change: the prepared batch is not with it", seq=prepared.seq)

    def waits_for_others(self, term: int) -> bool:
        """Whether this member voted for `term` without a quorum yet: it does not run ahead alone."""
        own = self.own_call
        if own is None or own.signed.vote.term != term:
            return False
        there = [call for call in self._calls.values() if call.signed.vote.term >= term]
        return len(there) < self._federation.quorum

    def term_to_join(self, term: int) -> int | None:
        """A later term that enough members voted for (or for a later one) that one of them is honest."""
        later = sorted((call.signed.vote.term for call in self._calls.values()), reverse=True)
        enough = len(self._federation.members) - self._federation.quorum + 1
        if len(later) < enough or later[enough - 1] <= term:
            return None
        return later[enough - 1]

    def begin(self, term: int) -> Batch | None:
        """Make the change if the votes allow it; return the batch that must be proposed first."""
        votes = tuple(
            call.signed
            for _, call in sorted(self._calls.items())
            if call.signed.vote.term == term and self._is_known(call.signed.vote)
        )
        if len(votes) < self._federation.quorum:
            return None
        claim, stand = claim_of(signed.vote for signed in votes), (self._cursor.seq, self._cursor.batch_hash)
        if stand not in (claim.parent, (claim.seq, claim.batch_hash)):
            return None  # this member has advanced meanwhile; later votes will reflect that
        seq, parent_hash = claim.parent
        tip, length = self._chain(term)[0], self._network.seed_length
        change = TermChange(term, seq + 1, parent_hash, tip, length, votes, b"")
        self.change = sign_term_change(change, self._network.chain_id, self._key)
        return None if stand == claim.parent else self._batch(parent_hash)

    def seed(self, term: int, position: int) -> Hash32:
        """The seed that batch number `position` of the term reveals."""
        return self._chain(term)[position + 1]

    def _is_known(self, vote: ChangeVote) -> bool:
        """Whether this member has all batches that the vote names as certified."""
        stand = self._cursor
        return vote.seq < stand.seq or (vote.seq, vote.batch_hash) == (stand.seq, stand.batch_hash)

    def _batch(self, batch_hash: Hash32) -> Batch:
        """The batch with this hash, which came with the vote that names it."""
        batches = [call.batch for call in self._calls.values() if call.batch is not None]
        return next(batch for batch in batches if batch.hash == batch_hash)

    def _chain(self, term: int) -> list[Hash32]:
        """The term's seeds, tip first, derived from the node's secret so that a restart can continue."""
        if self._seeds[0] != term:
            self._seeds = (term, seed_chain(self._secret, term, self._network.seed_length))
        return self._seeds[1]


def seed_chain(secret: bytes, term: int, length: int) -> list[Hash32]:
    """The seeds of a term, tip first."""
    return make_chain(keccak256(b"coinone-seeds" + secret + term.to_bytes(8, "big")), length)
