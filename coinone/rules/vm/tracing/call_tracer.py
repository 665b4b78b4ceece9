"""The call tracer: the tree of messages of a transaction, in the form of geth's callTracer."""

from typing import Any

from coinone.base.primitives.parse import format_bytes, format_quantity
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import to_address
from coinone.rules.vm.errors import Revert, describe
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.revert_reason import revert_reason
from coinone.rules.vm.tracing.room import Room

_SELFDESTRUCT = 0xFF
_CALL_SIZE = 256  # approximate bytes of a call or a log without its data


class CallTracer:
    def __init__(self, only_top: bool = False, with_logs: bool = False) -> None:
        self._room = Room()
        self.root: dict[str, Any] = {}
        self._only_top, self._with_logs = only_top, with_logs
        self._open: list[dict[str, Any]] = []
        self._logs_before: list[int] = []
        self._ending: dict[str, Any] | None = None

    def enter(self, frame: Frame) -> None:
        message = frame.message
        self._room.take(_CALL_SIZE + len(message.code if message.creates else message.data))
        call: dict[str, Any] = {
            "type": message.kind,
            "from": format_bytes(_sender(frame)),
            "to": format_bytes(_receiver(frame)),
            "gas": format_quantity(message.gas),
            "input": format_bytes(message.code if message.creates else bytes(message.data)),
        }
        if message.kind is not kinds.STATICCALL:
            call["value"] = format_quantity(message.value)
        if self._open:
            if not self._only_top:
                self._open[-1].setdefault("calls", []).append(call)
        else:
            self.root = call
        self._open.append(call)
        self._logs_before.append(len(frame.evm.substate.logs))

    def before(self, frame: Frame, code: int) -> None:
        if code == _SELFDESTRUCT and frame.stack and not self._only_top:
            self._ending = {
                "type": "SELFDESTRUCT",
                "from": format_bytes(frame.address),
                "to": format_bytes(to_address(frame.stack[-1])),
                "gas": "0x0",
                "gasUsed": "0x0",
                "input": "0x",
                "value": format_quantity(frame.evm.state.balance(frame.address)),
            }

    def after(self, frame: Frame) -> None:
        if self._ending is not None:
            self._open[-1].setdefault("calls", []).append(self._ending)
            self._ending = None
        logs = frame.evm.substate.logs
        if self._with_logs and len(logs) > self._logs_before[-1]:
            self._note_logs(frame)

    def exit(self, frame: Frame) -> None:
        call = self._open.pop()
        self._ending = None
        self._logs_before.pop()
        if self._logs_before:
            self._logs_before[-1] = len(frame.evm.substate.logs)
        call["gasUsed"] = format_quantity(frame.message.gas - frame.gas)
        if frame.output:
            self._room.take(len(frame.output))
            call["output"] = format_bytes(frame.output)
        if frame.error is None:
            return
        call["error"] = describe(frame.error)
        if isinstance(frame.error, Revert) and (reason := revert_reason(frame.output)):
            call["revertReason"] = reason
        if frame.message.creates:
            call.pop("to", None)
        _drop_logs(call)

    def result(self, gas_limit: int, gas_used: int) -> dict[str, Any]:
        """The tree. Its root has the whole transaction's gas, not only the message's."""
        return {**self.root, "gas": format_quantity(gas_limit), "gasUsed": format_quantity(gas_used)}

    def _note_logs(self, frame: Frame) -> None:
        call = self._open[-1]
        for log in frame.evm.substate.logs[self._logs_before[-1] :]:
            self._room.take(_CALL_SIZE + len(log.data))
            call.setdefault("logs", []).append(
                {
                    "address": format_bytes(log.address),
                    "topics": [format_bytes(topic) for topic in log.topics],
                    "data": format_bytes(log.data),
                    "position": format_quantity(len(call.get("calls", []))),
                }
            )
        self._logs_before[-1] = len(frame.evm.substate.logs)


def _sender(frame: Frame) -> bytes:
    """The account that makes the call; for DELEGATECALL not `message.caller`, which is further up."""
    message = frame.message
    return message.target if message.kind is kinds.DELEGATECALL else message.caller


def _receiver(frame: Frame) -> bytes:
    message = frame.message
    return message.code_address if message.kind in (kinds.CALLCODE, kinds.DELEGATECALL) else message.target


def _drop_logs(call: dict[str, Any]) -> None:
    """Remove the logs of a failed frame and of those below it."""
    call.pop("logs", None)
    for below in call.get("calls", []):
        _drop_logs(below)
