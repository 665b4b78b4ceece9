"""The host of a member of a federation of several: a simulated disk, clock and network, and a toy ledger.

The member and the batch log are the real ones. Executing a batch checks its head and moves the cursor, so that many
worlds run in little time. A two-faced member is an honest one whose host changes what half of its peers receive.
"""

import random
from dataclasses import dataclass, replace
from typing import assert_never

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.records import decode
from coinone.node.executor.promises import promises_in, record_of
from coinone.node.storage.batch_log import BatchLog
from coinone.protocols.member.effects import Answer, Effect, Enter, Refuse, SendTo, Write
from coinone.protocols.member.member import Member
from coinone.protocols.member.messages import CertifiedPush, HeadReport, Message, encode_message
from coinone.protocols.sequencer.effects import Execute, Proposal
from coinone.protocols.sequencer.sequencer import Draft
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

START_MS = 300  # members begin to tick and to lead at different moments within this
LEAD_MS = 250


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
        self.refused = 0
        self.caught_up = 0  # batches sent to a peer that was behind
        self.cursor = setting.genesis
        self._setting = setting
        self._key = key
        self._secret = secret
        self._other: dict[bytes, Batch] = {}  # a lie: the batch that half of the members are told instead
        self._log: BatchLog
        self._member: Member

    def start(self, links: SimNetwork) -> None:
        self._begin(links)
        self._guarded(self._recover)

    def receive(self, peer: int, payload: bytes) -> None:
        self._guarded(lambda: self._carry_out(self._member.received(peer, payload, self.clock.wall_ms())))

    def _recover(self) -> None:
        setting = self._setting
        self._log = BatchLog(self.disk, self._dice.randbytes)
        self.cursor = setting.genesis
        for raw in self._log.batches.values():
            self.cursor = self._moved(decode(CertifiedBatch, raw).batch)
        self._before = self.cursor
        self._member = Member(
            setting.network, setting.federation, self.number, self._key, self._secret, self.cursor, self,
            self._log.batches.get, promises_in(self._log),
        )  # fmt: skip
        self._carry_out(self._member.start())
        self._later(self._dice.randrange(START_MS), self._tick)
        self._later(self._dice.randrange(START_MS), self._lead)

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

    def _tick(self) -> None:
        now_ms = self._setting.world.now_ms
        effects = self._member.tick(now_ms)
        self._later(self._member.due_ms - now_ms, self._tick)
        self._carry_out(effects)

    def _lead(self) -> None:
        self._later(LEAD_MS, self._lead)
        if self._member.may_propose:
            draft = Draft(0, self._setting.header.hash, 0, (self._dice.randbytes(8),))
            self._carry_out(self._member.propose(self.clock.wall_ms(), draft))

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Write(records):
                    self._log.append([record_of(record) for record in records])
                case SendTo(peer, message):
                    self._send(peer, message)
                case Execute(batch):
                    self._before, self.cursor = self.cursor, self._moved(batch)
                    self._carry_out(self._member.executed(self.cursor, results_of(batch)))
                case Answer(certified):
                    self._setting.certificates.note(certified)
                    self.again += certified.certificate.term > certified.batch.term
                case Enter():
                    raise AssertionError("no client gives the toy ledger a transaction")
                case Refuse(_, error):
                    assert not isinstance(error, DecodeError | LimitExceeded), f"members write well: {error}"
                    self.refused += 1
                case _:
                    assert_never(effect)

    def _send(self, to: int | None, message: Message) -> None:
        if not self.two_faced and not isinstance(message, HeadReport | CertifiedPush):
            self._setting.votes.note(self.number, message)
        self.caught_up += to is not None
        for peer in self._peers() if to is None else [to]:
            said = self._twisted(message) if self.two_faced and peer % 2 else message
            self._links.send(self.number, peer, encode_message(said))

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
