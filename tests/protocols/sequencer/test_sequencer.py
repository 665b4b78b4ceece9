"""The sequencer: four members on a toy ledger, and one member alone."""

import itertools
from collections import deque
from dataclasses import replace

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import InvalidBatch, InvalidSignature
from coinone.node.networks import load_network
from coinone.protocols.member.messages import decode_message, encode_message
from coinone.protocols.sequencer.changing import seed_chain
from coinone.protocols.sequencer.effects import Broadcast, Certified, ChangeCall, Execute, Persist, Proposal
from coinone.protocols.sequencer.sequencer import TERM_PATIENCE_MS, Draft, Sequencer
from coinone.rules.chain.cursor import Cursor, check_batch
from coinone.rules.chain.genesis import Genesis, genesis_cursor, genesis_header
from coinone.rules.consensus.federation import Federation, check_certificate, sign_vote
from coinone.rules.ledger.certificate import SignedVote, Vote, VoteKind

SEEDS = 8
NETWORK = replace(load_network("dev"), seed_length=SEEDS)
ZERO = bytes(32)


def key_of(member: int) -> bytes:
    return (member + 1).to_bytes(32, "big")


def secret_of(member: int) -> bytes:
    return keccak256(b"secret" + bytes((member,)))


class Toy:
    """A member's ledger: a cursor, and the one before it."""

    def __init__(self, members: "Members", member: int) -> None:
        self._members, self._member = members, member

    def check(self, batch) -> None:
        members = self._members
        check_batch(NETWORK, members.federation, members.cursors[self._member], batch, members.header_of)

    def undo(self) -> None:
        self._members.cursors[self._member] = self._members.before[self._member]


class Members:
    """A federation on virtual wires; executing a batch only moves the cursor."""

    def __init__(self, count: int, dead: tuple[int, ...] = ()) -> None:
        self.federation = Federation(tuple(address_of(key_of(member)) for member in range(count)))
        genesis = Genesis(1_000_000, self.federation, (), seed_chain(secret_of(0), 0, SEEDS)[0])
        self.header = genesis_header(NETWORK, genesis, ZERO, ZERO)
        self.cursors = {member: genesis_cursor(NETWORK, genesis, self.header) for member in range(count)}
        self.before = {}
        self.certified = {member: [] for member in range(count)}
        self.persisted = {member: [] for member in range(count)}
        self.wire = deque()
        self.dead = dead
        self.only_prepares = False
        self.members = {member: self.sequencer(member) for member in range(count)}

    def sequencer(self, member: int, promises=()) -> Sequencer:
        return Sequencer(
            NETWORK, self.federation, member, key_of(member), secret_of(member), self.cursors[member],
            Toy(self, member), promises,
        )  # fmt: skip

    def header_of(self, number):
        return self.header if number == 0 else None

    def propose(self, now_ms: int, transactions: tuple[bytes, ...] = ()) -> None:
        """Whoever may propose does, and everything is delivered."""
        leader = next(
            member
            for member, machine in self.members.items()
            if machine.may_propose and member not in self.dead
        )
        draft = Draft(0, self.header.hash, 0, transactions)
        self.carry_out(leader, self.members[leader].propose(now_ms, draft))
        self.settle(now_ms)

    def settle(self, now_ms: int) -> None:
        while self.wire:
            member, message = self.wire.popleft()
            self.deliver(member, decode_message(encode_message(message)), now_ms)

    def tick(self, steady_ms: int) -> None:
        for member, machine in self.members.items():
            if member not in self.dead:
                self.carry_out(member, machine.tick(steady_ms))
        self.settle(2_000_000 + steady_ms)

    def deliver(self, member, message, now_ms) -> None:
        sequencer = self.members[member]
        if isinstance(message, Proposal):
            self.carry_out(member, sequencer.receive_proposal(message, now_ms))
        elif isinstance(message, ChangeCall):
            self.carry_out(member, sequencer.receive_change(message))
        else:
            self.carry_out(member, sequencer.receive_vote(message))

    def carry_out(self, member, effects) -> None:
        for effect in effects:
            if isinstance(effect, Persist):
                self.persisted[member].append(effect.promise)
            elif isinstance(effect, Broadcast):
                self.send(member, effect.message)
            elif isinstance(effect, Execute):
                self.before[member] = self.cursors[member]
                cursor = moved(self.federation, self.cursors[member], effect.batch, self.header_of)
                self.cursors[member] = cursor
                results = keccak256(cursor.batch_hash)
                self.carry_out(member, self.members[member].executed(cursor, results))
            else:
                assert isinstance(effect, Certified)
                self.certified[member].append(effect.certified)

    def send(self, member, message) -> None:
        assert said_in(message) in self.persisted[member], "signed before it was written down"
        if self.only_prepares and isinstance(message, SignedVote) and message.vote.kind is VoteKind.COMMIT:
            return
        for other in self.members:
            if other != member and other not in self.dead:
                self.wire.append((other, message))


