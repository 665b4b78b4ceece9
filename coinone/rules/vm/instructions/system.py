"""Calls, creations and SELFDESTRUCT.

None of these runs another frame: each charges gas, decides whether the attempt fails immediately, and otherwise returns
a `Message` to the driver (interpreter.py), which resumes this frame with the result.
"""

from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import Address
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import create2_address, create_address, delegate_of, to_address
from coinone.rules.vm.environment import Message
from coinone.rules.vm.errors import CodeTooLarge, WriteProtection
from coinone.rules.vm.frame import HALT, Frame, Halt
from coinone.rules.vm.gas import (
    CALL_STIPEND,
    CALL_VALUE,
    COLD_ACCOUNT_ACCESS,
    INIT_CODE_PER_WORD,
    KECCAK_PER_WORD,
    NEW_ACCOUNT,
    WARM_ACCESS,
    all_but_one_64th,
    charge,
    extend_memory,
    touch_account,
    words,
)
from coinone.rules.vm.instructions.log import log_transfer

CALL_DEPTH_MAX = 1024
_COPY_MAX = 4_096  # bytes; copying so few costs less than making a view


def create(frame: Frame, stack: list[int]) -> Message | None:
    # STACK
    value = stack.pop()
    offset = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, INIT_CODE_PER_WORD * words(size))
    extend_memory(frame, offset, size)
    # OPERATION
    nonce = frame.evm.state.nonce(frame.address)
    init_code = bytes(frame.memory[offset : offset + size])
    return _begin_create(frame, kinds.CREATE, create_address(frame.address, nonce), value, init_code)


def create2(frame: Frame, stack: list[int]) -> Message | None:
    # STACK
    value = stack.pop()
    offset = stack.pop()
    size = stack.pop()
    salt = stack.pop()
    # GAS
    charge(frame, (INIT_CODE_PER_WORD + KECCAK_PER_WORD) * words(size))
    extend_memory(frame, offset, size)
    # OPERATION
    init_code = bytes(frame.memory[offset : offset + size])
    new_address = create2_address(frame.address, salt, init_code)
    return _begin_create(frame, kinds.CREATE2, new_address, value, init_code)


def _begin_create(
    frame: Frame, kind: str, new_address: Address, value: int, init_code: bytes
) -> Message | None:
    """The common half of CREATE and CREATE2; pushes 0 for too little balance, too much depth, or no nonce left."""
    message, state = frame.message, frame.evm.state
    if message.static:
        raise WriteProtection
    if len(init_code) > frame.evm.rules.init_code_size_max:
        raise CodeTooLarge
    frame.return_data = b""
    creator = frame.address
    nonce = state.nonce(creator)
    if state.balance(creator) < value or nonce == U64_MAX or message.depth == CALL_DEPTH_MAX:
        frame.stack.append(0)
        return None
    gas = all_but_one_64th(frame.gas)
    frame.gas -= gas
    state.set_nonce(creator, nonce + 1)
    frame.evm.substate.warm_address(new_address)  # warm even if the creation fails
    return Message(kind, creator, new_address, new_address, init_code, value, b"", gas, message.depth + 1)


def call(frame: Frame, stack: list[int]) -> Message | None:
    # STACK
    gas = stack.pop()
    to = to_address(stack.pop())
    value = stack.pop()
    # GAS
    data = _charge_call_memory(frame, stack)
    touch_account(frame, to)
    if value:
        if frame.message.static:
            raise WriteProtection
        charge(frame, CALL_VALUE + (NEW_ACCOUNT if frame.evm.state.is_empty(to) else 0))
    # OPERATION
    return _begin_call(frame, kinds.CALL, gas, frame.address, to, to, value, data)


def callcode(frame: Frame, stack: list[int]) -> Message | None:
    """CALLCODE: run another account's code on this account, which pays the value to itself."""
    # STACK
    gas = stack.pop()
    code_address = to_address(stack.pop())
    value = stack.pop()
    # GAS
    data = _charge_call_memory(frame, stack)
    touch_account(frame, code_address)
    if value:
        charge(frame, CALL_VALUE)
    # OPERATION
    return _begin_call(frame, kinds.CALLCODE, gas, frame.address, frame.address, code_address, value, data)


