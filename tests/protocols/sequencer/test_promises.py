"""Promises: one content per vote, none in a term given up, and all of it comes back from the log."""

import random

import pytest

from coinone.node.executor.promises import promises_in, record_of
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record
from coinone.protocols.sequencer.effects import PreparedBatch
from coinone.protocols.sequencer.promises import VoteJournal
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.certificate import NO_RESULTS, Vote, VoteKind
from coinone.rules.ledger.term_change import ChangeVote, Prepared
from sim.disk import SimDisk
from sim.votes import TwoContents, VoteLedger

ONE, TWO = b"\x01" * 32, b"\x02" * 32
BATCH = Batch(0, 5, ONE, 0, ONE, 1_000, 0, TWO, None, 0, (b"\x70x",))
HELD = PreparedBatch(Prepared(0, 5, BATCH.hash, ((0, bytes(65)), (1, bytes(65)))), BATCH)


def vote(term: int = 0, seq: int = 5, kind: VoteKind = VoteKind.PREPARE, batch: bytes = ONE) -> Vote:
    return Vote(kind, term, seq, batch, NO_RESULTS)


def test_the_same_again_is_allowed_and_nothing_else():
    promises = VoteJournal([vote()])
    assert promises.allow(vote())
    assert not promises.allow(vote(batch=TWO))
    for other in (vote(term=1, batch=TWO), vote(seq=6, batch=TWO), vote(kind=VoteKind.COMMIT, batch=TWO)):
        assert promises.allow(other)


def test_nothing_is_allowed_in_a_term_given_up():
    promises = VoteJournal([ChangeVote(3, 4, ONE, None)])
    assert not promises.allow(vote(term=2)) and promises.allow(vote(term=3))
    promises.note(ChangeVote(2, 4, ONE, None))
    assert not promises.allow(vote(term=2)), "an older vote for a term takes nothing back"


def test_what_was_prepared_last_counts():
    newer = PreparedBatch(Prepared(2, 5, TWO, ()), BATCH)
    for records in ([HELD, newer], [newer, HELD]):
        assert VoteJournal(records).prepared == newer


def test_all_of_it_comes_back_from_the_log(dice):
    promised = [vote(), HELD, vote(kind=VoteKind.COMMIT), ChangeVote(1, 4, ONE, HELD.prepared)]
    disk = SimDisk(dice)
    BatchLog(disk, dice.randbytes).append([record_of(promise) for promise in promised])
    assert promises_in(BatchLog(disk, dice.randbytes)) == promised


def test_a_vote_for_another_term_outlives_the_blocks_and_files_that_hold_all_else(dice, monkeypatch):
    monkeypatch.setattr("coinone.node.storage.batch_log.LOG_FILE_BYTES", 1_000)
    disk = SimDisk(dice)
    log, change = BatchLog(disk, dice.randbytes), ChangeVote(7, 0, ONE, None)
    log.append([record_of(vote(seq=1)), record_of(change)])
    for seq in range(1, 40):
        log.append([record_of(vote(seq=seq)), Record(Kind.BATCH, seq, bytes(100))])
        log.prune(seq)
    assert len(disk.names()) < 3, "old files are gone"
    assert change in promises_in(log)
    again = BatchLog(disk, dice.randbytes)
    again.prune(39)
    assert promises_in(again) == [change]


def test_a_record_that_a_crash_cut_off_had_not_left_yet(dice):
    """Synced first, then sent: what the log lacks after a crash, nobody else has."""
    disk = SimDisk(dice)
    log = BatchLog(disk, dice.randbytes)
    log.append([record_of(vote(seq=4))])
    disk.append(disk.names()[0], b"c1rc of a vote that was never synced")
    disk.crash()
    assert promises_in(BatchLog(disk, dice.randbytes)) == [vote(seq=4)]


@pytest.mark.parametrize("other", [vote(batch=TWO), Vote(VoteKind.PREPARE, 0, 5, ONE, TWO)])
def test_the_ledger_of_votes_finds_two_contents(other):
    ledger = VoteLedger()
    ledger.note_vote(0, vote())
    ledger.note_vote(0, vote())
    ledger.note_vote(1, other)
    with pytest.raises(TwoContents):
        ledger.note_vote(0, other)


def test_the_ledger_of_votes_finds_a_vote_in_a_term_given_up():
    ledger = VoteLedger()
    ledger.note_change(0, ChangeVote(2, 4, ONE, None))
    with pytest.raises(TwoContents):
        ledger.note_vote(0, vote(term=1))


@pytest.fixture
def dice():
    return random.Random(3)