def said_in(message):
    """What the sender signed."""
    if isinstance(message, Proposal):
        return message.vote.vote
    return message.signed.vote if isinstance(message, ChangeCall) else message.vote


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


def test_members_whose_clocks_fall_back_together_go_on_a_millisecond_a_batch(monkeypatch):
    monkeypatch.setitem(globals(), "NETWORK", replace(NETWORK, kind="test"))
    four = Members(4)
    four.propose(2_000_000)
    four.propose(1_500_000)  # all four clocks fell back by 500 s
    assert [entry.batch.time_ms for entry in four.certified[3]] == [2_000_000, 2_000_001]


def proposed_at(time_ms):
    """Four members, and a batch of this time that their leader proposes."""
    four = Members(4)
    effects = four.members[0].propose(time_ms, Draft(0, four.header.hash, 0, ()))
    return four, next(effect.message for effect in effects if isinstance(effect, Broadcast))


def test_a_batch_from_the_future_gets_no_vote(monkeypatch):
    monkeypatch.setitem(globals(), "NETWORK", replace(NETWORK, kind="test"))
    four, proposal = proposed_at(2_000_501)
    with pytest.raises(InvalidBatch, match="from the future"):
        four.members[1].receive_proposal(proposal, 2_000_000)
    assert four.members[2].receive_proposal(proposal, 2_000_001)


def test_a_leader_that_holds_time_back_gets_no_vote(monkeypatch):
    """A millisecond a batch while the clock goes on: no report of the oracle is young enough to count."""
    monkeypatch.setitem(globals(), "NETWORK", replace(NETWORK, kind="test"))
    four, proposal = proposed_at(2_000_000)
    with pytest.raises(InvalidBatch, match="from the past"):
        four.members[1].receive_proposal(proposal, 2_005_001)
    assert four.members[2].receive_proposal(proposal, 2_005_000)


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


def promised(effects) -> list:
    return [effect.promise for effect in effects if isinstance(effect, Persist)]


def test_a_leader_that_restarts_opens_a_new_term_rather_than_sign_something_else():
    alone = Members(1)
    draft = Draft(0, alone.header.hash, 0, ())
    first = alone.members[0].propose(2_000_000, draft)
    votes = [promise for promise in promised(first) if isinstance(promise, Vote)]
    assert [vote.kind for vote in votes] == [VoteKind.PREPARE]
    again = alone.sequencer(0, votes)
    assert [promise.term for promise in promised(again.start())] == [1]
    second = next(effect.batch for effect in again.propose(2_000_777, draft) if isinstance(effect, Execute))
    assert second.term == 1 and second.term_change is not None, "the old term is closed to other contents"


def test_a_member_that_restarts_casts_the_same_vote_again_and_no_other():
    four = Members(4)
    draft, other = (Draft(0, four.header.hash, 0, body) for body in ((b"\x70one",), (b"\x70two",)))
    one, two = (
        next(e.message for e in four.sequencer(0).propose(2_000_000, each) if isinstance(e, Broadcast))
        for each in (draft, other)
    )
    promises = promised(four.members[1].receive_proposal(one, 2_000_000))
    again = four.sequencer(1, promises)
    assert promised(again.receive_proposal(one, 2_000_000)) == promises
    again = four.sequencer(1, promises)
    with pytest.raises(InvalidBatch, match="already signed something else"):
        again.receive_proposal(two, 2_000_000)


