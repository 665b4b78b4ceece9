"""A leader without a schedule: a test says when batches close and blocks are made."""

from coinone.node.clock import SystemClock
from coinone.node.executor.core import Core
from coinone.node.roles.block_pipeline import Background, BlockPipeline, at_once
from coinone.node.roles.leader import Leader
from tests.rules.chain.chain_world import SECRETS


def leader_of(core: Core, background: Background = at_once) -> Leader:
    clock = SystemClock()
    return Leader(core, SECRETS, clock, BlockPipeline(core, clock, background))
