"""Logs (events), which contracts cannot read."""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.ledger.log import Log
from coinone.rules.vm.errors import WriteProtection
from coinone.rules.vm.frame import Frame, Operation
from coinone.rules.vm.gas import LOG_PER_BYTE, charge, extend_memory
from coinone.rules.vm.substate import Substate

_SYSTEM: Address = b"\xff" * 19 + b"\xfe"  # the address of logs that no contract emits
_TRANSFER: Hash32 = keccak256(b"Transfer(address,address,uint256)")


def log(topic_count: int) -> Operation:
    def log_n(frame: Frame, stack: list[int]) -> None:
        # STACK
        offset = stack.pop()
        size = stack.pop()
        topics = tuple([stack.pop().to_bytes(32, "big") for _ in range(topic_count)])
        # GAS
        charge(frame, LOG_PER_BYTE * size)
        extend_memory(frame, offset, size)
        # OPERATION
        if frame.message.static:
            raise WriteProtection
        data = bytes(frame.memory[offset : offset + size])
        frame.evm.substate.logs.append(Log(frame.address, topics, data))

    return log_n


def log_transfer(substate: Substate, payer: Address, payee: Address, value: int) -> None:
    """Log a transfer of the gas coin as a token would (EIP-7708, from Amsterdam on)."""
    if payer != payee:
        topics = (_TRANSFER, payer.rjust(32, b"\0"), payee.rjust(32, b"\0"))
        substate.logs.append(Log(_SYSTEM, topics, value.to_bytes(32, "big")))
