"""Roles work when they are due; a fault in one halts the node; nobody is given a role that is not theirs."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput, NotSupported, StorageError
from coinone.node.dev.tools import Dev
from coinone.node.executor.core import Core
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.roles.assignment import Roles, assign_roles
from coinone.node.roles.block_pipeline import at_once
from coinone.node.roles.role import NEVER, RoleSchedule
from coinone.node.storage.storage import Storage
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.network import Network
from sim.disk import SimDisk, SimStore
from sim.node import secrets_of
from sim.world import SimClock, World
from tests.node.roles.test_following import fed, stopped_leader

DEV = load_network("dev")
WORLD_SECONDS = 10


def core_of(network: Network, world: World, number: int, genesis: Genesis | None = None) -> Core:
    secrets = secrets_of(number)
    storage = Storage(SimStore(), SimDisk(world.random), identity_of(network), world.random.randbytes)
    chain = open_chain(network, storage, secrets, world.now_ms, genesis)
    return Core(chain, storage, secrets, lambda published: None)


def roles_in(core: Core, world: World, number: int) -> Roles:
    return assign_roles(core, secrets_of(number), SimClock(world), random.Random(number).randbytes, at_once)


def lived_through(core: Core, world: World, number: int) -> float:
    """When the node wants to be called after some seconds of doing what is due."""
    schedule, end = roles_in(core, world, number).schedule, world.now_ms + 1_000 * WORLD_SECONDS
    due = schedule.work()
    while due != NEVER and due * 1_000 < end:
        world.now_ms = max(world.now_ms + 1, int(due * 1_000))
        due = schedule.work()
    return due


class Spy:
    def __init__(self, due: float, work: Callable[[], None] = lambda: None) -> None:
        self.worked: list[float] = []
        self._due, self._work = due, work

    def due(self) -> float:
        return self._due

    def work(self, now: float) -> None:
        self.worked.append(now)
        self._due += 10
        self._work()


def test_a_role_works_when_it_is_due_and_not_before() -> None:
    world = World(1, start_ms=1_000)
    often, later = Spy(1), Spy(2.5)
    schedule = RoleSchedule(core_of(DEV, world, 0), SimClock(world), [often, later])
    assert schedule.work() == 2.5 and (often.worked, later.worked) == ([1], [])
    world.now_ms = 2_499
    assert schedule.work() == 2.5 and later.worked == []
    world.now_ms = 3_000
    assert schedule.work() == 11 and later.worked == [3]


def test_a_fault_in_one_role_halts_the_node_and_nobody_works_any_more() -> None:
    def fail() -> None:
        raise StorageError("no space left on device")

    world = World(1)
    now = world.now_ms / 1_000
    core, broken, other = core_of(DEV, world, 0), Spy(now, fail), Spy(now)
    schedule = RoleSchedule(core, SimClock(world), [broken, other])
    assert schedule.work() == NEVER and core.disk_failed and other.worked == []
    world.now_ms += 60_000
    assert schedule.work() == NEVER and len(broken.worked) == 1 and other.worked == []


def test_after_a_role_has_halted_the_node_itself_those_behind_it_do_not_work() -> None:
    world = World(1)
    now = world.now_ms / 1_000
    core, other = core_of(DEV, world, 0), Spy(now)
    halting = Spy(now, lambda: core.halt(AssertionError("the sums differ")))
    assert RoleSchedule(core, SimClock(world), [halting, other]).work() == NEVER
    assert (len(halting.worked), other.worked) == (1, [])


def test_a_follower_is_due_when_it_has_received_something_and_a_block_waits_for_the_one_being_made(
    tmp_path: Path,
) -> None:
    genesis, block, batches = stopped_leader(tmp_path)
    world = World(5)
    roles = roles_in(core_of(DEV, world, 1, genesis), world, 1)
    follower, blocks = roles.follower, roles.blocks
    assert follower.due() == NEVER
    for batch in batches:
        answer = follower.receive(batch)
        assert (follower.due(), answer.done()) == (0, False)
        roles.schedule.work()
        assert (follower.due(), answer.result(0)) == (NEVER, None)
    blocks.begin(iter([None]))  # another block: of one step, and without an end
    answer = follower.receive(block)
    assert follower.due() == NEVER
    blocks.abandon()
    assert follower.due() == 0
    while not answer.done():
        roles.schedule.work()
    assert answer.result(0) is None and follower.due() == NEVER


def test_a_caller_whose_item_was_not_applied_before_the_node_stopped_gets_an_error(tmp_path: Path) -> None:
    genesis, _, batches = stopped_leader(tmp_path)
    world = World(6)
    follower = roles_in(core_of(DEV, world, 1, genesis), world, 1).follower
    answer = follower.receive(batches[0])
    follower.stop()
    with pytest.raises(StorageError, match="node stopped"):
        answer.result(0)


def test_on_dev_a_leader_makes_batches_and_blocks_and_reports_prices() -> None:
    """By hand: in ten seconds a batch each 250 ms from the first moment on, 40 and one at the end at most; a block each
    2 s, four whole ones. The dev oracle's reports are of every market."""
    world = World(2)
    core = core_of(DEV, world, 0)
    assert lived_through(core, world, 0) != NEVER
    assert 38 <= core.chain.cursor.seq <= 41 and core.chain.head.number in (4, 5)
    reporter, reports = secrets_of(0).reporter_address, core.chain.exchange.ledger.reports
    assert all(reports.get((market, reporter)) for market in range(len(DEV.markets)))


def test_elsewhere_a_leader_has_no_prices_of_its_own() -> None:
    world = World(3)
    genesis = core_of(DEV, world, 0).chain.genesis
    core = core_of(replace(DEV, kind="local"), world, 0, genesis)
    assert lived_through(core, world, 0) != NEVER
    assert core.chain.cursor.seq >= 38 and not len(core.chain.exchange.ledger.reports)


def test_a_follower_is_no_leader_and_wants_nothing_by_itself(tmp_path: Path) -> None:
    world = World(4)
    genesis = core_of(DEV, world, 0).chain.genesis
    core = core_of(DEV, world, 1, genesis)
    assert roles_in(core, world, 1).leader is None
    assert lived_through(core, world, 1) == NEVER and core.chain.cursor.seq == 0
    node = Node(DEV, tmp_path, map_size_bytes=2**28, genesis=genesis)
    node.start()
    try:
        with pytest.raises(NotSupported, match="makes no batches"):
            asyncio.run(Dev(node).increase_time(5))
    finally:
        node.stop()


def test_a_forged_block_is_the_senders_fault_and_the_honest_one_is_taken_in_after_it(tmp_path: Path) -> None:
    genesis, block, batches = stopped_leader(tmp_path / "leader")
    forged = replace(block, header=replace(block.header, gas_used=block.header.gas_used + 1))
    with fed(tmp_path / "follower", genesis, batches) as node:
        with pytest.raises(InvalidInput, match="not sealed by a member"):
            asyncio.run(node.follow(forged))
        assert (node.halted, node.view.head.number) == (None, 0)
        asyncio.run(node.follow(block))
        assert (node.halted, node.view.head) == (None, block.header)
