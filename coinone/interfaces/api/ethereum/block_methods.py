"""Blocks, transactions and receipts."""

from typing import Any

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.blobs import blob_gas_ratio, blob_price, blob_receipt_fields
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.errors import invalid_params
from coinone.interfaces.api.ethereum.format import (
    AnyHeader,
    block_json,
    header_json,
    hex_bytes,
    imported_body_json,
    receipt_json,
    uncle_json,
)
from coinone.interfaces.api.ethereum.hexes import read_hash, read_quantity
from coinone.interfaces.api.ethereum.params import BlockId, boolean, required_block, small_integer
from coinone.interfaces.api.ethereum.served import ServedReader
from coinone.interfaces.api.ethereum.transaction_format import pending_transaction_json, transaction_json
from coinone.interfaces.api.limits import FEE_HISTORY_MAX
from coinone.rules.chain.ethereum.header import EthereumBlock, decode_ethereum_header
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.chain.receipts import PlacedRecord

Json = dict[str, Any]
_PERCENTILES_MAX = 100
_U32_MAX = 2**32 - 1


async def block_number(context: Context) -> str:
    return hex(context.backend.reads.head_number())


async def get_block_by_hash(context: Context, block_hash: Any, full: Any = False) -> Json | None:
    return _block(context, BlockId(hash=read_hash(block_hash)), boolean(full))


async def get_block_by_number(context: Context, block: Any, full: Any = False) -> Json | None:
    return _block(context, required_block(block), boolean(full))


async def get_header_by_hash(context: Context, block_hash: Any) -> Json | None:
    header = context.backend.reads.header(BlockId(hash=read_hash(block_hash)))
    return None if header is None else header_json(header)


async def get_header_by_number(context: Context, block: Any) -> Json | None:
    header = context.backend.reads.header(required_block(block))
    return None if header is None else header_json(header)


def _block(context: Context, wanted: BlockId, full: bool) -> Json | None:
    found = context.backend.reads.block(wanted)
    if found is None:
        return None
    header, rows = found
    shown = [transaction_json(row, header) if full else hex_bytes(row.record.hash) for row in rows]
    body = block_json(header, shown, [row.record.raw for row in rows])
    return body | _imported_body(context, header.number)


def _imported_body(context: Context, number: int) -> Json:
    """What an imported block has besides, ommers and withdrawals; blocks of ours have neither."""
    block = context.backend.reads.archive.block(number)
    return imported_body_json(block) if isinstance(block, EthereumBlock) else {}


async def get_block_receipts(context: Context, block: Any) -> list[Json] | None:
    found = context.backend.reads.block(required_block(block))
    if found is None:
        return None
    header, rows = found
    return [_receipt(context, row, header) for row in rows]


async def count_by_hash(context: Context, block_hash: Any) -> str | None:
    found = context.backend.reads.block(BlockId(hash=read_hash(block_hash)))
    return None if found is None else hex(len(found[1]))


async def count_by_number(context: Context, block: Any) -> str | None:
    found = context.backend.reads.block(required_block(block))
    return None if found is None else hex(len(found[1]))


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
    """Of an imported block from before the merge; others have none."""
    place = read_quantity(index, _U32_MAX)
    block = None if number is None else context.backend.reads.archive.block(number)
    if not isinstance(block, EthereumBlock) or place >= len(block.ommers):
        return None
    return uncle_json(decode_ethereum_header(rlp.decode_list(block.ommers[place])))


async def by_hash_and_index(context: Context, block_hash: Any, index: Any) -> Json | None:
    return _shown(_nth(context, BlockId(hash=read_hash(block_hash)), index))


async def by_number_and_index(context: Context, block: Any, index: Any) -> Json | None:
    return _shown(_nth(context, required_block(block), index))


async def raw_by_hash_and_index(context: Context, block_hash: Any, index: Any) -> str:
    """The transaction's bytes; "0x" where there is none, as in geth."""
    return _raw(_nth(context, BlockId(hash=read_hash(block_hash)), index))


async def raw_by_number_and_index(context: Context, block: Any, index: Any) -> str:
    return _raw(_nth(context, required_block(block), index))


def _nth(context: Context, wanted: BlockId, index: Any) -> tuple[AnyHeader, PlacedRecord] | None:
    place, found = read_quantity(index, _U32_MAX), context.backend.reads.block(wanted)
    return None if found is None or place >= len(found[1]) else (found[0], found[1][place])


def _shown(found: tuple[AnyHeader, PlacedRecord] | None) -> Json | None:
    return None if found is None else transaction_json(found[1], found[0])


def _raw(found: tuple[AnyHeader, PlacedRecord] | None) -> str:
    return hex_bytes(b"" if found is None else found[1].record.raw)


