"""JSON-RPC methods of blocks, transactions, receipts and fees."""

from collections.abc import Callable
from typing import Any, TypeVar

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.weights import RECORDS_BYTES_PER_WEIGHT
from coinone.interfaces.api.ethereum.chain.served import ServedReader
from coinone.interfaces.api.ethereum.context import Context, Rows
from coinone.interfaces.api.ethereum.json.blobs import blob_receipt_fields
from coinone.interfaces.api.ethereum.json.blocks import (
    AnyHeader,
    block_json,
    header_json,
    hex_bytes,
    imported_body_json,
    receipt_steps,
    uncle_json,
)
from coinone.interfaces.api.ethereum.json.hexes import read_hash, read_quantity
from coinone.interfaces.api.ethereum.json.params import BlockId, boolean, required_block
from coinone.interfaces.api.ethereum.json.transactions import pending_transaction_json, transaction_json
from coinone.rules.chain.imported.header import EthereumBlock, decode_ethereum_header
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.state.steps import Steps, at_once, each

Json = dict[str, Any]
T = TypeVar("T")
_U32_MAX = 2**32 - 1


async def block_number(context: Context) -> str:
    return hex(context.backend.reads.head_number())


async def get_block_by_hash(context: Context, block_hash: Any, full: Any = False) -> Json | None:
    return await _block(context, BlockId(hash=read_hash(block_hash)), boolean(full))


async def get_block_by_number(context: Context, block: Any, full: Any = False) -> Json | None:
    return await _block(context, required_block(block), boolean(full))


async def get_header_by_hash(context: Context, block_hash: Any) -> Json | None:
    header = context.backend.reads.header(BlockId(hash=read_hash(block_hash)))
    return None if header is None else header_json(header)


async def get_header_by_number(context: Context, block: Any) -> Json | None:
    header = context.backend.reads.header(required_block(block))
    return None if header is None else header_json(header)


async def _block(context: Context, wanted: BlockId, full: bool) -> Json | None:
    def show(header: AnyHeader, rows: Rows) -> Steps[Json]:
        shown = yield from each(
            rows, at_once(lambda row: transaction_json(row, header) if full else hex_bytes(row.record.hash))
        )
        body = block_json(header, shown, [row.record.raw for row in rows])
        return body | _imported_body(context, header.number)

    return await context.of_block(wanted, show)


def _imported_body(context: Context, number: int) -> Json:
    """The additional fields of an imported block, uncles and withdrawals; Coinone's blocks have neither."""
    block = context.backend.reads.archive.block(number)
    return imported_body_json(block) if isinstance(block, EthereumBlock) else {}


async def get_block_receipts(context: Context, block: Any) -> list[Json] | None:
    return await context.of_block(
        required_block(block), lambda header, rows: each(rows, lambda row: _receipt(context, header, row))
    )


async def count_by_hash(context: Context, block_hash: Any) -> str | None:
    return await context.of_block(BlockId(hash=read_hash(block_hash)), at_once(_count))


async def count_by_number(context: Context, block: Any) -> str | None:
    return await context.of_block(required_block(block), at_once(_count))


def _count(header: AnyHeader, rows: Rows) -> str:
    return hex(len(rows))


async def uncle_count_by_hash(context: Context, block_hash: Any) -> str | None:
    return _uncle_count(context, context.backend.reads.number(BlockId(hash=read_hash(block_hash))))


async def uncle_count_by_number(context: Context, block: Any) -> str | None:
    return _uncle_count(context, context.backend.reads.number(required_block(block)))


def _uncle_count(context: Context, number: int | None) -> str | None:
    if number is None or context.backend.reads.archive.header(number) is None:
        return None
    return hex(len(_imported_body(context, number).get("uncles", ())))


async def uncle_by_hash(context: Context, block_hash: Any, index: Any) -> Json | None:
    return _uncle(context, context.backend.reads.number(BlockId(hash=read_hash(block_hash))), index)


async def uncle_by_number(context: Context, block: Any, index: Any) -> Json | None:
    return _uncle(context, context.backend.reads.number(required_block(block)), index)


