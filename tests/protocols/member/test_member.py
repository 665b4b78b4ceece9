"""A member: promises before messages, one write an event, bounded catch-up, and nothing lost by a restart."""

from typing import Any

import pytest

from coinone.base.primitives.errors import DecodeError, InvalidSignature
from coinone.protocols.member.effects import Answer, Effect, Enter, Refuse, SendTo, Write
from coinone.protocols.member.limits import CATCH_UP_BATCHES_MAX, CATCH_UP_BYTES_MAX, TICK_INTERVAL_MS
from coinone.protocols.member.messages import CertifiedPush, Forward, HeadReport, encode_message
from coinone.protocols.sequencer.effects import ChangeCall, Execute, PreparedBatch, Proposal
from coinone.protocols.sequencer.sequencer import TERM_PATIENCE_MS, Sequencer
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import SignedVote, Vote, VoteKind
from coinone.rules.ledger.term_change import ChangeVote
from tests.protocols.member.members_world import NOW_MS, SEEDS, World


class Unknown:
    """An effect of a later version."""


def kinds(effects: list[Effect]) -> list[list[type] | type]:
    """What the effects are: of a Write the records, of a SendTo the message."""
    shown: list[list[type] | type] = []
    for effect in effects:
        if isinstance(effect, Write):
            shown.append([type(record) for record in effect.records])
        else:
            shown.append(type(effect.message) if isinstance(effect, SendTo) else type(effect))
    return shown


def signed_in(message: object) -> object:
    """What the sender of a message signed and must have written; None of a message without a signature of its own."""
    match message:
        case SignedVote(vote):
            return vote
        case Proposal(signed):
            return signed.vote
        case ChangeCall(signed):
            return signed.vote
    return None


def test_four_members_certify_the_same_batches() -> None:
    world = World(4)
    world.make_batches(3)
    assert {host.cursor.batch_hash for host in world.hosts} == {world.hosts[0].cursor.batch_hash}
    assert [host.cursor.seq for host in world.hosts] == [3] * 4


def test_whatever_is_signed_is_written_before_it_is_sent() -> None:
    world = World(4)
    world.make_batches(2)
    for steady_ms in (1, 1 + TERM_PATIENCE_MS):
        for host in world.hosts:
            host.carry_out(host.member.tick(steady_ms))
        world.settle()
    seen = []
    for host in world.hosts:
        written: list[object] = []
        for effect in host.done:
            if isinstance(effect, Write):
                written += effect.records
            elif isinstance(effect, SendTo) and (promise := signed_in(effect.message)) is not None:
                assert promise in written
                seen.append(type(effect.message))
    assert {Proposal, SignedVote, ChangeCall} == set(seen)


def test_an_event_writes_once_and_first_and_executes_last() -> None:
    world = World(4)
    [leader, follower, *_] = world.hosts
    proposed = leader.member.propose(NOW_MS, world.draft())
    assert kinds(proposed) == [[Vote], Proposal]
    assert isinstance(proposed[1], SendTo)
    votes = [host.member.received(0, encode_message(proposed[1].message), NOW_MS) for host in world.hosts[1:]]
    assert [kinds(effects) for effects in votes] == [[[Vote], SignedVote]] * 3
    [_, second, third] = [
        effect.message for effects in votes for effect in effects if isinstance(effect, SendTo)
    ]
    # Member 1 has the leader's prepare and its own; member 2's makes the quorum of three.
    ready = follower.member.received(2, encode_message(second), NOW_MS)
    assert kinds(ready) == [Execute], "the quorum is written with the vote that depends on it"
    follower.carry_out(ready)
    assert kinds(follower.done) == [Execute, [PreparedBatch, Vote], SignedVote]
    assert third.vote.kind is VoteKind.PREPARE


def test_a_certified_batch_is_written_before_it_is_answered() -> None:
    world = World(4)
    world.make_batches(1)
    for host in world.hosts:
        at = next(place for place, effect in enumerate(host.done) if isinstance(effect, Answer))
        write = host.done[at - 1]
        assert isinstance(write, Write) and isinstance(write.records[-1], CertifiedBatch)


