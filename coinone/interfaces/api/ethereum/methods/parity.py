"""trace_block and trace_transaction, compatible with Parity: the flat call tracer's lists and Parity's error texts,
without block rewards and without the chain's own payments of withdrawals."""

from typing import Any

import msgspec

from coinone.interfaces.api.ethereum.calls.tracing import BlockTrace, trace
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.hexes import read_hash
from coinone.interfaces.api.ethereum.json.params import required_block
from coinone.interfaces.api.ethereum.methods.debug import trace_answer
from coinone.rules.state.steps import at_once

OPTIONS = {"tracer": "flatCallTracer", "tracerConfig": {"convertParityErrors": True}}


async def trace_transaction(context: Context, tx_hash: Any) -> msgspec.Raw | None:
    """trace_transaction; None for a transaction that no block includes."""
    found = await context.of_transaction(read_hash(tx_hash), at_once(lambda header, row: (header, row)))
    if found is None:
        return None
    header, row = found
    job = BlockTrace(context.backend.node.network, header.number, header.hash, row.index, OPTIONS)
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))


async def trace_block(context: Context, block: Any) -> msgspec.Raw | list[Any] | None:
    """trace_block: the frames of all transactions in order; None if the block does not exist."""
    header = context.backend.reads.header(required_block(block))
    if header is None or header.number == 0:
        return None if header is None else []
    job = BlockTrace(context.backend.node.network, header.number, header.hash, None, OPTIONS, flat=True)
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))
