"""What lies above the last block, for whoever executes contracts beside the node: handed out by reference.

A batch's layer, leaves and best prices are never changed once it is applied. So `pending` is the last block on disk
and a tuple of what the batches after it did, which costs the executor nothing to give away, however large it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from coinone.base.primitives.types import Hash32
from coinone.rules.chain.apply import call_env
from coinone.rules.chain.bridge.seen import Bests
from coinone.rules.chain.state import ChainState
from coinone.rules.state.layers import Layer
from coinone.rules.vm import BlockEnv


@dataclass(frozen=True, slots=True)
class PendingBatch:
    """What a batch did to contracts and exchange; it is known by its hash."""

    hash: Hash32
    layer: Layer
    leaves: Mapping[bytes, bytes | None]
    bests: Bests


@dataclass(frozen=True, slots=True)
class Pending:
    """`batches`, lowest first, over block `number`; `env` without block hashes, which the store knows."""

    number: int
    batches: tuple[PendingBatch, ...]
    env: BlockEnv
    fork: str


def pending_of(chain: ChainState, timestamp: int) -> Pending:
    """On the executor only. `timestamp` is what the next batch shows contracts, where that is later than the last
    one's: on dev they see a time that was set before a batch has it."""
    batches = tuple(
        PendingBatch(result.batch.hash, result.layer, result.exchange.leaves, result.bests)
        for result in chain.applied
    )
    env = without_hashes(call_env(chain))
    env = replace(env, timestamp=max(env.timestamp, timestamp))
    return Pending(chain.head.number, batches, env, chain.rules.name)


def without_hashes(env: BlockEnv) -> BlockEnv:
    """An environment that can travel to another process, where the store gives block hashes."""
    return replace(env, block_hash=no_hash)


def no_hash(number: int) -> NoReturn:
    raise AssertionError("block hashes come from the store that the call is made on")
