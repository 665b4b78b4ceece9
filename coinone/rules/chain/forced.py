"""Forced transactions: listed by a block, they must be included in the next batch (D1).

Against censorship by the federation: the maker of a block may list transactions that no batch included. The first batch
whose base is at or above the block begins with those of them that can still run, in the order of the list. They are
exempt from the batch's limits and run first within their own segment; Ethereum ones run first in the next EVM batch,
and wait for the one after if its gas does not suffice. One that fails is recorded as skipped or excluded like any
other: it changes nothing and invalidates nothing.

With a used nonce a transaction cannot run: it was executed, or replaced, before its turn came. It is left out, so that
nothing is recorded twice.

Bounds, so that a list cannot crowd out the batches that include it: `forced_bytes` of the network's file, and the gas
of all its Ethereum transactions together does not exceed that of a small EVM batch.
"""

from collections.abc import Callable, Sequence

from coinone.base.forms.ethereum import EthereumTransaction
from coinone.base.primitives.errors import InvalidBatch, InvalidBlock, InvalidInput
from coinone.base.primitives.types import Hash32
from coinone.rules.chain.network import Network
from coinone.rules.chain.state import ChainState
from coinone.rules.chain.transactions import Verified
from coinone.rules.exchange.batch.inclusion import is_spent
from coinone.rules.exchange.wire.types import OracleReport, VerifiedAction
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import forced_root


def check_forced_list(block: Block, network: Network, verify: Callable[[bytes], Verified]) -> None:
    """Raise InvalidBlock unless the block's list is the one its header commits to, and within bounds."""
    if forced_root(block.forced) != block.header.forced_root:
        raise InvalidBlock("forced transactions are not those of the header")
    size = sum(map(len, block.forced))
    if size > network.blocks.forced_bytes:
        raise InvalidBlock("too many bytes forced", most=network.blocks.forced_bytes, have=size)
    gas, hashes = 0, []
    for index, raw in enumerate(block.forced):
        try:
            verified = verify(raw)
        except InvalidInput as error:
            raise InvalidBlock("invalid forced transaction", index=index, problem=str(error)) from error
        if isinstance(verified, OracleReport):
            raise InvalidBlock("prices cannot be forced", index=index)
        hashes.append(hash_of(verified))
        gas += verified.gas if isinstance(verified, EthereumTransaction) else 0
    if gas > network.batches.evm_gas:
        raise InvalidBlock("too much gas forced", most=network.batches.evm_gas, have=gas)
    if len(dict.fromkeys(hashes)) != len(hashes):
        raise InvalidBlock("a forced transaction twice")


def due_forced(chain: ChainState, base_number: int) -> tuple[bytes, ...]:
    """The transactions that the next batch must include if its base is block `base_number`."""
    due: dict[Hash32, bytes] = {}
    for number in range(chain.cursor.base_number + 1, base_number + 1):
        for raw in chain.headers.forced(number):
            verified = chain.verify(raw)
            if not _is_spent(chain, verified):
                due.setdefault(hash_of(verified), raw)
    return tuple(due.values())


def check_carried(chain: ChainState, batch: Batch) -> None:
    """Raise InvalidBatch unless `batch` begins with the due transactions, and states their number."""
    due = due_forced(chain, batch.base_number)
    if batch.forced != len(due) or batch.transactions[: batch.forced] != due:
        raise InvalidBatch("does not begin with the forced transactions", want=len(due), have=batch.forced)


def split_forced(
    queue: Sequence[EthereumTransaction], gas_limit: int
) -> tuple[list[EthereumTransaction], list[EthereumTransaction]]:
    """Split into those that run in an EVM batch with `gas_limit`, and those that wait for the next one, in order."""
    for index, tx in enumerate(queue):
        gas_limit -= tx.gas
        if gas_limit < 0:
            return list(queue[:index]), list(queue[index:])
    return list(queue), []


def forced_gas(chain: ChainState, carried: Sequence[bytes], gas_limit: int) -> int:
    """The gas of the next batch that forced transactions use if it includes these."""
    queue = [chain.verify(raw) for raw in (*chain.cursor.effects.forced, *carried)]
    now, _ = split_forced([tx for tx in queue if isinstance(tx, EthereumTransaction)], gas_limit)
    return sum(tx.gas for tx in now)


def hash_of(verified: Verified) -> Hash32:
    return verified.hash if isinstance(verified, EthereumTransaction) else verified.tx_hash


def _is_spent(chain: ChainState, verified: Verified) -> bool:
    if isinstance(verified, VerifiedAction):
        return is_spent(chain.exchange.ledger, verified.signer, verified.nonce)
    assert isinstance(verified, EthereumTransaction), "check_forced_list refuses prices"
    return verified.nonce < chain.state.nonce(verified.sender)