def _uncle(context: Context, number: int | None, index: Any) -> Json | None:
    """An uncle of an imported block from before the merge; other blocks have none."""
    place = read_quantity(index, _U32_MAX)
    block = None if number is None else context.backend.reads.archive.block(number)
    if not isinstance(block, EthereumBlock) or place >= len(block.ommers):
        return None
    return uncle_json(decode_ethereum_header(rlp.decode_list(block.ommers[place])))


async def by_hash_and_index(context: Context, block_hash: Any, index: Any) -> Json | None:
    return await _nth(context, BlockId(hash=read_hash(block_hash)), index, _shown)


async def by_number_and_index(context: Context, block: Any, index: Any) -> Json | None:
    return await _nth(context, required_block(block), index, _shown)


async def raw_by_hash_and_index(context: Context, block_hash: Any, index: Any) -> str:
    """The transaction's bytes; "0x" if it does not exist, as in geth."""
    return await _nth(context, BlockId(hash=read_hash(block_hash)), index, _raw) or "0x"


async def raw_by_number_and_index(context: Context, block: Any, index: Any) -> str:
    return await _nth(context, required_block(block), index, _raw) or "0x"


async def _nth(
    context: Context, wanted: BlockId, index: Any, show: Callable[[AnyHeader, PlacedRecord], T]
) -> T | None:
    place = read_quantity(index, _U32_MAX)
    return await context.of_block(
        wanted, at_once(lambda header, rows: show(header, rows[place]) if place < len(rows) else None)
    )


def _shown(header: AnyHeader, row: PlacedRecord) -> Json:
    return transaction_json(row, header)


def _raw(header: AnyHeader, row: PlacedRecord) -> str:
    return hex_bytes(row.record.raw)


async def get_transaction(context: Context, tx_hash: Any) -> Json | None:
    wanted = read_hash(tx_hash)
    found = await context.of_transaction(wanted, at_once(_shown))
    if found is not None:
        return found
    raw = await _waiting(context, wanted)
    return None if raw is None else pending_transaction_json(decode_transaction(raw))


async def get_raw_transaction(context: Context, tx_hash: Any) -> str:
    """The bytes of a transaction in a block or in the pool; "0x" for an unknown one, as in geth."""
    wanted = read_hash(tx_hash)
    found = await context.of_transaction(wanted, at_once(_raw))
    return hex_bytes(await _waiting(context, wanted) or b"") if found is None else found


async def _waiting(context: Context, tx_hash: Hash32) -> bytes | None:
    """A transaction in the pool, paid for by its bytes."""

    def read(reader: ServedReader) -> bytes | None:
        waiting = reader.pool.get(tx_hash)
        return None if waiting is None else waiting.raw

    raw = await context.backend.reads.query(read)
    context.purse.spend(len(raw or b"") // RECORDS_BYTES_PER_WEIGHT)
    return raw


async def get_receipt(context: Context, tx_hash: Any) -> Json | None:
    return await context.of_transaction(
        read_hash(tx_hash), lambda header, row: _receipt(context, header, row)
    )


def _receipt(context: Context, header: AnyHeader, row: PlacedRecord) -> Steps[Json]:
    shown = yield from receipt_steps(row, header)
    return shown | blob_receipt_fields(context.backend.node.network, row, header)


async def gas_price(context: Context) -> str:
    """The base fee of the newest block and the suggested tip."""
    return hex(context.backend.reads.head().base_fee + await suggested_tip(context))


async def max_priority_fee(context: Context) -> str:
    return hex(await suggested_tip(context))


async def suggested_tip(context: Context) -> int:
    """The suggested tip, in wei. The order within a batch is by seed, so a tip matters only if more transactions
    wait than fit into a batch."""
    return await context.backend.reads.query(lambda reader: reader.pool.tip_to_enter())


async def base_fee(context: Context) -> str:
    """The base fee of the next block."""
    return hex(context.backend.node.next_base_fee())


async def blob_base_fee(context: Context) -> str:
    """The blob base fee of the next block; constantly the minimum on a Coinone chain, which has no blobs."""
    return hex(await context.backend.reads.query(lambda reader: reader.env().blob_base_fee))
