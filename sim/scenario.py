"""A simulated run of one sequencer and its followers (storm.py): in the end all have reached the same head.

All along the nodes check their own invariants; at the end, what traders were answered must be in the chain, and a node
that starts from the disk alone must have the same state as the others.
"""

import hashlib
from dataclasses import dataclass, replace

from coinone.node.views.archive import ActionPlace
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.chain.network import Network
from coinone.rules.exchange.state.leaves import all_leaves
from sim.network import SimNetwork, Weather
from sim.node import SimNode
from sim.storm import Storm
from sim.workload import Workload
from sim.world import World

NODES = 4
LEADER = 0
STORM_MS = 60_000
CALM_MS = 45_000
TRADE_MS = 100
TERM_BATCHES = 50  # so that every world changes terms
FAULT_MS = 2_500
POWER_FAILS_AGAIN = 0.5  # of those that come back: where a tail was torn, in the middle of recovery


@dataclass(frozen=True)
class Report:
    """What happened, for the one line that a run prints."""

    seed: int
    events: int
    batches: int
    blocks: int
    answered: int
    crashes: int
    crashes_in_recovery: int
    crashes_in_commit: int
    commits_beside_batches: int
    torn_tails: int
    broken_connections: int
    partitions: int
    clock_jumps: int
    digest: str  # of the final head: equal for equal seeds, whatever the machine

    def line(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in vars(self).items() if name != "seed")
        return f"seed {self.seed}: {figures}"


class Scenario:
    def __init__(self, seed: int, network: Network) -> None:
        self.world = World(seed)
        network = replace(network, seed_length=TERM_BATCHES)
        self.workload = Workload(self.world)
        self.nodes = [SimNode(number, self.world, network, self.world.random) for number in range(NODES)]
        self.links = SimNetwork(
            self.world,
            Weather.drawn(self.world),
            connected=lambda node, peer: self.nodes[node].connected(peer),
            closed=lambda node, peer: self.nodes[node].closed(peer),
            deliver=lambda node, peer, payload: self.nodes[node].receive(peer, payload),
            is_up=lambda node: self.nodes[node].is_up,
        )
        self.storm = Storm(self.world, self.nodes, self.links)

    def run(self) -> Report:
        leader = self.nodes[LEADER]
        for node in self.nodes:
            node.on_crash = self._crashed
        leader.start(self.links)
        for node in self.nodes[1:]:
            node.start(self.links, leader.genesis)
        for left in range(NODES):  # a ring: nobody depends on one neighbour
            self.links.join(left, (left + 1) % NODES)
        self.world.every(TRADE_MS, self._trade)
        storm = self.storm
        events = storm.run(
            STORM_MS,
            FAULT_MS,
            [
                storm.kill, storm.fail_power, storm.fail_power, self._fail_power_in_commit,
                storm.part, storm.unite, storm.jump_clock,
            ],
        )  # fmt: skip
        leader.power_fails_in_commit = False
        events += self.world.run_until(self.world.now_ms + CALM_MS)
        self._check()
        return self._report(events)

    def _trade(self) -> None:
        leader = self.nodes[LEADER]
        if leader.is_up and self.storm.is_on:
            self.workload.step(leader.core)

    def _fail_power_in_commit(self, drawn: SimNode) -> None:
        self.nodes[LEADER].power_fails_in_commit = True

    def _crashed(self, node: SimNode) -> None:
        if node.number == LEADER:
            self.workload.node_died()
        if self.storm.is_on and self.world.random.random() < POWER_FAILS_AGAIN:
            node.disk.power_fails_at_sync = True
        self.storm.come_back(lambda: node.start(self.links, node.genesis))

    def _check(self) -> None:
        leader = self.nodes[LEADER]
        number = min(node.core.chain.head.number for node in self.nodes)
        lag = leader.core.chain.cursor.seq - min(node.core.chain.cursor.seq for node in self.nodes)
        assert lag <= 8, f"a follower is {lag} batches behind after the calm"
        headers = [node.archive.header(number) for node in self.nodes]
        assert all(header == headers[0] for header in headers), "nodes disagree about a block"
        for node in self.nodes:
            check_solvency(node.core.chain)
        self._check_answers(leader)
        self._check_restart(leader)

    def _check_answers(self, leader: SimNode) -> None:
        """Whatever was answered is where the answer said it is."""
        committed = leader.core.chain.head.batch_seq
        for tx_hash, seq in self.workload.answers.executed.items():
            if seq > committed:
                continue
            place = leader.archive.place_of(tx_hash)
            assert isinstance(place, ActionPlace) and place.seq == seq, (
                f"an answer of batch {seq} was taken back"
            )

    def _check_restart(self, leader: SimNode) -> None:
        """The disk alone gives the same state as the memory that wrote it. The head may be a block further: one that
        was on disk, and that the process had not heard of yet."""

        def stand() -> tuple[Cursor, dict[bytes, bytes]]:
            chain = leader.core.chain
            return chain.cursor, dict(all_leaves(chain.exchange))

        before = stand()
        leader.on_crash = lambda node: None
        leader.crash()
        leader.start(self.links, leader.genesis)
        assert stand() == before, "a restart changed the state"

    def _report(self, events: int) -> Report:
        chain = self.nodes[LEADER].core.chain
        state = chain.cursor.batch_hash + chain.head.hash
        return Report(
            seed=self.world.seed,
            events=events,
            batches=chain.cursor.seq,
            blocks=chain.head.number,
            answered=len(self.workload.answers.executed),
            crashes=sum(node.crashes for node in self.nodes),
            crashes_in_recovery=sum(node.crashes_in_recovery for node in self.nodes),
            crashes_in_commit=sum(node.crashes_in_commit for node in self.nodes),
            commits_beside_batches=sum(node.commits_beside_batches for node in self.nodes),
            torn_tails=sum(node.disk.torn for node in self.nodes),
            broken_connections=self.links.breaks,
            partitions=self.links.partitions,
            clock_jumps=self.storm.clock_jumps,
            digest=hashlib.sha256(state).hexdigest()[:16],
        )
