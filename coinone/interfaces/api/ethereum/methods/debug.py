"""debug_trace*: the steps of a transaction, in geth's formats; debug_getRaw*: blocks as bytes."""

from typing import Any

import msgspec

from coinone.base.primitives import rlp
from coinone.interfaces.api.ethereum.calls.tracing import BlockTrace, CallTrace, Traced, timeout_of, trace
from coinone.interfaces.api.ethereum.calls.trials import Purpose, trial_at
from coinone.interfaces.api.ethereum.context import Context, Rows
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader, header_fields, header_json, hex_bytes
from coinone.interfaces.api.ethereum.json.errors import (
    METHOD_NOT_SUPPORTED,
    SERVER_ERROR,
    RpcError,
    invalid_params,
)
from coinone.interfaces.api.ethereum.json.hexes import read_hash
from coinone.interfaces.api.ethereum.json.overrides import read_overrides
from coinone.interfaces.api.ethereum.json.params import BlockId, block_id, call_request, required_block
from coinone.node.imported.archive import EthereumArchive
from coinone.rules.ledger.placed import PlacedRecord, receipt_of
from coinone.rules.ledger.receipts import receipt_steps
from coinone.rules.state.steps import Steps, at_once, each


async def trace_transaction(context: Context, tx_hash: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceTransaction"""
    found = await context.of_transaction(read_hash(tx_hash), at_once(lambda header, row: (header, row)))
    if found is None:
        raise RpcError(SERVER_ERROR, "transaction not found")
    header, row = found
    job = BlockTrace(
        context.backend.node.network, header.number, header.hash, row.index, trace_options(options)
    )
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))


async def trace_block_by_number(context: Context, block: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceBlockByNumber"""
    return await _trace_block(context, required_block(block), options)


async def trace_block_by_hash(context: Context, block_hash: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceBlockByHash"""
    return await _trace_block(context, BlockId(hash=read_hash(block_hash)), options)


async def _trace_block(context: Context, wanted: BlockId, options: Any) -> msgspec.Raw:
    header = context.backend.reads.header(wanted)
    if header is None:
        raise RpcError(SERVER_ERROR, "block not found")
    if header.number == 0:
        raise RpcError(SERVER_ERROR, "genesis is not traceable")
    job = BlockTrace(context.backend.node.network, header.number, header.hash, None, trace_options(options))
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))


async def get_raw_header(context: Context, block: Any) -> str:
    """debug_getRawHeader"""
    header = context.backend.reads.header(required_block(block))
    if header is None:
        raise RpcError(SERVER_ERROR, "block not found")
    return hex_bytes(rlp.encode(list(header_fields(header))))


async def get_raw_block(context: Context, block: Any) -> str:
    """debug_getRawBlock: header, transactions, and Ethereum's empty lists after them."""
    header, rows = await _found(context, block)
    archive = context.backend.reads.archive
    if isinstance(archive, EthereumArchive):
        raw = archive.raw(header.number)
        assert raw is not None, "the block was found"
        return hex_bytes(raw)
    items = [_body_item(row.record.raw) for row in rows]
    tail: list[rlp.Encodable] = [[], []] if "withdrawalsRoot" in header_json(header) else [[]]
    return hex_bytes(rlp.encode([list(header_fields(header)), items, *tail]))


async def get_raw_receipts(context: Context, block: Any) -> list[str]:
    """debug_getRawReceipts: each as in the receipts trie."""

    def show(row: PlacedRecord) -> Steps[str]:
        encoded, _ = yield from receipt_steps(receipt_of(row))
        return hex_bytes(encoded)

    found = await context.of_block(required_block(block), lambda _, rows: each(rows, show))
    if found is None:
        raise RpcError(SERVER_ERROR, "block not found")
    return found


async def _found(context: Context, block: Any) -> tuple[AnyHeader, Rows]:
    found = await context.of_block(required_block(block), at_once(lambda header, rows: (header, rows)))
    if found is None:
        raise RpcError(SERVER_ERROR, "block not found")
    return found


def _body_item(raw: bytes) -> rlp.Encodable:
    """An item of a block's body: a legacy transaction is a list, a typed one is bytes."""
    return rlp.decode(raw) if raw[0] >= 0xC0 else raw


async def trace_call(
    context: Context, transaction: Any, block: Any = None, options: Any = None
) -> msgspec.Raw:
    """debug_traceCall; the options may hold stateOverrides and blockOverrides."""
    given, trials = trace_options(options), context.backend.trials
    if given.get("txIndex") is not None:
        raise RpcError(
            METHOD_NOT_SUPPORTED, "txIndex is not supported: a call is traced after its whole block"
        )
    request = call_request(transaction, context.backend.node.network.chain_id)
    overrides = read_overrides(given.get("stateOverrides"), given.get("blockOverrides"))
    place = await trials.place(block_id(block))
    job = CallTrace(trial_at(place, request, Purpose.CALL, overrides), given)
    return trace_answer(await trials.run_on_store(trace, job, context.sender, place.batches))


def trace_options(value: Any) -> dict[str, Any]:
    """Read the options of a trace. Raises RpcError if they are not an object, or their timeout is not a duration."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not isinstance(value.get("tracerConfig") or {}, dict):
        raise invalid_params("tracer options must be an object")
    timeout_of(value)
    return value


def trace_answer(traced: Traced) -> msgspec.Raw:
    """The trace as JSON. Raises RpcError if it failed."""
    if traced.error is not None:
        raise RpcError(SERVER_ERROR, traced.error)
    return msgspec.Raw(traced.json)
