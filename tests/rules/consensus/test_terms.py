"""Change certificates: what a quorum of change votes comes to, and what of a change is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.records import decode, encode
from coinone.rules.consensus.federation import Federation, sign_vote, signatures_of
from coinone.rules.consensus.terms import (
    Term,
    check_term_change,
    claim_of,
    sign_change_vote,
    sign_term_change,
)
from coinone.rules.ledger.certificate import NO_RESULTS, Vote, VoteKind
from coinone.rules.ledger.term_change import ChangeVote, Prepared, TermChange

CHAIN = 7
KEYS = [(member + 1).to_bytes(32, "big") for member in range(4)]
FOUR = Federation(tuple(address_of(key) for key in KEYS))
ONE, TWO, THREE = (bytes([tag]) * 32 for tag in (1, 2, 3))
RUNNING = Term(0, 1, ONE, 5)


def prepared(term: int, seq: int, batch_hash: bytes, members=(0, 1, 2), key_of=KEYS.__getitem__) -> Prepared:
    vote = Vote(VoteKind.PREPARE, term, seq, batch_hash, NO_RESULTS)
    votes = [sign_vote(vote, CHAIN, member, key_of(member)) for member in members]
    return Prepared(term, seq, batch_hash, signatures_of(votes))


def change(
    votes: dict[int, ChangeVote], first_seq: int, parent: bytes, term: int = 1, leader: int = 1
) -> TermChange:
    signed = tuple(
        sign_change_vote(vote, CHAIN, member, KEYS[member]) for member, vote in sorted(votes.items())
    )
    return sign_term_change(TermChange(term, first_seq, parent, TWO, 9, signed, b""), CHAIN, KEYS[leader])


def at(seq: int, batch_hash: bytes, held: Prepared | None = None, term: int = 1) -> ChangeVote:
    return ChangeVote(term, seq, batch_hash, held)


def check(some: TermChange, parent: tuple[int, bytes]) -> None:
    check_term_change(some, CHAIN, FOUR, RUNNING, parent)


def test_a_term_begins_after_the_last_batch_that_any_of_its_votes_has_certified():
    votes = {0: at(8, TWO), 1: at(9, ONE), 3: at(9, ONE)}
    check(change(votes, 10, ONE), (9, ONE))
    with pytest.raises(InvalidBatch, match="leaves out"):
        check(change(votes, 9, TWO), (8, TWO))


def test_a_batch_that_a_vote_shows_as_prepared_comes_first():
    votes = {0: at(9, ONE), 1: at(9, ONE), 2: at(9, ONE, prepared(0, 10, TWO))}
    assert claim_of(votes.values()).again.batch_hash == TWO
    check(change(votes, 11, TWO), (10, TWO))
    with pytest.raises(InvalidBatch, match="leaves out"):
        check(change(votes, 10, ONE), (9, ONE))


def test_of_two_prepared_batches_the_one_of_the_higher_term_comes_first():
    votes = [
        at(9, ONE, prepared(1, 10, TWO), term=3),
        at(9, ONE, prepared(2, 10, THREE), term=3),
        at(9, ONE, term=3),
    ]
    assert claim_of(votes).again.batch_hash == THREE


def test_what_somebody_has_certified_outweighs_what_others_saw_prepared_there():
    votes = [at(10, TWO), at(9, ONE, prepared(0, 10, THREE)), at(9, ONE)]
    assert claim_of(votes).parent == (10, TWO)


@given(
    st.permutations(
        [at(10, TWO), at(9, ONE, Prepared(0, 10, THREE, ())), at(10, TWO, Prepared(0, 11, ONE, ()))]
    )
)
def test_a_claim_does_not_depend_on_the_order_of_the_votes(votes):
    assert claim_of(votes).parent == (11, ONE)


def test_two_different_certified_batches_are_no_claim():
    with pytest.raises(InvalidBatch, match="different batches"):
        claim_of([at(9, ONE), at(9, TWO)])


LAWFUL = {0: at(9, ONE), 1: at(9, ONE), 2: at(9, ONE)}


@pytest.mark.parametrize(
    ("some", "match"),
    [
        (change({0: LAWFUL[0], 1: LAWFUL[1]}, 10, ONE), "no quorum"),
        (change(LAWFUL, 10, ONE, leader=2), "not signed by its leader"),
        (change(LAWFUL, 10, ONE, term=0, leader=0), "term does not rise"),
        (change({**LAWFUL, 2: at(9, ONE, term=2)}, 10, ONE), "another term"),
        (replace(change(LAWFUL, 10, ONE), seed_length=0), "without seeds"),
        (replace(change(LAWFUL, 10, ONE), seed_tip=THREE), "not signed by its leader"),
        (change(LAWFUL, 11, TWO), "begins after another batch"),
        (change({**LAWFUL, 2: at(9, ONE, prepared(0, 10, TWO, (0, 1)))}, 11, TWO), "another batch|no quorum"),
        (change({**LAWFUL, 2: at(9, ONE, prepared(1, 10, TWO))}, 11, TWO), "another batch|out of place"),
    ],
)
def test_any_other_change_is_refused(some, match):
    with pytest.raises(InvalidBatch, match=match):
        check(some, (9, ONE))


@pytest.mark.parametrize(
    ("held", "match"),
    [
        (prepared(0, 10, TWO, (0, 1)), "no quorum"),
        (prepared(0, 10, TWO, (0, 1, 2), lambda member: KEYS[3]), "bad signature"),
        (replace(prepared(0, 10, TWO), batch_hash=THREE), "bad signature"),
        (prepared(1, 10, TWO), "out of place"),
    ],
)
def test_a_member_must_prove_what_it_says_was_prepared(held, match):
    some = change({**LAWFUL, 2: at(9, ONE, held)}, 11, held.batch_hash)
    with pytest.raises(InvalidBatch, match=match):
        check(some, (10, held.batch_hash))


def test_a_vote_that_somebody_else_signed_is_refused():
    some = change(LAWFUL, 10, ONE)
    forged = (*some.votes[:2], replace(some.votes[2], member=3))
    with pytest.raises(InvalidBatch, match="bad signature"):
        check(replace(some, votes=forged), (9, ONE))


def test_a_change_survives_being_written_down():
    some = change({**LAWFUL, 2: at(9, ONE, prepared(0, 10, TWO))}, 11, TWO)
    assert decode(TermChange, encode(some)) == some
