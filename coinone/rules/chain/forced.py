"""Forced transactions: what a block lists, the next batch must carry (D1).

Against censorship by the federation: whoever makes blocks may list transactions that no batch took. The first
batch whose base is at or above the block begins with those of them that can still run, in the order of the list.
They are exempt from the batch's limits and run first within their own segment; Ethereum ones run first in the next
EVM batch, and wait for the one after where its gas does not suffice. One that fails is recorded as skipped or
excluded like any other: it changes nothing and invalidates nothing.

A nonce that is used up cannot run: the transaction was executed, or replaced, before its turn came. Such a one is
left out, so that nothing is recorded twice.

Bounds, so that a list cannot crowd out the batches it is carried by: `forced_bytes` of the network's file, and
all its Ethereum transactions together ask for no more gas than a small EVM batch has.
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
    """Raise InvalidBlock unless the block's list is the one its header names, and within bounds."""
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
    """What the next batch must carry if its base is block `base_number`."""
    due: dict[Hash32, bytes] = {}
    for number in range(chain.cursor.base_number + 1, base_number + 1):
        for raw in chain.headers.forced(number):
            verified = chain.verify(raw)
            if not _is_spent(chain, verified):
                due.setdefault(hash_of(verified), raw)
    return tuple(due.values())


def check_carried(chain: ChainState, batch: Batch) -> None:
    """Raise InvalidBatch unless `batch` begins with what is due, and says how much that is."""
    due = due_forced(chain, batch.base_number)
    if batch.forced != len(due) or batch.transactions[: batch.forced] != due:
        raise InvalidBatch("does not begin with the forced transactions", want=len(due), have=batch.forced)


def split_forced(
    queue: Sequence[EthereumTransaction], gas_limit: int
) -> tuple[list[EthereumTransaction], list[EthereumTransaction]]:
    """Those that run in an EVM batch with `gas_limit`, and those that wait for the next one: first come, first
    served."""
    for index, tx in enumerate(queue):
        gas_limit -= tx.gas
        if gas_limit < 0:
            return list(queue[:index]), list(queue[index:])
    return list(queue), []


def forced_gas(chain: ChainState, carried: Sequence[bytes], gas_limit: int) -> int:
    """How much of the next batch's gas goes to forced transactions if it carries these."""
    queue = [chain.verify(raw) for raw in (*chain.cursor.effects.forced, *carried)]
    now, _ = split_forced([tx for tx in queue if isinstance(tx, EthereumTransaction)], gas_limit)
    return sum(tx.gas for tx in now)


def hash_of(verified: Verified) -> Hash32:
    return verified.hash if isinstance(verified, EthereumTransaction) else verified.tx_hash


def _is_spent(chain: ChainState, verified: Verified) -> bool:
    if isinstance(verified, VerifiedAction):
        return is_spent(chain.exchange.ledger, verified.signer, verified.nonce)
    assert isinstance(verified, EthereumTransaction), "check_forced_list lets no prices through"
    return verified.nonce < chain.state.nonce(verified.sender)
