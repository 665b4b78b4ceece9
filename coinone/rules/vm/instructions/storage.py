"""Storage, and transient storage, which ends with the transaction."""

from coinone.rules.vm.errors import OutOfGas, WriteProtection
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.gas import (
    CALL_STIPEND,
    COLD_STORAGE_ACCESS,
    COLD_STORAGE_SURCHARGE,
    STORAGE_CLEAR_REFUND,
    STORAGE_SET,
    STORAGE_UPDATE,
    WARM_ACCESS,
    charge,
)


def sload(frame: Frame, stack: list[int]) -> None:
    # STACK
    slot = stack.pop()
    # GAS
    evm = frame.evm
    if evm.substate.warm_slot(frame.address, slot):
        charge(frame, COLD_STORAGE_SURCHARGE)
    # OPERATION
    stack.append(evm.state.storage(frame.address, slot))


def sstore(frame: Frame, stack: list[int]) -> None:
    # STACK
    slot = stack.pop()
    new = stack.pop()
    # GAS
    if frame.message.static:
        raise WriteProtection
    if frame.gas <= CALL_STIPEND:  # a call with only the stipend must not be able to write
        raise OutOfGas
    evm = frame.evm
    original = evm.state.original_storage(frame.address, slot)
    current = evm.state.storage(frame.address, slot)
    cold = COLD_STORAGE_ACCESS if evm.substate.warm_slot(frame.address, slot) else 0
    charge(frame, cold + write_cost(original, current, new))
    evm.substate.refund += write_refund(original, current, new)
    # OPERATION
    evm.state.set_storage(frame.address, slot, new)


def write_cost(original: int, current: int, new: int) -> int:
    """The price of a write: the first change of a slot is expensive, later ones cost an access (EIP-2200)."""
    if original != current or current == new:
        return WARM_ACCESS
    return STORAGE_SET if original == 0 else STORAGE_UPDATE - COLD_STORAGE_ACCESS


def write_refund(original: int, current: int, new: int) -> int:
    """The change of the refund for a slot that is cleared or restored; negative if a refund is withdrawn."""
    if current == new:
        return 0
    refund = 0
    if original != 0 and new == 0:
        refund += STORAGE_CLEAR_REFUND
    if original != 0 and current == 0:
        refund -= STORAGE_CLEAR_REFUND
    if original == new:
        first_change = STORAGE_SET if original == 0 else STORAGE_UPDATE - COLD_STORAGE_ACCESS
        refund += first_change - WARM_ACCESS
    return refund


def tload(frame: Frame, stack: list[int]) -> None:
    # STACK
    slot = stack.pop()
    # OPERATION
    stack.append(frame.evm.state.transient(frame.address, slot))


def tstore(frame: Frame, stack: list[int]) -> None:
    # STACK
    slot = stack.pop()
    word = stack.pop()
    # OPERATION
    if frame.message.static:
        raise WriteProtection
    frame.evm.state.set_transient(frame.address, slot, word)
