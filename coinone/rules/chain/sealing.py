"""Blocks over batches: sealing applied batches, and checking what another node sealed.

Sealing takes the lowest `count` applied batches, commits to them with the roots of a header and collects every row that
changes on disk. It runs in slices, on frozen layers, while later batches are executed above. A block of another node is
applied the same way and then compared: there is no second path (docs/design.md).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidBlock, InvalidSignature
from coinone.base.primitives.records import encode
from coinone.rules.chain.bridge.seen import BESTS_KEY, encode_bests, numbers_of
from coinone.rules.chain.certified import ResultsDiffer, apply_certified
from coinone.rules.chain.cursor import Cursor, exchange_root_with
from coinone.rules.chain.forced import check_forced_list
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.consensus.federation import check_seal
from coinone.rules.consensus.header_rules import check_header
from coinone.rules.consensus.mode import require_mode_a
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header, forced_root
from coinone.rules.ledger.placed import Placed, place_steps
from coinone.rules.state.database import Changes, Database, Table
from coinone.rules.state.layers import merge
from coinone.rules.state.seal import seal_steps
from coinone.rules.state.steps import finished

CURSOR_KEY = b"cursor"  # META: the cursor after the head block's last batch


@dataclass(frozen=True)
class SealedBlock:
    """A header, its batches, and the rows to write when it is committed."""

    header: Header
    placed: Placed
    results: tuple[BatchResult, ...]
    cursor: Cursor
    changes: Changes
    forced: tuple[bytes, ...] = ()


def seal_block(
    database: Database, chain: ChainState, count: int, timestamp: int, forced: tuple[bytes, ...] = ()
) -> SealedBlock:
    """Seal a block synchronously."""
    return finished(seal_block_steps(database, chain, count, timestamp, forced))


def seal_block_steps(
    database: Database, chain: ChainState, count: int, timestamp: int, forced: tuple[bytes, ...] = ()
) -> Generator[None, None, SealedBlock]:
    """Seal the lowest `count` applied batches as the block after `chain.head`, which remains the head until
    `commit_block`.

    `timestamp` is the maker's choice; it is raised to the earliest valid one. `forced` are transactions for the next
    batch.
    """
    parent, network = chain.head, chain.network
    results = tuple(chain.applied[:count])
    assert len(results) == count, "fewer batches than asked for"
    cursor = results[-1].after if results else last_cursor(chain)
    layer = merge([result.layer for result in results])
    yield
    placed = yield from place_steps(record for result in results for record in result.records)
    sealed = yield from seal_steps(database, layer)
    leaves: dict[bytes, bytes | None] = {}
    numbers: dict[bytes, bytes | None] = {}
    for result in results:
        leaves.update(result.exchange.leaves)
        numbers.update(numbers_of(result.exchange.leaves, chain.leaves.holds))
        yield
    rows_root = yield from chain.leaves.root_steps(leaves)
    header = Header(
        parent_hash=parent.hash,
        number=parent.number + 1,
        timestamp=max(timestamp, earliest_timestamp(parent, cursor, count)),
        coinbase=network.reward_pool,
        gas_limit=network.block_gas_limit,
        gas_used=placed.gas_used,
        base_fee=network.base_fee,
        state_root=sealed.root if results else parent.state_root,
        transactions_root=placed.transactions_root,
        receipts_root=placed.receipts_root,
        bloom=placed.bloom,
        prev_randao=keccak256(parent.hash + cursor.seq.to_bytes(8, "big")),
        batch_seq=cursor.seq,
        batch_hash=cursor.batch_hash,
        exchange_root=exchange_root_with(rows_root, cursor.effects_hash) if results else parent.exchange_root,
        forced_root=forced_root(forced),
    )
    changes: Changes = {
        **sealed.changes,
        Table.EXCHANGE: leaves,
        Table.EXCHANGE_NUMBER: numbers,
        Table.META: {CURSOR_KEY: encode(cursor)},
    }
    if results:
        changes[Table.META][BESTS_KEY] = encode_bests(results[-1].bests)
    return SealedBlock(header, placed, results, cursor, changes, forced)


def commit_block(chain: ChainState, sealed: SealedBlock) -> None:
    """Make the block the head. Its rows must be on disk."""
    assert sealed.header.parent_hash == chain.head.hash, "sealed on another head"
    count = len(sealed.results)
    chain.state.committed(count)
    chain.leaves.update(sealed.changes[Table.EXCHANGE])
    del chain.applied[:count]
    chain.head = sealed.header
    chain.headers.push(sealed.header, sealed.forced)


def apply_block(
    chain: ChainState, database: Database, block: Block, batches: Sequence[CertifiedBatch]
) -> SealedBlock:
    """Check `block` and execute those of its `batches` that are not applied yet.

    Raises InvalidBlock or InvalidBatch, the sender's fault, or ResultsDiffer, nobody's; batches already executed stay
    applied, since they are certified even if the block is invalid. The caller writes the rows and calls `commit_block`.
    """
    return finished(apply_block_steps(chain, database, block, batches))


def apply_block_steps(
    chain: ChainState, database: Database, block: Block, batches: Sequence[CertifiedBatch]
) -> Generator[None, None, SealedBlock]:
    """Apply a block in short steps, except that each batch is executed whole."""
    check_block_head(chain, block)
    check_body(chain, block, batches)
    for certified in batches[len(chain.applied) :]:
        apply_certified(chain, certified)
        yield
    sealed = yield from seal_block_steps(database, chain, len(batches), block.header.timestamp, block.forced)
    _compare(block.header, sealed.header)
    return sealed


def _compare(signed: Header, ours: Header) -> None:
    """Raise ResultsDiffer unless a header is what its batches give here. Its seal covers every field, so that only a
    member can have written another one: no sender is at fault."""
    for field in fields(Header):
        theirs, here = getattr(signed, field.name), getattr(ours, field.name)
        if theirs != here:
            raise ResultsDiffer(
                f"block {signed.number} was sealed with {field.name} {_text(theirs)}, here it is {_text(here)}"
            )


def _text(value: int | bytes) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def check_block_head(chain: ChainState, block: Block) -> None:
    """Raise InvalidBlock unless header and seal follow the rules, NotSupported for a block of mode B."""
    network = chain.network
    require_mode_a(chain.federation, chain.head, chain.headers)
    check_header(block.header, chain.head, network.block_gas_limit, network.base_fee, network.reward_pool)
    try:
        check_seal(block.seal, block.hash, chain.federation)
    except InvalidSignature as error:
        raise InvalidBlock("not sealed by a member of the federation") from error
    check_forced_list(block, network, chain.verify)


def check_body(chain: ChainState, block: Block, batches: Sequence[CertifiedBatch]) -> None:
    """Raise InvalidBlock unless `batches` are those that the block lists, directly after its parent's last one."""
    hashes = tuple(certified.batch.hash for certified in batches)
    if hashes != block.batch_hashes:
        raise InvalidBlock("batches are not those the block names")
    if len(hashes) > chain.network.blocks.batches_max:
        raise InvalidBlock("too many batches", most=chain.network.blocks.batches_max, have=len(hashes))
    if block.header.batch_seq != chain.head.batch_seq + len(hashes):
        raise InvalidBlock("batches do not follow the parent's", parent=chain.head.batch_seq)
    known = tuple(result.batch.hash for result in chain.applied[: len(hashes)])
    if known != hashes[: len(known)]:
        raise InvalidBlock("batches are not the certified ones")


def last_cursor(chain: ChainState) -> Cursor:
    """The cursor at the head block, below all pending batches."""
    return chain.applied[0].before if chain.applied else chain.cursor


def earliest_timestamp(parent: Header, cursor: Cursor, count: int) -> int:
    """The earliest valid timestamp of a block: after its parent, and no earlier than its contracts' time (D1)."""
    return max(parent.timestamp + 1, cursor.evm_timestamp if count else 0)
