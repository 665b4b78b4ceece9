"""The sequencer: four members on a toy ledger, and one member alone."""

import itertools
from collections import deque
from dataclasses import replace

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import InvalidBatch, InvalidSignature
from coinone.node.runtime.networks import load_network
from coinone.protocols.sequencer.effects import (
    Certified,
    Execute,
    Persist,
    Proposal,
    Send,
    vote_content,
    vote_key,
)
from coinone.protocols.sequencer.sequencer import Draft, Sequencer, seed_chain
from coinone.rules.chain.cursor import Cursor, check_batch
from coinone.rules.chain.genesis import Genesis, genesis_cursor, genesis_header
from coinone.rules.consensus.federation import Federation, SignedVote, VoteKind, check_certificate

SEEDS = 8
NETWORK = replace(load_network("dev"), seed_length=SEEDS)
ZERO = bytes(32)


def key_of(member: int) -> bytes:
    return (member + 1).to_bytes(32, "big")


class Members:
    """A federation on virtual wires; executing a batch only moves the cursor."""

    def __init__(self, count: int, dead: tuple[int, ...] = ()) -> None:
        self.federation = Federation(tuple(address_of(key_of(member)) for member in range(count)))
        secret = keccak256(b"secret")
        genesis = Genesis(1_000_000, self.federation, (), seed_chain(secret, 0, SEEDS)[0])
        self.header = genesis_header(NETWORK, genesis, ZERO, ZERO)
        self.cursors = {member: genesis_cursor(NETWORK, genesis, self.header) for member in range(count)}
        self.certified = {member: [] for member in range(count)}
        self.persisted = {member: {} for member in range(count)}
        self.signed = []
        self.wire = deque()
        self.dead = dead
        self.members = {
            member: Sequencer(
                NETWORK, self.federation, member, key_of(member), secret, cursor, self.header_of
            )
            for member, cursor in self.cursors.items()
        }  # fmt: skip

    def header_of(self, number):
        return self.header if number == 0 else None

    def propose(self, now_ms: int, transactions: tuple[bytes, ...] = ()) -> None:
        leader = self.federation.leader(self.cursors[0].term.number)
        draft = Draft(0, self.header.hash, 0, transactions)
        self.carry_out(leader, self.members[leader].propose(now_ms, draft))
        while self.wire:
            self.deliver(*self.wire.popleft(), now_ms)

    def deliver(self, member, message, now_ms) -> None:
        sequencer = self.members[member]
        if isinstance(message, Proposal):
            self.carry_out(member, sequencer.receive_proposal(message, now_ms))
        else:
            self.carry_out(member, sequencer.receive_vote(message))

    def carry_out(self, member, effects) -> None:
        for effect in effects:
            if isinstance(effect, Persist):
                self.persisted[member][vote_key(effect.vote)] = vote_content(effect.vote)
            elif isinstance(effect, Send):
                self.send(member, effect.message)
            elif isinstance(effect, Execute):
                cursor = moved(self.federation, self.cursors[member], effect.batch, self.header_of)
                self.cursors[member] = cursor
                results = keccak256(cursor.batch_hash)
                self.carry_out(member, self.members[member].executed(cursor, results))
            else:
                assert isinstance(effect, Certified)
                self.certified[member].append(effect.certified)

    def send(self, member, message) -> None:
        if isinstance(message, SignedVote):
            assert vote_key(message.vote) in self.persisted[member], "signed before it was written down"
            self.signed.append(message)
        for other in self.members:
            if other != member and other not in self.dead:
                self.wire.append((other, message))


def moved(federation, cursor: Cursor, batch, header_of) -> Cursor:
    term = check_batch(NETWORK, federation, cursor, batch, header_of)
    return replace(cursor, seq=batch.seq, batch_hash=batch.hash, time_ms=batch.time_ms, term=term)


def test_a_federation_of_one_certifies_each_batch_at_once():
    alone = Members(1)
    for number in range(3):
        alone.propose(2_000_000 + number)
    assert [entry.batch.seq for entry in alone.certified[0]] == [1, 2, 3]
    for entry in alone.certified[0]:
        check_certificate(entry.certificate, NETWORK.chain_id, alone.federation)


