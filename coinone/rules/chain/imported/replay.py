"""Replay of the transactions of an imported block, one by one, for traces."""

from collections.abc import Callable, Iterator, Sequence

from coinone.base.forms.ethereum import decode_any_transaction
from coinone.base.primitives.types import Hash32
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.imported.blocks import EthereumNetwork, begin_block
from coinone.rules.chain.imported.header import EthereumBlock
from coinone.rules.chain.replay import ReplayStep
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.database import Database
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, Engine


def replay_block(
    before: Database,
    network: EthereumNetwork,
    block: EthereumBlock,
    records: Sequence[TransactionRecord],
    block_hash: Callable[[int], Hash32],
    budget: Callable[[], None] | None = None,
    engine: Engine = REFERENCE,
) -> Iterator[ReplayStep]:
    """The steps of the block after the state `before`, each yielded before it is executed.

    Raises InvalidBlock for a block before the known forks.
    """
    state = State(before)
    env, rules = begin_block(state, network, block.header, block_hash, engine)
    for record in records:
        yield ReplayStep(record, state, env, rules, rules.precompiles, FeePolicy.BURN)
        tx = decode_any_transaction(record.raw)
        apply_transaction(state, env, tx, rules, fee_policy=FeePolicy.BURN, budget=budget, engine=engine)
