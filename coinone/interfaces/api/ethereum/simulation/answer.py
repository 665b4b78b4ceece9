"""Encode a simulated block as the JSON of eth_simulateV1: the block, and the result of each call."""

from typing import Any

from coinone.base.primitives import rlp
from coinone.interfaces.api.ethereum.json.blocks import Json, header_fields, header_json, hex_bytes, log_json
from coinone.interfaces.api.ethereum.json.errors import EXECUTION_REVERTED, reverted
from coinone.interfaces.api.ethereum.json.transactions import transaction_json
from coinone.interfaces.api.ethereum.simulation.plan import WantedWithdrawal
from coinone.interfaces.api.ethereum.simulation.run import SimulatedBlock, SimulatedCall
from coinone.rules.vm.errors import Revert, describe

VM_ERROR = -32015


def block_answer(block: SimulatedBlock, full: bool) -> Json:
    header, rows = block.header, block.placed.rows
    items = [row.record.raw for row in rows]
    body: list[rlp.Encodable] = [rlp.decode(raw) if raw[0] >= 0xC0 else raw for raw in items]
    encoded = rlp.encode([list(header_fields(header)), body, [], [row.fields for row in block.withdrawals]])
    return {
        **header_json(header),
        "baseFeePerGas": hex(header.base_fee),
        "size": hex(len(encoded)),
        "transactions": [
            transaction_json(row, header) if full else hex_bytes(row.record.hash) for row in rows
        ],
        "uncles": [],
        "withdrawals": [_withdrawal(row) for row in block.withdrawals],
        "calls": _calls(block),
    }


def _withdrawal(row: WantedWithdrawal) -> Json:
    return {
        "index": hex(row.index),
        "validatorIndex": hex(row.validator),
        "address": hex_bytes(row.address),
        "amount": hex(row.gwei),
    }


def _calls(block: SimulatedBlock) -> list[Json]:
    return [
        _call(call, [log_json(log, block.header, call.tx.hash, place, index) for index, log in call.logs])
        for place, call in enumerate(block.calls)
    ]


def _call(call: SimulatedCall, logs: list[Json]) -> Json:
    result = call.result
    answer: Json = {
        "returnData": hex_bytes(result.output if result.success else b""),
        "logs": logs,
        "gasUsed": hex(result.gas_used),
        "maxUsedGas": hex(result.gas_peak),
        "status": hex(result.status),
    }
    if result.error is not None:
        answer["error"] = _error(call)
    return answer


def _error(call: SimulatedCall) -> dict[str, Any]:
    error = call.result.error
    assert error is not None, "what fails has a reason"
    if isinstance(error, Revert):
        told = reverted(call.result.output)
        return {"code": EXECUTION_REVERTED, "message": told.message, "data": told.data}
    return {"code": VM_ERROR, "message": describe(error)}