async def get_transaction(context: Context, tx_hash: Any) -> Json | None:
    wanted = read_hash(tx_hash)
    found = context.backend.reads.transaction(wanted)
    if found is not None:
        return transaction_json(found[1], found[0])
    raw = await _waiting(context, wanted)
    return None if raw is None else pending_transaction_json(decode_transaction(raw))


async def get_raw_transaction(context: Context, tx_hash: Any) -> str:
    """Of a block, or of the pool; "0x" for an unknown one, as in geth."""
    wanted = read_hash(tx_hash)
    found = context.backend.reads.transaction(wanted)
    raw = await _waiting(context, wanted) if found is None else found[1].record.raw
    return hex_bytes(raw or b"")


async def _waiting(context: Context, tx_hash: Hash32) -> bytes | None:
    """A transaction in the pool."""

    def read(reader: ServedReader) -> bytes | None:
        waiting = reader.pool.get(tx_hash)
        return None if waiting is None else waiting.raw

    return await context.backend.reads.query(read)


async def get_receipt(context: Context, tx_hash: Any) -> Json | None:
    found = context.backend.reads.transaction(read_hash(tx_hash))
    return None if found is None else _receipt(context, found[1], found[0])


def _receipt(context: Context, row: PlacedRecord, header: AnyHeader) -> Json:
    return receipt_json(row, header) | blob_receipt_fields(context.backend.node.network, row, header)


async def gas_price(context: Context) -> str:
    """The base fee of the newest block and the suggested tip."""
    return hex(context.backend.reads.head().base_fee + SUGGESTED_TIP)


async def max_priority_fee(context: Context) -> str:
    return hex(SUGGESTED_TIP)


SUGGESTED_TIP = 1  # wei: order inside a batch is by seed, so a tip buys a place only when blocks are full


async def base_fee(context: Context) -> str:
    """Of the next block."""
    return hex(context.backend.node.next_base_fee())


async def blob_base_fee(context: Context) -> str:
    """Of the next block; on a chain of ours it stands at its minimum, as there are no blobs."""
    return hex(await context.backend.reads.query(lambda reader: reader.env().blob_base_fee))


async def fee_history(context: Context, count: Any, newest: Any, percentiles: Any = None) -> Json:
    """EIP-1559 fee history. Percentiles are of tips, weighted by gas, as in geth."""
    wanted = _percentiles(percentiles)
    last = context.backend.reads.number(required_block(newest))
    head = context.backend.reads.head_number()
    if last is None or last > head:
        raise invalid_params("request beyond head block")
    length = min(small_integer(count, 2**32), FEE_HISTORY_MAX, last + 1)
    headers = list(context.backend.reads.archive.headers(last - length + 1, last)) if length else []
    answer: Json = {
        "oldestBlock": hex(last - length + 1 if length else 0),
        "baseFeePerGas": [*[hex(header.base_fee) for header in headers], *_fee_after(context, headers)],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": await _blob_prices(context, headers),
        "blobGasUsedRatio": [blob_gas_ratio(context.backend.node.network, header) for header in headers],
    }
    if wanted:
        answer["reward"] = [_rewards(context, header, wanted) for header in headers]
    return answer


def _fee_after(context: Context, headers: list[AnyHeader]) -> list[str]:
    """The base fee of the block behind the last one."""
    if not headers:
        return []
    following = context.backend.reads.archive.header(headers[-1].number + 1)
    return [hex(context.backend.node.next_base_fee() if following is None else following.base_fee)]


async def _blob_prices(context: Context, headers: list[AnyHeader]) -> list[str]:
    """Of these blocks, and of the one behind the last."""
    if not headers:
        return []
    following = context.backend.reads.archive.header(headers[-1].number + 1)
    known = headers if following is None else [*headers, following]
    prices = [hex(blob_price(context.backend.node.network, header)) for header in known]
    return prices if following is not None else [*prices, await blob_base_fee(context)]


def _percentiles(value: Any) -> list[float]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _PERCENTILES_MAX:
        raise invalid_params(f"over the query limit {_PERCENTILES_MAX}")
    last = 0.0
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int | float) or not last <= item <= 100:
            raise invalid_params("invalid reward percentile")
        last = item
    return value


def _rewards(context: Context, header: AnyHeader, percentiles: list[float]) -> list[str]:
    rows = [
        row.record for row in context.backend.reads.archive.records(header.number) if not row.record.is_system
    ]
    tips = sorted((max(record.gas_price - header.base_fee, 0), record.gas_used) for record in rows)
    rewards = []
    for percentile in percentiles:
        threshold, passed, reward = header.gas_used * percentile / 100, 0, 0
        for tip, gas in tips:
            passed, reward = passed + gas, tip
            if passed >= threshold:
                break
        rewards.append(hex(reward))
    return rewards