def test_four_members_certify_the_same_batches():
    four = Members(4)
    four.propose(2_000_000, (b"\x70one",))
    four.propose(2_000_250)
    hashes = {tuple(entry.batch.hash for entry in entries) for entries in four.certified.values()}
    assert len(hashes) == 1 and len(hashes.pop()) == 2


def test_three_of_four_are_a_quorum():
    four = Members(4, dead=(3,))
    four.propose(2_000_000)
    assert [len(four.certified[member]) for member in range(4)] == [1, 1, 1, 0]
    assert [member for member, _ in four.certified[0][0].certificate.signatures] == [0, 1, 2]


def test_two_of_four_certify_nothing():
    four = Members(4, dead=(2, 3))
    four.propose(2_000_000)
    assert not any(four.certified.values())


@pytest.mark.parametrize(("members", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (7, 5), (10, 7), (15, 11)])
def test_a_quorum_is_more_than_two_thirds(members, quorum):
    assert Federation(tuple(bytes([member]) * 20 for member in range(members))).quorum == quorum


def test_time_advances_a_millisecond_a_batch_while_the_clock_lies_behind():
    alone = Members(1)
    alone.propose(2_000_000)
    alone.propose(1_500_000)  # the clock fell back by 500 s
    alone.propose(1_500_250)
    alone.propose(2_000_500)
    times = [entry.batch.time_ms for entry in alone.certified[0]]
    assert times == [2_000_000, 2_000_001, 2_000_002, 2_000_500]


def test_used_up_seeds_open_a_new_term():
    alone = Members(1)
    for number in range(SEEDS + 2):
        alone.propose(2_000_000 + number)
    batches = [entry.batch for entry in alone.certified[0]]
    assert [batch.term for batch in batches] == [0] * SEEDS + [1, 1]
    assert [batch.seq for batch in batches if batch.term_change] == [SEEDS + 1]


def test_each_seed_is_the_preimage_of_the_one_before():
    alone = Members(1)
    for number in range(4):
        alone.propose(2_000_000 + number)
    seeds = [entry.batch.seed for entry in alone.certified[0]]
    assert all(keccak256(after) == before for before, after in itertools.pairwise(seeds))


def test_a_member_signs_one_content_per_seq_even_after_a_restart():
    alone = Members(1)
    cursor = alone.cursors[0]
    draft = Draft(0, alone.header.hash, 0, ())
    first = alone.members[0].propose(2_000_000, draft)
    votes = {
        vote_key(effect.vote): vote_content(effect.vote) for effect in first if isinstance(effect, Persist)
    }
    assert [key[2] for key in votes] == [VoteKind.PREPARE.value]
    secret = keccak256(b"secret")
    again = Sequencer(
        NETWORK, alone.federation, 0, key_of(0), secret, cursor, alone.header_of, votes
    )  # fmt: skip
    second = next(effect.batch for effect in again.propose(2_000_777, draft) if isinstance(effect, Execute))
    assert second.term == 1 and second.term_change is not None, "the old term is closed to other contents"


def test_going_back_opens_a_new_term():
    alone = Members(1)
    alone.propose(2_000_000)
    before = alone.cursors[0]
    alone.propose(2_000_250)
    alone.cursors[0] = before
    alone.members[0].rewind(before)
    alone.propose(2_000_500)
    batches = [entry.batch for entry in alone.certified[0]]
    assert [(batch.term, batch.seq) for batch in batches] == [(0, 1), (0, 2), (1, 2)]


def test_a_vote_of_a_stranger_is_refused():
    four = Members(4)
    draft = Draft(0, four.header.hash, 0, ())
    effects = four.members[0].propose(2_000_000, draft)
    vote = next(e.message for e in effects if isinstance(e, Send) and isinstance(e.message, SignedVote))
    with pytest.raises(InvalidSignature):
        four.members[1].receive_vote(replace(vote, member=2))


def test_a_batch_with_a_chosen_seed_is_refused():
    four = Members(4)
    draft = Draft(0, four.header.hash, 0, ())
    effects = four.members[0].propose(2_000_000, draft)
    proposal = next(e.message for e in effects if isinstance(e, Send) and isinstance(e.message, Proposal))
    forged = replace(proposal, batch=replace(proposal.batch, seed=keccak256(b"mine")))
    with pytest.raises(InvalidBatch, match="preimage"):
        four.members[1].receive_proposal(forged, 2_000_000)
