"""eth_call, eth_estimateGas and eth_createAccessList."""

from typing import Any

from coinone.interfaces.api.ethereum.calls.trials import CallResult, Purpose
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blocks import hex_bytes, word
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError, reverted
from coinone.interfaces.api.ethereum.json.overrides import read_overrides
from coinone.interfaces.api.ethereum.json.params import PENDING, block_id, call_request


async def eth_call(
    context: Context, transaction: Any, block: Any = None, accounts: Any = None, fields: Any = None
) -> str:
    """The output of a call, with `accounts` and block `fields` as overridden."""
    return hex_bytes((await _run(context, Purpose.CALL, transaction, block, accounts, fields)).output)


async def eth_estimate_gas(
    context: Context, transaction: Any, block: Any = None, accounts: Any = None, fields: Any = None
) -> str:
    """The smallest sufficient gas limit; on top of all pending batches if no block is given."""
    at = PENDING if block is None else block
    return hex((await _run(context, Purpose.ESTIMATE, transaction, at, accounts, fields)).gas)


async def eth_create_access_list(
    context: Context, transaction: Any, block: Any = None, accounts: Any = None
) -> dict[str, Any]:
    """EIP-2930: the addresses and slots that a call touches; a failing call has a list too, with its error."""
    request, overrides = (
        call_request(transaction, context.backend.node.network.chain_id),
        read_overrides(accounts),
    )
    verdict = await context.backend.trials.run(
        request, Purpose.ACCESS_LIST, block_id(block), overrides, context.sender
    )
    if verdict.error is not None and not verdict.gas:
        raise RpcError(SERVER_ERROR, verdict.error)
    listed = [
        {"address": hex_bytes(address), "storageKeys": [word(slot) for slot in slots]}
        for address, slots in verdict.access_list
    ]
    answer: dict[str, Any] = {"accessList": listed, "gasUsed": hex(verdict.gas)}
    return answer if verdict.error is None else {**answer, "error": verdict.error}


async def _run(
    context: Context, purpose: Purpose, transaction: Any, block: Any, accounts: Any, fields: Any
) -> CallResult:
    request, overrides = (
        call_request(transaction, context.backend.node.network.chain_id),
        read_overrides(accounts, fields),
    )
    verdict = await context.backend.trials.run(request, purpose, block_id(block), overrides, context.sender)
    if verdict.is_revert:
        raise reverted(verdict.output)
    if verdict.error is not None:
        raise RpcError(SERVER_ERROR, verdict.error)
    return verdict
