"""A member of a federation of several, on a simulated disk, clock and network.

Sequencer, batch log and messages are the real ones. The ledger is a toy, so that many worlds run in little time:
executing a batch checks its head and moves the cursor. What a member lacks it gets from its peers, which report their
progress from time to time.
"""

import random
from dataclasses import dataclass, replace
from typing import assert_never

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.node.executor.promises import promises_in, record_of
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.record import Kind, Record
from coinone.protocols.sequencer.effects import (
    Broadcast,
    Certified,
    ChangeCall,
    Effect,
    Execute,
    Message,
    Persist,
    Proposal,
)
from coinone.protocols.sequencer.messages import decode_message, encode_message
from coinone.protocols.sequencer.sequencer import Draft, Sequencer
from coinone.rules.chain.cursor import Cursor, check_batch
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import Federation, sign_vote
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.certificate import SignedVote
from coinone.rules.ledger.header import Header
from sim.network import SimNetwork
from sim.process import SimProcess
from sim.votes import CertificateLedger, VoteLedger
from sim.world import World

TICK_MS = 300
LEAD_MS = 250
_HEAD, _CERTIFIED = b"\x10", b"\x11"
_CATCH_UP = 8  # certified batches sent at a time


@dataclass(frozen=True)
class Setting:
    """What all members share."""

    world: World
    network: Network
    federation: Federation
    genesis: Cursor
    header: Header
    votes: VoteLedger
    certificates: CertificateLedger


class SimMember(SimProcess):
    def __init__(self, number: int, setting: Setting, key: bytes, secret: bytes, dice: random.Random) -> None:
        super().__init__(number, setting.world, dice)
        self.two_faced = False  # leads by telling different members different things
        self.undone = 0
        self.again = 0  # batches certified in a later term than their own
        self.lies = 0
        self.cursor = setting.genesis
        self._setting = setting
        self._key = key
        self._secret = secret
        self._other: dict[bytes, Batch] = {}  # a lie: the batch that half of the members are told instead
        self._log: BatchLog
        self._promised: list[Record] = []
        self._sequencer: Sequencer

    def start(self, links: SimNetwork) -> None:
        self._begin(links)
        self._guarded(self._recover)

    def receive(self, peer: int, payload: bytes) -> None:
        self._guarded(lambda: self._take(peer, payload))

    def _recover(self) -> None:
        setting = self._setting
        self._log, self._promised = BatchLog(self.disk, self._dice.randbytes), []
        self.cursor = setting.genesis
        for raw in self._log.batches.values():
            self.cursor = self._moved(decode(CertifiedBatch, raw).batch)
        self._before = self.cursor
        self._sequencer = Sequencer(
            setting.network, setting.federation, self.number, self._key, self._secret, self.cursor, self,
            promises_in(self._log),
        )  # fmt: skip
        self._carry_out(self._sequencer.start())
        self._later(self._dice.randrange(TICK_MS), self._tick)
        self._later(self._dice.randrange(LEAD_MS), self._lead)

    def check(self, batch: Batch) -> None:
        self._moved(batch)

    def undo(self) -> None:
        assert self.cursor.seq == self._before.seq + 1, "only the newest batch is taken back"
        self.cursor = self._before
        self.undone += 1

    def _moved(self, batch: Batch) -> Cursor:
        """The toy ledger after `batch`. Raises InvalidBatch."""
        setting = self._setting
        header_of = {0: setting.header}.get
        term = check_batch(setting.network, setting.federation, self.cursor, batch, header_of)
        return replace(
            self.cursor, seq=batch.seq, batch_hash=batch.hash, time_ms=batch.time_ms, term=term
        )  # fmt: skip

    def _take(self, peer: int, payload: bytes) -> None:
        try:
            if payload[:1] == _HEAD:
                self._help(peer, int.from_bytes(payload[1:], "big"))
            elif payload[:1] == _CERTIFIED:
                self._carry_out(self._sequencer.receive_certified(decode(CertifiedBatch, payload[1:])))
            else:
                self._hear(decode_message(payload))
        except InvalidInput:
            pass  # it breaks a rule: no vote for it

    def _hear(self, message: Message) -> None:
        match message:
            case Proposal():
                self._carry_out(self._sequencer.receive_proposal(message, self.clock.wall_ms()))
            case ChangeCall():
                self._carry_out(self._sequencer.receive_change(message))
            case SignedVote():
                self._carry_out(self._sequencer.receive_vote(message))
            case _:
                assert_never(message)

    def _help(self, peer: int, seq: int) -> None:
        for number in range(seq + 1, min(seq + _CATCH_UP, self.cursor.seq) + 1):
            if number in self._log.batches:
                self._links.send(self.number, peer, _CERTIFIED + self._log.batches[number])

    def _tick(self) -> None:
        self._later(TICK_MS, self._tick)
        for peer in self._peers():
            self._links.send(self.number, peer, _HEAD + self.cursor.seq.to_bytes(8, "big"))
        self._carry_out(self._sequencer.tick(self._setting.world.now_ms))

    def _lead(self) -> None:
        self._later(LEAD_MS, self._lead)
        if self._sequencer.may_propose:
            draft = Draft(0, self._setting.header.hash, 0, (self._dice.randbytes(8),))
            self._carry_out(self._sequencer.propose(self.clock.wall_ms(), draft))

    def _carry_out(self, effects: list[Effect]) -> None:
        waiting = list(effects)
        while waiting:
            match effect := waiting.pop(0):
                case Persist(promise):
                    self._promised.append(record_of(promise))
                case Broadcast(message):
                    self._send(message)
                case Execute(batch):
                    self._before, self.cursor = self.cursor, self._moved(batch)
                    waiting.extend(self._sequencer.executed(self.cursor, results_of(batch)))
                case Certified(certified):
                    self._certified(certified)
                case _:
                    assert_never(effect)

    def _certified(self, certified: CertifiedBatch) -> None:
        self._setting.certificates.note(certified)
        self.again += certified.certificate.term > certified.batch.term
        self._sync([Record(Kind.BATCH, certified.batch.seq, encode(certified))])
        for peer in self._peers():
            self._links.send(self.number, peer, _CERTIFIED + encode(certified))

    def _send(self, message: Message) -> None:
        self._sync([])
        if not self.two_faced:
            self._setting.votes.note(self.number, message)
        for peer in self._peers():
            said = self._twisted(message) if self.two_faced and peer % 2 else message
            self._links.send(self.number, peer, encode_message(said))

    def _sync(self, records: list[Record]) -> None:
        promised, self._promised = self._promised, []
        if promised or records:
            self._log.append([*promised, *records])

    def _twisted(self, message: Message) -> Message:
        """A lie of the same form: another batch for the same seq, and votes for that one."""
        if isinstance(message, Proposal):
            batch = replace(message.batch, transactions=(b"lie", *message.batch.transactions))
            self._other[message.batch.hash] = batch
            self.lies += 1
            return Proposal(self._forged(message.vote, batch), batch, message.change)
        if isinstance(message, SignedVote) and message.vote.batch_hash in self._other:
            return self._forged(message, self._other[message.vote.batch_hash])
        return message

    def _forged(self, signed: SignedVote, batch: Batch) -> SignedVote:
        results = results_of(batch) if any(signed.vote.results) else signed.vote.results
        vote = replace(signed.vote, batch_hash=batch.hash, results=results)
        return sign_vote(vote, self._setting.network.chain_id, self.number, self._key)

    def _peers(self) -> list[int]:
        return [peer for peer in range(len(self._setting.federation.members)) if peer != self.number]


def results_of(batch: Batch) -> bytes:
    return keccak256(b"results" + batch.hash)
