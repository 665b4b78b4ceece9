"""Events, for the world outside: contracts cannot read them."""

from coinone.rules.vm.environment import Log
from coinone.rules.vm.errors import WriteProtection
from coinone.rules.vm.frame import Frame, Operation
from coinone.rules.vm.gas import LOG_PER_BYTE, charge, extend_memory


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
