"""debug_trace*: what a transaction did, step by step, in geth's forms."""

from dataclasses import replace
from typing import Any

import msgspec

from coinone.base.primitives.parse import parse_hash
from coinone.interfaces.api.ethereum.calls import call_request_of
from coinone.interfaces.api.ethereum.dispatch import Context
from coinone.interfaces.api.ethereum.errors import SERVER_ERROR, RpcError, invalid_params
from coinone.interfaces.api.ethereum.params import BlockId, block_id
from coinone.interfaces.api.ethereum.tracing import BlockTrace, CallTrace, Traced, trace
from coinone.interfaces.api.limits import TRACE_TIMEOUT_S


async def trace_transaction(context: Context, tx_hash: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceTransaction"""
    found = context.backend.reads.transaction(parse_hash(tx_hash))
    if found is None:
        raise RpcError(SERVER_ERROR, "transaction not found")
    header, row = found
    job = BlockTrace(context.backend.node.network, header.number, row.index, _options(options))
    return _answer(await context.backend.calls.run_on_store(trace, job))


async def trace_block_by_number(context: Context, block: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceBlockByNumber"""
    return await _trace_block(context, block_id(block), options)


async def trace_block_by_hash(context: Context, block_hash: Any, options: Any = None) -> msgspec.Raw:
    """debug_traceBlockByHash"""
    return await _trace_block(context, BlockId(hash=parse_hash(block_hash)), options)


async def _trace_block(context: Context, wanted: BlockId, options: Any) -> msgspec.Raw:
    header = context.backend.reads.header(wanted)
    if header is None:
        raise RpcError(SERVER_ERROR, "block not found")
    if header.number == 0:
        raise RpcError(SERVER_ERROR, "genesis is not traceable")
    job = BlockTrace(context.backend.node.network, header.number, None, _options(options))
    return _answer(await context.backend.calls.run_on_store(trace, job))


async def trace_call(
    context: Context, transaction: Any, block: Any = None, options: Any = None
) -> msgspec.Raw:
    """debug_traceCall, at the newest block."""
    given, calls, reads = _options(options), context.backend.calls, context.backend.reads
    if given.get("stateOverrides") or given.get("blockOverrides"):
        raise RpcError(SERVER_ERROR, "state and block overrides are not supported")
    wanted = block_id(block)
    with reads.snapshot() as snapshot:
        reads.require_newest(wanted, snapshot)
    trial = replace(calls.trial(call_request_of(transaction), False, reads.head()), timeout_s=TRACE_TIMEOUT_S)
    return _answer(await calls.run_on_store(trace, CallTrace(trial, given)))


def _options(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not isinstance(value.get("tracerConfig") or {}, dict):
        raise invalid_params("tracer options must be an object")
    return value


def _answer(traced: Traced) -> msgspec.Raw:
    if traced.error is not None:
        raise RpcError(SERVER_ERROR, traced.error)
    return msgspec.Raw(traced.json)
