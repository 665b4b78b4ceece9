"""A member of the federation: everything but clock, disk, network and ledger, which are its host's.

Theory of operation. The sequencer votes; this file puts its effects in order, sends and reads the messages between
members, and helps those that are behind:

    received, tick, propose --> sequencer --> [Write] Answer, SendTo ... [Execute] --executed--> [Write] ...

Rule 1: what an event promises is one `Write`, the first of its effects, together with the batch that it certifies; so
nothing is sent or answered that is not on disk. Its records are in the order in which they came about, since a crash
may leave the first of them only: a vote that names a batch as certified is not there without the batch. Promises on
which nothing depends yet wait for the next `Write`: a federation of one writes those of a batch with the batch. Rule 2:
an `Execute` is the last effect, and the host passes its results to `executed` before any other event. Rule 3: a member
reports its newest batch in every tick, and those that have later ones answer with the next few, once in a tick for each
peer, whatever that peer sends.

A node and the simulation host the same code. A message that breaks a rule is refused by name and changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, assert_never

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.base.primitives.types import Hash32
from coinone.protocols.member import limits
from coinone.protocols.member.effects import Answer, Effect, Enter, Refuse, SendTo, Write, Written
from coinone.protocols.member.messages import CertifiedPush, Forward, HeadReport, Message, decode_message
from coinone.protocols.relay.carried import count_items, seq_of
from coinone.protocols.relay.limits import CARRIED_ITEMS_MAX
from coinone.protocols.sequencer.effects import (
    Broadcast,
    Certified,
    ChangeCall,
    Execute,
    Persist,
    PreparedBatch,
    Promise,
    Proposal,
)
from coinone.protocols.sequencer.effects import Effect as SequencerEffect
from coinone.protocols.sequencer.sequencer import ChainQueries, Draft, Sequencer
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import SignedVote

ReadCertified: TypeAlias = Callable[[int], bytes | None]
"""The encoded certified batch with this seq, or None if it is not there."""


class Member:
    def __init__(
        self,
        network: Network,
        federation: Federation,
        number: int,
        key: bytes,
        secret: bytes,
        cursor: Cursor,
        ledger: ChainQueries,
        read_certified: ReadCertified,
        promises: Iterable[Promise] = (),
    ) -> None:
        self._sequencer = Sequencer(network, federation, number, key, secret, cursor, ledger, promises)
        self._read_certified = read_certified
        self._is_alone = len(federation.members) == 1
        self._unwritten: list[Written] = []  # for the next Write
        self._is_executing = False
        self._answered: list[int] = []  # peers that were sent batches since the last tick
        self.due_ms = 0  # of the next tick, on the clock that `tick` is given

    def start(self) -> list[Effect]:
        """Start, once after construction. The promises of the last run are binding; its vote for another term is sent
        again."""
        return self._ordered(self._sequencer.start())

    @property
    def seq(self) -> int:
        """The seq of the newest certified batch."""
        return self._sequencer.seq

    @property
    def leader(self) -> int:
        """The member that leads the term which this one is in."""
        return self._sequencer.leader

    @property
    def is_leader(self) -> bool:
        return self._sequencer.is_leader

    @property
    def may_propose(self) -> bool:
        return self._sequencer.may_propose

    def propose(self, now_ms: int, draft: Draft) -> list[Effect]:
        """Lead: make the next batch. Allowed while `may_propose`."""
        return self._ordered(self._sequencer.propose(now_ms, draft))

    def received(self, peer: int, payload: bytes, now_ms: int) -> list[Effect]:
        """Process a message that the transport proved to be of member `peer`. Never raises for what it contains."""
        try:
            return self._handle(peer, decode_message(payload), now_ms)
        except InvalidInput as error:
            return [Refuse(peer, error)]

    def executed(self, cursor: Cursor, results: Hash32) -> list[Effect]:
        """The batch of the last `Execute` was applied; `results` is the digest that the certificate names."""
        assert self._is_executing, "nothing was to be executed"
        self._is_executing = False
        return self._ordered(self._sequencer.executed(cursor, results))

    def tick(self, steady_ms: int) -> list[Effect]:
        """Process time, of a clock that never falls back: report progress, repeat what others may have missed, and
        end the term of a silent leader. Nothing happens before `due_ms`."""
        if steady_ms < self.due_ms:
            return []
        self.due_ms = steady_ms + limits.TICK_INTERVAL_MS
        self._answered.clear()
        effects = self._ordered(self._sequencer.tick(steady_ms))
        return effects if self._is_alone else [*effects, SendTo(None, HeadReport(self._sequencer.seq))]

    def forward(self, raw: bytes) -> list[Effect]:
        """Send the leader, another member, a transaction that a client gave to this one. It may be lost: the host sends
        it again until a batch has it."""
        assert not self.is_leader, "the leader takes it itself"
        return [SendTo(self.leader, Forward(raw))]

    def rewind(self, cursor: Cursor) -> Write:
        """Return to an earlier batch (dev's evm_revert). What is returned must be written together with the mark that
        later batches are void."""
        effects = self._ordered(self._sequencer.rewind(cursor))
        assert effects == [], "who is alone sends nothing, and proposes when asked to"
        [write] = self._write()
        return write

    def _handle(self, peer: int, message: Message, now_ms: int) -> list[Effect]:
        match message:
            case Proposal():
                return self._ordered(self._sequencer.receive_proposal(message, now_ms))
            case SignedVote():
                return self._ordered(self._sequencer.receive_vote(message))
            case ChangeCall():
                return self._ordered(self._sequencer.receive_change(message))
            case CertifiedPush(raw):
                return self._take(raw)
            case HeadReport(seq):
                return self._help(peer, seq)
            case Forward(raw):
                return [Enter(peer, raw)] if self.is_leader else []
            case _:
                assert_never(message)

    def _take(self, raw: bytes) -> list[Effect]:
        """Catch up with the batch that follows. Others are not decoded."""
        if seq_of(raw) != self._sequencer.seq + 1:
            return []
        count_items(raw, CARRIED_ITEMS_MAX)
        return self._ordered(self._sequencer.receive_certified(decode(CertifiedBatch, raw)))

    def _help(self, peer: int, seq: int) -> list[Effect]:
        """Send the next batches to a peer that is behind, unless it was sent some in this tick."""
        if seq >= self._sequencer.seq or peer in self._answered:
            return []
        self._answered.append(peer)
        return [SendTo(peer, CertifiedPush(raw)) for raw in self._certified_after(seq)]

    def _certified_after(self, seq: int) -> Iterator[bytes]:
        left = limits.CATCH_UP_BYTES_MAX
        for number in range(seq + 1, min(seq + limits.CATCH_UP_BATCHES_MAX, self._sequencer.seq) + 1):
            raw = self._read_certified(number)
            if raw is None or (number > seq + 1 and len(raw) > left):
                return
            left -= len(raw)
            yield raw

    def _ordered(self, effects: list[SequencerEffect]) -> list[Effect]:
        """The sequencer's effects in the order in which the host carries them out."""
        assert not self._is_executing, "an event before the results of Execute"
        later: list[Effect] = []
        last: list[Effect] = []
        for effect in effects:
            match effect:
                case Persist(promise):
                    self._unwritten.append(promise)
                case Broadcast(message):
                    later += self._to_others(message)
                case Certified(batch):
                    self._certify(batch)
                    later += [Answer(batch), *self._push(batch)]
                case Execute():
                    last.append(effect)
                case _:
                    assert_never(effect)
        assert len(last) <= 1, "one batch is executed at a time"
        self._is_executing = bool(last)
        return [*(self._write() if later else []), *later, *last]

    def _to_others(self, message: Message) -> list[Effect]:
        return [] if self._is_alone else [SendTo(None, message)]

    def _push(self, certified: CertifiedBatch) -> list[Effect]:
        """As the leader, send a new batch ahead of the next proposal, which a member that lacks it would ignore."""
        if self._is_alone or not self._sequencer.is_leader:
            return []
        return [SendTo(None, CertifiedPush(encode(certified)))]

    def _certify(self, certified: CertifiedBatch) -> None:
        """Have the batch written. It need not be written as prepared too."""
        seq = certified.batch.seq
        kept = [
            one for one in self._unwritten if not (isinstance(one, PreparedBatch) and one.prepared.seq == seq)
        ]
        self._unwritten = [*kept, certified]

    def _write(self) -> list[Write]:
        """All that is not written yet."""
        records, self._unwritten = tuple(self._unwritten), []
        return [Write(records)] if records else []
