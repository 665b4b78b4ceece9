"""Verify a whole chain: execute everything again from genesis, in memory, and compare every root.

Nothing in the folder is trusted except the blocks and batches themselves. A second process must get the results that
the first one wrote: the rules depend on nothing but their arguments (determinism, an invariant of docs/design.md).
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.base.primitives.types import Hash32
from coinone.node.recovery.startup import GENESIS_KEY, chain_at, genesis_block
from coinone.node.storage.blocks import BlockReader
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore, Snapshot, Store
from coinone.node.views.archive import Archive
from coinone.rules.chain.certified import ResultsDiffer
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import SealedBlock, apply_block, commit_block
from coinone.rules.chain.state import ChainState, Headers
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.state.database import Table

Write: TypeAlias = Callable[[Block, SealedBlock, Mapping[int, bytes]], None]  # with its batches, by seq


def verify_chain(
    network: Network, storage: Storage, progress: Callable[[Header], None] = lambda header: None
) -> Header:
    """Execute all blocks of the folder again; return the last header. Raises StorageError at the first block that
    does not give the stored result."""
    memory = MemoryStore()
    chain = execute_again(
        network, storage.store, memory, lambda block, sealed, raw: memory.write(sealed.changes), progress
    )
    return chain.head


def execute_again(
    network: Network, found: Snapshot, store: Store, write: Write, progress: Callable[[Header], None]
) -> ChainState:
    """Execute the blocks in `found` into the empty `store`; `write` must store the changes of each. Raises
    StorageError."""
    archive, genesis_row = Archive(BlockReader(found)), found.get(Table.META, GENESIS_KEY)
    if genesis_row is None:
        raise StorageError("data folder is incomplete: start `coinone up --reset`")
    first, sealed = genesis_block(network, decode(Genesis, genesis_row), store)
    _compare(first.hash, archive, 0)
    write(first, sealed, {})
    chain = chain_at(network, store, first.header, Headers(archive.header, archive.forced))
    number = 1
    while (block := archive.block(number)) is not None:
        batches = _batches(archive, block)
        try:
            sealed = apply_block(chain, store, block, batches)
        except (InvalidInput, ResultsDiffer) as error:
            raise StorageError(f"block {block.number} does not verify: {error}") from error
        write(block, sealed, {entry.batch.seq: encode(entry) for entry in batches})
        commit_block(chain, sealed)
        progress(chain.head)
        number += 1
    check_solvency(chain)
    return chain


def _batches(archive: Archive, block: Block) -> list[CertifiedBatch]:
    found = [archive.batch(seq) for seq in range(block.first_seq, block.header.batch_seq + 1)]
    if None in found:
        raise StorageError(f"a batch of block {block.number} is missing")
    return [batch for batch in found if batch is not None]


def _compare(block_hash: Hash32, archive: Archive, number: int) -> None:
    header = archive.header(number)
    if header is None or header.hash != block_hash:
        raise StorageError(f"block {number} is not the one that the network's parameters give")