def test_the_leader_sends_a_certified_batch_to_all_and_nobody_else_does() -> None:
    world = World(4)
    world.make_batches(2)
    pushed = [
        [(peer, message.raw) for peer, message in host.sent() if isinstance(message, CertifiedPush)]
        for host in world.hosts
    ]
    batches = world.hosts[3].batches
    assert pushed[0] == [(None, world.hosts[0].batches[seq]) for seq in (1, 2)] and set(batches) == {1, 2}
    assert pushed[1:] == [[], [], []]


def test_a_federation_of_one_writes_a_batch_with_its_votes_at_once_and_sends_nothing() -> None:
    alone = World(1)
    alone.make_batches(1)
    assert kinds(alone.hosts[0].done) == [Execute, [Vote, Vote, CertifiedBatch], Answer]
    assert alone.hosts[0].member.tick(1) == []


def test_whatever_part_of_a_write_a_crash_leaves_the_chain_goes_on() -> None:
    """The batch that uses up the seeds is written with the vote for the next term, which names it as certified."""
    for left in range(5):
        alone = World(1)
        host = alone.hosts[0]
        alone.make_batches(SEEDS - 1)
        before, written = host.cursor, list(host.written)
        alone.make_batches(1)
        records = host.written[len(written) :]
        assert {CertifiedBatch, ChangeVote} < {type(record) for record in records} and len(records) == 4
        host.written = [*written, *records[:left]]
        is_there = any(isinstance(record, CertifiedBatch) for record in records[:left])
        host.cursor = host.cursor if is_there else before
        host.carry_out(host.restart())
        alone.make_batches(1)
        assert host.cursor.seq == (SEEDS + 1 if is_there else SEEDS)


def test_going_back_is_one_write_of_the_vote_for_another_term() -> None:
    alone = World(1)
    host = alone.hosts[0]
    alone.make_batches(1)
    first = host.cursor
    alone.make_batches(1)
    host.cursor = first
    [record] = host.member.rewind(first).records
    assert isinstance(record, ChangeVote) and (record.term, record.seq) == (1, 1)


def test_a_vote_for_another_term_is_sent_again_after_a_restart() -> None:
    world = World(4)
    host = world.hosts[2]
    host.member.tick(1)
    host.carry_out(host.member.tick(1 + TERM_PATIENCE_MS))
    [call] = [message for _, message in host.sent() if isinstance(message, ChangeCall)]
    assert call.signed.vote.term == 1
    assert host.restart() == [SendTo(None, call)]


def test_a_vote_that_was_written_and_never_sent_is_sent_after_a_restart() -> None:
    """The crash came between the sync and the network."""
    world = World(4)
    host = world.hosts[2]
    host.member.tick(1)
    [write, *_] = host.member.tick(1 + TERM_PATIENCE_MS)
    assert isinstance(write, Write)
    host.carry_out([write])
    assert kinds(host.restart()) == [ChangeCall]


def lagging(batches: int, size: int = 1) -> World:
    """Three members that made batches while the last was away."""
    world = World(4)
    world.dead = [3]
    world.make_batches(batches, size)
    world.dead = []
    return world


def answers(world: World, report: int, steady_ms: int | None = None) -> list[int]:
    """The sizes of the batches that member 0 sends member 3 for a report."""
    member = world.hosts[0].member
    if steady_ms is not None:
        member.tick(steady_ms)
    effects = member.received(3, encode_message(HeadReport(report)), NOW_MS)
    sent = [effect for effect in effects if isinstance(effect, SendTo)]
    assert sent == effects and [effect.peer for effect in sent] == [3] * len(sent)
    return [len(effect.message.raw) for effect in sent if isinstance(effect.message, CertifiedPush)]


def test_a_member_that_was_away_catches_up_by_its_reports() -> None:
    world = lagging(40)
    for tick in range(4):  # 16 batches in each answer: 40 take three reports
        for host in world.hosts:
            host.carry_out(host.member.tick(1 + tick * TICK_INTERVAL_MS))
        world.settle()
    assert world.hosts[3].cursor == world.hosts[0].cursor
    assert list(world.hosts[3].batches) == list(range(1, 41))


