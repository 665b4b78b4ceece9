"""Instructions that read the block."""

from coinone.rules.vm.frame import Frame

HISTORY = 256  # blocks whose hashes are known


def block_hash(frame: Frame, stack: list[int]) -> None:
    """BLOCKHASH; zero for the current block, later ones, and those too old."""
    # STACK
    number = stack.pop()
    # OPERATION
    block = frame.evm.block
    known = max(0, block.number - HISTORY) <= number < block.number
    stack.append(int.from_bytes(block.block_hash(number), "big") if known else 0)


def coinbase(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(int.from_bytes(frame.evm.block.coinbase, "big"))


def timestamp(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.timestamp)


def number(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.number)


def prevrandao(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(int.from_bytes(frame.evm.block.prevrandao, "big"))


def gas_limit(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.gas_limit)


def chain_id(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.chain_id)


def base_fee(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.base_fee)


def blob_base_fee(frame: Frame, stack: list[int]) -> None:
    # OPERATION
    stack.append(frame.evm.block.blob_base_fee)


def slot_number(frame: Frame, stack: list[int]) -> None:
    """SLOTNUM (EIP-7843), from Amsterdam on."""
    # OPERATION
    stack.append(frame.evm.block.slot_number)
