"""Assign a node's roles: a member leads, alone or in its turn, every node follows, and on dev members report prices."""

from dataclasses import dataclass

from coinone.node.clock import Clock, Entropy
from coinone.node.executor.core import Core
from coinone.node.keys import Secrets
from coinone.node.roles.block_pipeline import Background, BlockPipeline
from coinone.node.roles.dev_oracle import dev_oracle
from coinone.node.roles.follower import Follower
from coinone.node.roles.leader import Leader
from coinone.node.roles.member import MemberBlocks, MemberClock
from coinone.node.roles.role import Role, RoleSchedule


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that other code calls, and the schedule of all roles."""

    blocks: BlockPipeline
    follower: Follower
    leader: Leader | None
    schedule: RoleSchedule


def assign_roles(
    core: Core, secrets: Secrets, clock: Clock, entropy: Entropy, background: Background
) -> Roles:
    """Create the roles of the node whose state is `core`. `background` runs the writing of blocks."""
    blocks = BlockPipeline(core, clock, background)
    follower, leader = Follower(core, blocks), None
    roles: list[Role] = [follower, blocks]
    if core.is_member:
        leader = Leader(core, secrets, clock, blocks)
        roles.insert(0, leader)
        if core.is_one_of_several:
            roles[1:1] = [MemberClock(core), MemberBlocks(core, secrets, blocks)]
        if core.chain.network.is_dev:
            roles.insert(0, dev_oracle(core, secrets.reporter, clock, entropy))
    return Roles(blocks, follower, leader, RoleSchedule(core, clock, roles))
