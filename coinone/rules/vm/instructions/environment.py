"""Instructions that read the message, its data and code, and other accounts."""

from coinone.rules.vm.addresses import to_address
from coinone.rules.vm.errors import ReturnDataOutOfBounds
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.gas import COPY_PER_WORD, charge, extend_memory, touch_account, words


def read_padded(data: bytes | memoryview, offset: int, size: int) -> bytes:
    """`size` bytes of `data` at `offset`, padded with zeros beyond its end."""
    return bytes(data[offset : offset + size]).ljust(size, b"\0")


def address(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(int.from_bytes(frame.address, "big"))


def balance(frame: Frame, stack: list[int]) -> None:
    # STACK
    account = to_address(stack.pop())
    # GAS
    touch_account(frame, account)
    # OPERATION
    stack.append(frame.evm.state.balance(account))


def self_balance(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.state.balance(frame.address))


def origin(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(int.from_bytes(frame.evm.transaction.origin, "big"))


def caller(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(int.from_bytes(frame.message.caller, "big"))


def call_value(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.message.value)


def gas_price(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.transaction.gas_price)


def call_data_load(frame: Frame, stack: list[int]) -> None:
    # STACK
    offset = stack.pop()
    # OPERATION
    stack.append(int.from_bytes(read_padded(frame.message.data, offset, 32), "big"))


def call_data_size(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(len(frame.message.data))


def call_data_copy(frame: Frame, stack: list[int]) -> None:
    # STACK
    memory_offset = stack.pop()
    data_offset = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, COPY_PER_WORD * words(size))
    extend_memory(frame, memory_offset, size)
    # OPERATION
    if size:
        frame.memory[memory_offset : memory_offset + size] = read_padded(
            frame.message.data, data_offset, size
        )


def code_size(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.program.size)


def code_copy(frame: Frame, stack: list[int]) -> None:
    # STACK
    memory_offset = stack.pop()
    code_offset = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, COPY_PER_WORD * words(size))
    extend_memory(frame, memory_offset, size)
    # OPERATION
    if size:
        frame.memory[memory_offset : memory_offset + size] = read_padded(
            frame.message.code, code_offset, size
        )


def ext_code_size(frame: Frame, stack: list[int]) -> None:
    # STACK
    account = to_address(stack.pop())
    # GAS
    touch_account(frame, account)
    # OPERATION
    stack.append(len(frame.evm.state.code(account)))


def ext_code_copy(frame: Frame, stack: list[int]) -> None:
    # STACK
    account = to_address(stack.pop())
    memory_offset = stack.pop()
    code_offset = stack.pop()
    size = stack.pop()
    # GAS
    touch_account(frame, account)
    charge(frame, COPY_PER_WORD * words(size))
    extend_memory(frame, memory_offset, size)
    # OPERATION
    code = frame.evm.state.code(account)
    if size:
        frame.memory[memory_offset : memory_offset + size] = read_padded(code, code_offset, size)


def ext_code_hash(frame: Frame, stack: list[int]) -> None:
    """EXTCODEHASH; zero for an account that does not exist or is empty."""
    # STACK
    account = to_address(stack.pop())
    # GAS
    touch_account(frame, account)
    # OPERATION
    state = frame.evm.state
    stack.append(0 if state.is_empty(account) else int.from_bytes(state.code_hash(account), "big"))


def return_data_size(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(len(frame.return_data))


def return_data_copy(frame: Frame, stack: list[int]) -> None:
    """RETURNDATACOPY; unlike the other copies, it fails beyond the end of the data."""
    # STACK
    memory_offset = stack.pop()
    data_offset = stack.pop()
    size = stack.pop()
    # GAS
    charge(frame, COPY_PER_WORD * words(size))
    extend_memory(frame, memory_offset, size)
    # OPERATION
    if data_offset + size > len(frame.return_data):
        raise ReturnDataOutOfBounds
    if size:
        frame.memory[memory_offset : memory_offset + size] = frame.return_data[
            data_offset : data_offset + size
        ]


def blob_hash(frame: Frame, stack: list[int]) -> None:
    # STACK
    index = stack.pop()
    # OPERATION
    hashes = frame.evm.transaction.blob_hashes
    stack.append(int.from_bytes(hashes[index], "big") if index < len(hashes) else 0)
