"""Pending state: the last block and the results of the batches after it, for processes that execute contracts.

A batch's layer, leaves and best prices are immutable once it is applied. So pending state is shared by reference, which
costs the executor nothing, however large it is.
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
    """The changes of one batch to contracts and exchange, identified by the batch's hash."""

    hash: Hash32
    layer: Layer
    leaves: Mapping[bytes, bytes | None]
    bests: Bests


@dataclass(frozen=True, slots=True)
class Pending:
    """The pending `batches`, oldest first, above block `number`; `env` without block hashes, which are in the store."""

    number: int
    batches: tuple[PendingBatch, ...]
    env: BlockEnv
    fork: str


def pending_of(chain: ChainState, timestamp: int) -> Pending:
    """The pending state; on the executor only. `timestamp` is what contracts see in the next batch, if later than in
    the last one: on dev it shows a time that was set before a batch has it."""
    batches = tuple(
        PendingBatch(result.batch.hash, result.layer, result.exchange.leaves, result.bests)
        for result in chain.applied
    )
    env = without_hashes(call_env(chain))
    env = replace(env, timestamp=max(env.timestamp, timestamp))
    return Pending(chain.head.number, batches, env, chain.rules.name)


def without_hashes(env: BlockEnv) -> BlockEnv:
    """An environment that can be sent to another process, where the store provides block hashes."""
    return replace(env, block_hash=no_hash)


def no_hash(number: int) -> NoReturn:
    raise AssertionError("block hashes come from the store that the call is made on")
