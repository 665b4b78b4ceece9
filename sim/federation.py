"""A simulated run of a federation of four (storm.py): one seq has one certificate, and the chain continues.

What is under test is agreement: any member may crash in the middle of a write, the network parts and breaks, clocks
jump, seeds run out every few seconds, and in some worlds one member sends the others different messages whenever it
leads. `VoteLedger` and `CertificateLedger` watch every vote and every certificate.
"""

import hashlib
from dataclasses import dataclass, replace

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.types import ZERO_HASH
from coinone.protocols.sequencer.changing import seed_chain
from coinone.rules.chain.genesis import Genesis, genesis_cursor, genesis_header
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import Federation
from sim.member import Setting, SimMember
from sim.network import SimNetwork, Weather
from sim.storm import Storm
from sim.votes import CertificateLedger, VoteLedger
from sim.world import World

MEMBERS = 4
SEEDS = 24
STORM_MS = 60_000
CALM_MS = 60_000  # some rounds of the longest patience
FAULT_MS = 2_000


@dataclass(frozen=True)
class FederationReport:
    """What happened, for the one line that a run prints."""

    seed: int
    batches: int
    terms: int
    again: int  # batches certified in a later term than their own
    votes: int
    undone: int
    crashes: int
    torn_tails: int
    broken_connections: int
    partitions: int
    clock_jumps: int
    lies: int
    caught_up: int  # batches sent to a member that was behind
    refused: int  # messages that broke a rule
    digest: str

    def line(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in vars(self).items() if name != "seed")
        return f"federation seed {self.seed}: {figures}"


class FederationScenario:
    def __init__(self, seed: int, network: Network) -> None:
        self.world = World(seed)
        # Bounds of time hold on every network but dev.
        self.network = replace(network, kind="test", seed_length=SEEDS)
        self.votes, self.certificates = VoteLedger(), CertificateLedger()
        keys = [keccak256(b"sim-member" + bytes((number,))) for number in range(MEMBERS)]
        secrets = [keccak256(b"sim-secret" + bytes((number,))) for number in range(MEMBERS)]
        federation = Federation(tuple(address_of(key) for key in keys))
        genesis = Genesis(self.world.now_ms, federation, (), seed_chain(secrets[0], 0, SEEDS)[0])
        header = genesis_header(self.network, genesis, ZERO_HASH, ZERO_HASH)
        cursor = genesis_cursor(self.network, genesis, header)
        setting = Setting(self.world, self.network, federation, cursor, header, self.votes, self.certificates)
        self.members = [
            SimMember(number, setting, keys[number], secrets[number], self.world.random)
            for number in range(MEMBERS)
        ]
        self.links = SimNetwork(
            self.world,
            Weather.drawn(self.world),
            connected=lambda node, peer: None,
            closed=lambda node, peer: None,
            deliver=lambda node, peer, payload: self.members[node].receive(peer, payload),
            is_up=lambda node: self.members[node].is_up,
        )
        self.storm = Storm(self.world, self.members, self.links)

    def run(self) -> FederationReport:
        self.members[self.world.random.randrange(MEMBERS)].two_faced = self.world.random.random() < 0.5
        for member in self.members:
            member.on_crash = self._crashed
            member.start(self.links)
        for left in range(MEMBERS):
            for right in range(left):
                self.links.join(left, right)
        storm = self.storm
        storm.run(
            STORM_MS,
            FAULT_MS,
            [
                storm.kill, storm.fail_power, storm.fail_power, self._kill_leader,
                storm.part, storm.part, storm.unite, storm.jump_clock,
            ],
        )  # fmt: skip
        for member in self.members:
            member.clock.error_ms = 0
        before = self._slowest()
        self.world.run_until(self.world.now_ms + CALM_MS)
        after = self._slowest()
        assert after > before + 20, f"no progress in the calm: {before} -> {after}"
        return self._report()

    def _slowest(self) -> int:
        return min(member.cursor.seq for member in self.members)

    def _kill_leader(self, drawn: SimMember) -> None:
        term = max(member.cursor.term.number for member in self.members)
        self.storm.kill(self.members[term % MEMBERS])

    def _crashed(self, member: SimMember) -> None:
        self.storm.come_back(lambda: member.start(self.links))

    def _report(self) -> FederationReport:
        last = max((member.cursor for member in self.members), key=lambda cursor: cursor.seq)
        return FederationReport(
            seed=self.world.seed,
            batches=last.seq,
            terms=last.term.number,
            again=sum(member.again for member in self.members),
            votes=self.votes.seen,
            undone=sum(member.undone for member in self.members),
            crashes=sum(member.crashes for member in self.members),
            torn_tails=sum(member.disk.torn for member in self.members),
            broken_connections=self.links.breaks,
            partitions=self.links.partitions,
            clock_jumps=self.storm.clock_jumps,
            lies=sum(member.lies for member in self.members),
            caught_up=sum(member.caught_up for member in self.members),
            refused=sum(member.refused for member in self.members),
            digest=hashlib.sha256(repr(sorted(self.certificates.certified.items())).encode()).hexdigest()[
                :16
            ],
        )