def test_who_voted_for_another_term_votes_no_more_in_the_old_one_even_after_a_restart():
    four = Members(4)
    proposal = next(
        effect.message
        for effect in four.members[0].propose(2_000_000, Draft(0, four.header.hash, 0, ()))
        if isinstance(effect, Broadcast)
    )
    assert four.members[1].tick(1) == [], "it has nothing to repeat yet"
    promises = promised(four.members[1].tick(1 + TERM_PATIENCE_MS))
    assert [promise.term for promise in promises] == [1]
    for member in (four.members[1], four.sequencer(1, promises)):
        assert member.receive_proposal(proposal, 2_000_000) == []


def test_a_silent_leader_loses_its_term_to_the_next_member():
    four = Members(4, dead=(0,))
    for steady_ms in (1, 1 + TERM_PATIENCE_MS):
        four.tick(steady_ms)
    four.propose(2_001_000)
    batch = four.certified[1][0].batch
    assert (batch.term, batch.seq) == (1, 1)
    assert [signed.member for signed in batch.term_change.votes] == [1, 2, 3]


def test_what_was_prepared_in_the_old_term_is_proposed_again_with_its_bytes_unchanged():
    four = Members(4)
    four.only_prepares = True  # the commits get lost
    four.propose(2_000_000, (b"\x70one",))
    assert not any(four.certified.values())
    four.dead = (0,)
    four.tick(1)  # said again, and lost again
    four.only_prepares = False
    four.tick(1 + TERM_PATIENCE_MS)
    first = four.certified[1][0]
    assert (first.batch.term, first.batch.transactions) == (0, (b"\x70one",))
    assert first.certificate.term == 1, "the votes name the new term"
    four.propose(2_001_000)
    second = four.certified[1][1].batch
    assert (second.term, second.seq, second.parent_hash) == (1, 2, first.batch.hash)


def test_used_up_seeds_pass_the_lead_on_among_several():
    four = Members(4)
    for number in range(SEEDS + 1):
        four.propose(2_000_000 + number)
    batches = [entry.batch for entry in four.certified[3]]
    assert [batch.term for batch in batches] == [0] * SEEDS + [1]
    assert four.members[1].may_propose and not four.members[0].may_propose


def test_going_back_opens_a_new_term():
    alone = Members(1)
    alone.propose(2_000_000)
    before = alone.cursors[0]
    alone.propose(2_000_250)
    alone.cursors[0] = before
    alone.carry_out(0, alone.members[0].rewind(before))
    alone.propose(2_000_500)
    batches = [entry.batch for entry in alone.certified[0]]
    assert [(batch.term, batch.seq) for batch in batches] == [(0, 1), (0, 2), (1, 2)]


def test_a_vote_of_a_stranger_is_refused():
    four = Members(4)
    draft = Draft(0, four.header.hash, 0, ())
    effects = four.members[0].propose(2_000_000, draft)
    proposal = next(effect.message for effect in effects if isinstance(effect, Broadcast))
    with pytest.raises(InvalidSignature):
        four.members[1].receive_vote(replace(proposal.vote, member=2))


def test_a_batch_with_a_chosen_seed_is_refused():
    four = Members(4)
    draft = Draft(0, four.header.hash, 0, ())
    effects = four.members[0].propose(2_000_000, draft)
    proposal = next(
        e.message for e in effects if isinstance(e, Broadcast) and isinstance(e.message, Proposal)
    )
    batch = replace(proposal.batch, seed=keccak256(b"mine"))
    with pytest.raises(InvalidBatch, match="signed for another"):
        four.members[1].receive_proposal(replace(proposal, batch=batch), 2_000_000)
    vote = replace(proposal.vote.vote, batch_hash=batch.hash)
    signed = sign_vote(vote, NETWORK.chain_id, 0, key_of(0))
    with pytest.raises(InvalidBatch, match="preimage"):
        four.members[1].receive_proposal(Proposal(signed, batch), 2_000_000)


def test_a_proposal_of_who_does_not_lead_is_refused():
    four = Members(4)
    effects = four.members[0].propose(2_000_000, Draft(0, four.header.hash, 0, ()))
    proposal = next(effect.message for effect in effects if isinstance(effect, Broadcast))
    stolen = Proposal(sign_vote(proposal.vote.vote, NETWORK.chain_id, 2, key_of(2)), proposal.batch)
    with pytest.raises(InvalidBatch, match="not the leader"):
        four.members[1].receive_proposal(stolen, 2_000_000)
