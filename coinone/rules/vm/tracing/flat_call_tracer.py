"""The flat call tracer: the tree of messages as a list, each with its position in the tree.

The form is that of geth's flatCallTracer and of the trace_* methods of other nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.parse import format_bytes, format_quantity
from coinone.base.primitives.types import Hash32
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.call_tracer import CallTracer

_REVERTED = "execution reverted"
_PARITY_WORDS = {
    "out of gas": "Out of gas",
    "max code size exceeded": "Out of gas",
    "invalid jump destination": "Bad jump destination",
    _REVERTED: "Reverted",
    "return data out of bounds": "Out of bounds",
    "stack limit reached 1024": "Out of stack",
    "invalid input to a precompiled contract": "Built-in failed",
    "invalid opcode": "Bad instruction",
    "stack underflow": "Stack underflow",
}


@dataclass(frozen=True, slots=True)
class TracedPlace:
    """The place of the transaction on the chain; None for a simulated one."""

    block_hash: Hash32 | None = None
    block_number: int = 0
    tx_hash: Hash32 | None = None
    index: int = 0


class FlatCallTracer(CallTracer):
    """Calls of precompiled contracts are omitted unless `precompiles`; `parity` selects Parity's error texts."""

    def __init__(self, place: TracedPlace, precompiles: bool = False, parity: bool = False) -> None:
        super().__init__()
        self._place, self._with_precompiles, self._parity = place, precompiles, parity
        self._precompiled: set[str] = set()

    def enter(self, frame: Frame) -> None:
        if not frame.message.depth and not self._with_precompiles:
            self._precompiled = {format_bytes(address) for address in frame.evm.precompiles}
        super().enter(frame)

    def listed(self, gas_limit: int, gas_used: int) -> list[dict[str, Any]]:
        """The frames in pre-order, starting with the root."""
        return list(self._frames(self.result(gas_limit, gas_used), []))

    def _frames(self, call: dict[str, Any], path: list[int]) -> Iterator[dict[str, Any]]:
        below = [each for each in call.get("calls", []) if not self._is_left_out(each)]
        place, error = self._place, call.get("error")
        frame = _create(call) if call["type"] in (kinds.CREATE, kinds.CREATE2) else _other(call)
        if error is not None:
            frame["error"] = _PARITY_WORDS.get(error, error) if self._parity else error
            if error != _REVERTED:
                del frame["result"]
        yield frame | {
            "subtraces": len(below),
            "traceAddress": path,
            "blockHash": None if place.block_hash is None else format_bytes(place.block_hash),
            "blockNumber": place.block_number,
            "transactionHash": None if place.tx_hash is None else format_bytes(place.tx_hash),
            "transactionPosition": place.index,
        }
        for number, each in enumerate(below):
            yield from self._frames(each, [*path, number])

    def _is_left_out(self, call: dict[str, Any]) -> bool:
        return call["type"] in (kinds.CALL, kinds.STATICCALL) and call["to"] in self._precompiled


def _create(call: dict[str, Any]) -> dict[str, Any]:
    result = {"gasUsed": call["gasUsed"], "code": call.get("output", "0x")}
    if "to" in call:
        result["address"] = call["to"]
    action = {
        "creationMethod": call["type"].lower(),
        "from": call["from"],
        "gas": call["gas"],
        "value": call["value"],
        "init": call["input"],
    }
    return {"type": "create", "action": action, "result": result}


def _other(call: dict[str, Any]) -> dict[str, Any]:
    if call["type"] == "SELFDESTRUCT":
        ending = {"address": call["from"], "balance": call["value"], "refundAddress": call["to"]}
        return {"type": "suicide", "action": ending, "result": None}
    action = {
        "callType": call["type"].lower(),
        "from": call["from"],
        "to": call["to"],
        "gas": call["gas"],
        "value": call.get("value", format_quantity(0)),
        "input": call["input"],
    }
    result = {"gasUsed": call["gasUsed"], "output": call.get("output", "0x")}
    return {"type": "call", "action": action, "result": result}
