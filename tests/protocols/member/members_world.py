"""Members with hosts that only remember: what was written, sent and answered, and in which order."""

from collections import deque
from dataclasses import replace

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.records import encode
from coinone.node.networks import load_network
from coinone.protocols.member.effects import Answer, Effect, Refuse, SendTo, Write, Written
from coinone.protocols.member.member import Member
from coinone.protocols.member.messages import Message, encode_message
from coinone.protocols.sequencer.changing import seed_chain
from coinone.protocols.sequencer.effects import Execute, Promise
from coinone.protocols.sequencer.sequencer import Draft
from coinone.rules.chain.cursor import Cursor, check_batch
from coinone.rules.chain.genesis import Genesis, genesis_cursor, genesis_header
from coinone.rules.consensus.federation import Federation
from coinone.rules.ledger.batch import Batch, CertifiedBatch

SEEDS = 100
NETWORK = replace(load_network("dev"), seed_length=SEEDS)
ZERO = bytes(32)
NOW_MS = 2_000_000


def key_of(number: int) -> bytes:
    return (number + 1).to_bytes(32, "big")


def secret_of(number: int) -> bytes:
    return keccak256(b"secret" + bytes((number,)))


class Host:
    """A member's disk, ledger and clock."""

    def __init__(self, world: "World", number: int) -> None:
        self.world, self.number = world, number
        self.cursor = self.before = world.genesis
        self.written: list[Written] = []
        self.done: list[Effect] = []
        self.batches: dict[int, bytes] = {}
        self.member = self.new_member(())

    def new_member(self, promises: tuple[Promise, ...]) -> Member:
        return Member(
            NETWORK, self.world.federation, self.number, key_of(self.number), secret_of(self.number),
            self.cursor, self, lambda seq: self.batches.get(seq), promises,
        )  # fmt: skip

    def restart(self) -> list[Effect]:
        """Lose everything but what was written."""
        promises = tuple(record for record in self.written if not isinstance(record, CertifiedBatch))
        self.member = self.new_member(promises)
        return self.member.start()

    def check(self, batch: Batch) -> None:
        self._moved(batch)

    def undo(self) -> None:
        self.cursor = self.before

    def _moved(self, batch: Batch) -> Cursor:
        header_of = {0: self.world.header}.get
        term = check_batch(NETWORK, self.world.federation, self.cursor, batch, header_of)
        return replace(
            self.cursor, seq=batch.seq, batch_hash=batch.hash, time_ms=batch.time_ms, term=term
        )  # fmt: skip

    def carry_out(self, effects: list[Effect]) -> None:
        self.done += effects
        for effect in effects:
            match effect:
                case Write(records):
                    self.written += records
                    for one in records:
                        if isinstance(one, CertifiedBatch):
                            self.batches[one.batch.seq] = encode(one)
                case SendTo(peer, message):
                    self.world.send(self.number, peer, message)
                case Execute(batch):
                    self.before, self.cursor = self.cursor, self._moved(batch)
                    self.carry_out(self.member.executed(self.cursor, keccak256(batch.hash)))
                case Answer() | Refuse():
                    pass

    def sent(self) -> list[tuple[int | None, Message]]:
        return [(effect.peer, effect.message) for effect in self.done if isinstance(effect, SendTo)]


class World:
    def __init__(self, count: int) -> None:
        self.federation = Federation(tuple(address_of(key_of(number)) for number in range(count)))
        genesis = Genesis(1_000_000, self.federation, (), seed_chain(secret_of(0), 0, SEEDS)[0])
        self.header = genesis_header(NETWORK, genesis, ZERO, ZERO)
        self.genesis = genesis_cursor(NETWORK, genesis, self.header)
        self.wire: deque[tuple[int, int, bytes]] = deque()
        self.dead: list[int] = []
        self.hosts = [Host(self, number) for number in range(count)]

    def send(self, sender: int, peer: int | None, message: Message) -> None:
        for other in range(len(self.hosts)) if peer is None else [peer]:
            if other != sender:
                self.wire.append((sender, other, encode_message(message)))

    def settle(self) -> None:
        while self.wire:
            sender, receiver, payload = self.wire.popleft()
            if receiver not in self.dead:
                host = self.hosts[receiver]
                host.carry_out(host.member.received(sender, payload, NOW_MS))

    def draft(self, size: int = 1) -> Draft:
        return Draft(0, self.header.hash, 0, (b"\x70" * size,))

    def make_batches(self, count: int, size: int = 1) -> None:
        for number in range(count):
            leader = self.hosts[0]
            leader.carry_out(leader.member.propose(NOW_MS + number, self.draft(size)))
            self.settle()
