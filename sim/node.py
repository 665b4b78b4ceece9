"""A node in the simulated world: the real core, relay and storage on a simulated disk, network and clock.

Crashing drops every object and keeps the disk; starting opens it again, as a process would.
"""

import random
from collections.abc import Callable
from concurrent.futures import Future
from typing import assert_never

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.network.peering import BlockSource, checker_of
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.roles.assignment import Roles, assign_roles
from coinone.node.roles.role import NEVER
from coinone.node.storage.storage import Storage
from coinone.node.views.archive import Archive
from coinone.node.views.published import Published
from coinone.protocols.relay.effects import Deliver, Drop, Effect, Head, Heard, Proved, Send
from coinone.protocols.relay.messages import encode_message
from coinone.protocols.relay.relay import Relay
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.network import Network
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from sim.disk import PowerCut, SimStore
from sim.network import SimNetwork
from sim.process import SimProcess
from sim.world import World

TICK_MS = 500
COMMIT_MS_MAX = 600  # a block's commit may last over two batches


def secrets_of(node: int) -> Secrets:
    """Every node's keys follow from its number."""
    return Secrets(
        *(keccak256(name + bytes((node,))) for name in (b"sim-federation", b"sim-reporter", b"sim-seeds"))
    )


class SimNode(SimProcess):
    def __init__(self, number: int, world: World, network: Network, dice: random.Random) -> None:
        super().__init__(number, world, dice)
        self.store = SimStore()
        self.power_fails_in_commit = False  # while it writes its next block
        self.crashes_in_recovery = 0
        self.crashes_in_commit = 0
        self.commits_beside_batches = 0  # blocks that were written while batches closed above them
        self.core: Core
        self._network = network
        self._relay: Relay
        self._roles: Roles | None = None

    @property
    def archive(self) -> Archive:
        return Archive(self.core.storage.blocks)

    @property
    def genesis(self) -> Genesis:
        return self.core.chain.genesis

    def start(self, links: SimNetwork, genesis: Genesis | None = None) -> None:
        """Open the disk and recover. The first start makes a genesis, or takes the one given."""
        self._begin(links)
        try:
            self._recover(genesis)
        except PowerCut:
            self.crashes_in_recovery += 1
            self.crash()

    def _recover(self, genesis: Genesis | None) -> None:
        storage = Storage(self.store, self.disk, identity_of(self._network), self._dice.randbytes)
        secrets = secrets_of(self.number)
        chain = open_chain(self._network, storage, secrets, self.clock.wall_ms(), genesis)
        self.core = Core(chain, storage, secrets, self._published)
        head = Head(chain.cursor.seq, chain.head.number)
        check = checker_of(self._network.chain_id, chain.genesis.federation)
        source, federation = BlockSource(storage), chain.genesis.federation
        self._relay = Relay(self._network.chain_id, encode(chain.genesis), source, head, check, federation)
        self._roles = assign_roles(self.core, secrets, self.clock, self._dice.randbytes, self._beside)
        if self.core.is_member:
            self._later(0, self._work)
        self._later(TICK_MS, self._tick)

    def crash(self) -> None:
        self.crashes_in_commit += self._roles is not None and self._roles.blocks.is_writing
        self._roles = None
        super().crash()

    def connected(self, peer: int) -> None:
        self._guarded(lambda: self._carry_out(self._relay.connected(peer, self._now_ms())))

    def closed(self, peer: int) -> None:
        self._guarded(lambda: self._carry_out(self._relay.closed(peer, self._now_ms())))

    def receive(self, peer: int, payload: bytes) -> None:
        self._guarded(lambda: self._carry_out(self._relay.received(peer, payload, self._now_ms())))

    def _now_ms(self) -> int:
        return int(self.clock.steady_s() * 1000)

    def _beside(self, job: Callable[[], None]) -> "Future[None]":
        """What a node does on another thread takes a while here; a crash before that, and it never happens."""
        done: Future[None] = Future()

        def run() -> None:
            if self.power_fails_in_commit:
                self.power_fails_in_commit = False
                raise PowerCut
            job()
            self.commits_beside_batches += self.core.chain.cursor.seq > begun
            done.set_result(None)

        begun = self.core.chain.cursor.seq
        self._later(self._dice.randint(0, COMMIT_MS_MAX), run)
        return done

    def _tick(self) -> None:
        self._carry_out(self._relay.tick(self._now_ms()))
        self._later(TICK_MS, self._tick)

    def _work(self) -> None:
        assert self._roles is not None
        due_s = self._roles.schedule.work()
        assert self.core.halted is None, f"node {self.number} halted: {self.core.halted}"
        if due_s != NEVER:
            self._later(max(1, int(due_s * 1000) - self._now_ms()), self._work)

    def _published(self, published: Published) -> None:
        """Called by the core: pass on what this node made itself."""
        if not self.core.is_member:
            return
        if not published.blocks:
            raw = self.core.storage.log.batches[published.seq]
            self._carry_out(self._relay.published(decode(CertifiedBatch, raw), self._now_ms()))
        for new in published.blocks:
            self._carry_out(self._relay.published(new.block, self._now_ms()))

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(peer, message):
                    self._links.send(self.number, peer, encode_message(message))
                case Deliver(_, item):
                    self._apply(item)
                case Drop(peer, reason, fault):
                    assert not fault, f"node {self.number} blames node {peer}: {reason}"
                    self._links.hang_up(self.number, peer)
                case Proved() | Heard():
                    raise AssertionError(f"a federation of one sends itself no messages: {effect}")
                case _:
                    assert_never(effect)

    def _apply(self, item: CertifiedBatch | Block) -> None:
        assert self._roles is not None
        answer = self._roles.follower.receive(item)
        answer.add_done_callback(lambda done: self._later(0, lambda: self._followed(done)))
        if not self.core.is_member:  # whose schedule has nothing else to do; a member's is called anyway
            self._work()

    def _followed(self, answer: "Future[None]") -> None:
        error = answer.exception()
        if isinstance(error, InvalidInput):
            self._carry_out(self._relay.refused(str(error), self._now_ms()))
        else:
            answer.result()
            self._carry_out(self._relay.delivered(self._now_ms()))
