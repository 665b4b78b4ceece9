"""trace_block and trace_transaction, as nodes after Parity have them: the flat call tracer's lists, errors in Parity's
words, without what a block pays to its maker and without the chain's own payments of withdrawals."""

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
    """None for a transaction that is in no block."""
    found = await context.of_transaction(read_hash(tx_hash), at_once(lambda header, row: (header, row)))
    if found is None:
        return None
    header, row = found
    job = BlockTrace(context.backend.node.network, header.number, header.hash, row.index, OPTIONS)
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))


async def trace_block(context: Context, block: Any) -> msgspec.Raw | list[Any] | None:
    """The frames of all transactions in order; None for a block that is not there."""
    header = context.backend.reads.header(required_block(block))
    if header is None or header.number == 0:
        return None if header is None else []
    job = BlockTrace(context.backend.node.network, header.number, header.hash, None, OPTIONS, flat=True)
    return trace_answer(await context.backend.trials.run_on_store(trace, job, context.sender))
