"""Transfers of the coin as logs among the others, in the format of eth_simulateV1's `traceTransfers`."""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.abi import address_word, uint_word
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.vm import Log
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import to_address
from coinone.rules.vm.frame import Frame

TRANSFER_SENDER: Address = bytes.fromhex("ee" * 20)  # the address that represents the coin
TRANSFER_TOPIC: Hash32 = keccak256(b"Transfer(address,address,uint256)")
_SELFDESTRUCT = 0xFF


class TransferTracer:
    """Collects logs in order, each with its index in the block; those of a failed frame and its children are
    dropped, but keep their indices, as in geth."""

    def __init__(self, count: int) -> None:
        self.logs: list[tuple[int, Log]] = []
        self.count = count  # of the block's logs so far
        self._marks: list[int] = []  # of each active frame: where its logs begin
        self._seen = 0  # number of the run's own logs processed

    def enter(self, frame: Frame) -> None:
        self._marks.append(len(self.logs))
        message = frame.message
        if message.value and message.moves_value and message.kind is not kinds.CALLCODE:
            self._paid(message.caller, message.target, message.value)

    def before(self, frame: Frame, code: int) -> None:
        if code == _SELFDESTRUCT and frame.stack:
            balance = frame.evm.state.balance(frame.address)
            if balance:
                self._paid(frame.address, to_address(frame.stack[-1]), balance)

    def after(self, frame: Frame) -> None:
        logs = frame.evm.substate.logs
        if len(logs) > self._seen:
            for log in logs[self._seen :]:
                self._note(log)
            self._seen = len(logs)

    def exit(self, frame: Frame) -> None:
        mark = self._marks.pop()
        if frame.error is not None:
            del self.logs[mark:]
            self._seen = len(frame.evm.substate.logs)

    def _paid(self, sender: Address, receiver: Address, value: int) -> None:
        topics = (TRANSFER_TOPIC, address_word(sender), address_word(receiver))
        self._note(Log(TRANSFER_SENDER, topics, uint_word(value)))

    def _note(self, log: Log) -> None:
        self.logs.append((self.count, log))
        self.count += 1