def delegatecall(frame: Frame, stack: list[int]) -> Message | None:
    """DELEGATECALL: run another account's code on this account, with this frame's caller and value."""
    # STACK
    gas = stack.pop()
    code_address = to_address(stack.pop())
    # GAS
    data = _charge_call_memory(frame, stack)
    touch_account(frame, code_address)
    # OPERATION
    message = frame.message
    return _begin_call(
        frame, kinds.DELEGATECALL, gas, message.caller, frame.address, code_address, message.value, data
    )


def staticcall(frame: Frame, stack: list[int]) -> Message | None:
    """STATICCALL: a call that may not write."""
    # STACK
    gas = stack.pop()
    to = to_address(stack.pop())
    # GAS
    data = _charge_call_memory(frame, stack)
    touch_account(frame, to)
    # OPERATION
    return _begin_call(frame, kinds.STATICCALL, gas, frame.address, to, to, 0, data)


def _charge_call_memory(frame: Frame, stack: list[int]) -> tuple[int, int]:
    """Pop a call's two memory ranges, of its data and its output, and charge for them."""
    # STACK
    data_offset = stack.pop()
    data_size = stack.pop()
    frame.result_offset = stack.pop()
    frame.result_size = stack.pop()
    # GAS
    extend_memory(frame, data_offset, data_size)
    extend_memory(frame, frame.result_offset, frame.result_size)
    return data_offset, data_size


def _begin_call(
    frame: Frame,
    kind: str,
    gas: int,
    caller: Address,
    target: Address,
    code_address: Address,
    value: int,
    data_range: tuple[int, int],
) -> Message | None:
    """The common half of the calls; pushes 0 and keeps the gas for too little balance or too much depth."""
    message, state = frame.message, frame.evm.state
    code = state.code(code_address)
    delegate = delegate_of(code) if frame.evm.rules.delegation else None
    if delegate is not None:
        charge(frame, COLD_ACCOUNT_ACCESS if frame.evm.substate.warm_address(delegate) else WARM_ACCESS)
        code_address, code = delegate, state.code(delegate)

    moves_value = kind is not kinds.DELEGATECALL
    gas = min(gas, all_but_one_64th(frame.gas))
    frame.return_data = b""
    poor = moves_value and value > state.balance(frame.address)
    stipend = CALL_STIPEND if moves_value and value else 0
    if poor or message.depth == CALL_DEPTH_MAX:
        frame.gas += stipend
        frame.stack.append(0)
        return None
    frame.gas -= gas
    return Message(
        kind,
        caller,
        target,
        code_address,
        code,
        value,
        _call_data(frame, *data_range),
        gas + stipend,
        message.depth + 1,
        message.static or kind is kinds.STATICCALL,
        moves_value,
        delegate is None,
    )


def _call_data(frame: Frame, offset: int, size: int) -> bytes | memoryview:
    """The data of a call; large data as a view, which the driver releases after the call."""
    if size <= _COPY_MAX:
        return bytes(frame.memory[offset : offset + size])
    return memoryview(frame.memory)[offset : offset + size]


def selfdestruct(frame: Frame, stack: list[int]) -> Halt:
    """SELFDESTRUCT: send the whole balance. The contract is deleted only if this transaction created it."""
    # STACK
    beneficiary = to_address(stack.pop())
    # GAS
    state, substate = frame.evm.state, frame.evm.substate
    if frame.message.static:
        raise WriteProtection
    if substate.warm_address(beneficiary):
        charge(frame, COLD_ACCOUNT_ACCESS)
    balance = state.balance(frame.address)
    if balance and state.is_empty(beneficiary):
        charge(frame, NEW_ACCOUNT)
    # OPERATION
    state.set_balance(frame.address, 0)
    state.set_balance(beneficiary, state.balance(beneficiary) + balance)
    if frame.evm.rules.transfer_logs and balance:
        log_transfer(substate, frame.address, beneficiary, balance)
    if state.created_in_transaction(frame.address):
        state.set_balance(frame.address, 0)  # it named itself as beneficiary: the coins are burnt
        state.destroy(frame.address)
    return HALT