def test_an_answer_has_at_most_so_many_batches() -> None:
    world = lagging(CATCH_UP_BATCHES_MAX + 1)
    assert len(answers(world, 0)) == CATCH_UP_BATCHES_MAX
    assert len(answers(world, CATCH_UP_BATCHES_MAX, steady_ms=1)) == 1


def test_an_answer_has_at_most_so_many_bytes_but_the_first_batch_always() -> None:
    world = lagging(6, size=120_000)  # four are 480,000 bytes, five are more than 500,000
    sizes = answers(world, 0)
    assert len(sizes) == 4 and sum(sizes) <= CATCH_UP_BYTES_MAX
    large = lagging(2, size=CATCH_UP_BYTES_MAX)
    assert len(answers(large, 0)) == 1


def test_nobody_is_answered_twice_in_a_tick_however_often_it_asks() -> None:
    world = lagging(40)
    answered = [len(answers(world, report)) for report in (0, 0, 16, 0)]
    assert answered == [16, 0, 0, 0]
    assert world.hosts[0].member.tick(1) != []
    assert len(answers(world, 16)) == 16
    assert answers(world, 32, steady_ms=TICK_INTERVAL_MS) == [], "the next tick is at 301 ms"
    assert len(answers(world, 32, steady_ms=1 + TICK_INTERVAL_MS)) == 8


def test_whoever_is_not_behind_or_beyond_what_is_kept_gets_nothing() -> None:
    world = lagging(3)
    assert answers(world, 3) == answers(world, 4) == answers(world, 2**64 - 1) == []
    del world.hosts[0].batches[1]
    assert answers(world, 0) == []


def test_a_batch_that_does_not_follow_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = lagging(2)
    raws = world.hosts[0].batches
    late = world.hosts[3].member

    def never(*given: object) -> None:
        raise AssertionError("decoded")

    with monkeypatch.context() as patch:
        patch.setattr("coinone.protocols.member.member.decode", never)
        assert late.received(0, encode_message(CertifiedPush(raws[2])), NOW_MS) == []
    assert kinds(late.received(0, encode_message(CertifiedPush(raws[1])), NOW_MS)) == [Execute]


def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing() -> None:
    world = World(4)
    [_, send] = world.hosts[0].member.propose(NOW_MS, world.draft())
    assert isinstance(send, SendTo) and isinstance(send.message, Proposal)
    stranger = SignedVote(send.message.vote.vote, 2, send.message.vote.signature)
    member = world.hosts[1].member
    for payload, kind in ((b"\x09\xc0", DecodeError), (encode_message(stranger), InvalidSignature)):
        [refused] = member.received(2, payload, NOW_MS)
        assert isinstance(refused, Refuse) and refused.peer == 2 and type(refused.error) is kind
    assert kinds(member.received(0, encode_message(send.message), NOW_MS)) == [[Vote], SignedVote]


def test_an_event_before_the_results_of_a_batch_is_an_error() -> None:
    alone = World(1).hosts[0]
    assert kinds(alone.member.propose(NOW_MS, alone.world.draft())) == [Execute]
    with pytest.raises(AssertionError, match="before the results"):
        alone.member.tick(1)


def test_an_effect_of_the_sequencer_that_nobody_handles_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(self: Sequencer, steady_ms: int) -> list[Any]:
        return [Unknown()]

    monkeypatch.setattr(Sequencer, "tick", tick)
    with pytest.raises(AssertionError, match="Unknown"):
        World(4).hosts[0].member.tick(1)


def test_a_clients_transaction_goes_to_the_leader_and_nobody_else_takes_it() -> None:
    leader, member, other = [host.member for host in World(4).hosts[:3]]
    assert member.forward(b"order") == [SendTo(0, Forward(b"order"))]
    assert leader.received(1, encode_message(Forward(b"order")), NOW_MS) == [Enter(1, b"order")]
    assert other.received(1, encode_message(Forward(b"order")), NOW_MS) == []
