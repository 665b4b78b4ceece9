"""Provide what the machine code misses: slots, accounts, block hashes, room, precompiled contracts.

It leaves before the instruction has any effect or cost, so the instruction is repeated once Python has provided what
was missing. Only a precompiled contract is different: its frame has started, and Python ends it.
"""

from collections.abc import Callable
from typing import TypeAlias

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.state.account import EMPTY_ACCOUNT
from coinone.rules.vm.addresses import delegate_of
from coinone.rules.vm.errors import ExceptionalHalt
from coinone.rules.vm.native.layout import (
    CALLED_BY_PYTHON,
    FIRST_ADDRESS,
    FRAME,
    GIVEN,
    HASH_SIZE,
    NOT_PREPARED,
    PRECOMPILED,
    SHARED,
    WARM,
    WORD,
    ExitStatus,
)
from coinone.rules.vm.native.machine import SLICE, Machine

_Provider: TypeAlias = Callable[[Machine, int], None]
_STORAGE_MISS, _PRECOMPILE = int(ExitStatus.STORAGE_MISS), int(ExitStatus.PRECOMPILE)
_CURRENT, _GENERATION = SHARED["CURRENT"] >> 3, SHARED["GENERATION"] >> 3
_GAS, _FLOOR, _CODE = FRAME["GAS"] >> 3, FRAME["FLOOR"] >> 3, FRAME["CODE"] >> 3
_DATA, _DATA_SIZE = FRAME["DATA"] >> 3, FRAME["DATA_SIZE"] >> 3
_BALANCE_KNOWN = FRAME["BALANCE_KNOWN"] >> 3
_NOTHING = bytes(WORD)


def provide(machine: Machine, status: int) -> int:
    """Provide what the current frame misses and continue; return the next status."""
    frame = machine.shared[_CURRENT]
    first = (frame - machine.frames_address) >> 3
    if status == _STORAGE_MISS:
        return _provide_slot(machine, first, frame)
    if status == _PRECOMPILE:
        return _run_precompiled(machine, first, frame)
    _PROVIDERS[status](machine, first)
    return machine.library.resume(frame)  # type: ignore[no-any-return]


def _provide_slot(machine: Machine, first: int, frame: int) -> int:
    """Provide a slot that is not in the state's memory, or whose original value may differ."""
    evm, address, slot = machine.evm, machine.own_address(first), machine.word(first, 1)[::-1]
    value, original = evm.state.word_and_original(address, slot)
    warm = WARM if evm.substate.is_warm_slot(address + slot) else 0
    machine.tables.room_for_cell()
    words = value.to_bytes(WORD, "big"), original.to_bytes(WORD, "big")
    return machine.library.provide(frame, *words, warm)  # type: ignore[no-any-return]


# Accounts


def _provide_account(machine: Machine, first: int) -> None:
    _tell_account(machine, machine.word(first, 1), called=False)


def _provide_callee(machine: Machine, first: int) -> None:
    _tell_account(machine, machine.word(first, 2), called=True)


def _tell_account(machine: Machine, word: bytes, called: bool) -> None:
    address, state = word[19::-1], machine.evm.state
    key = word[:20] + bytes(12)
    cell = machine.tables.account_cell(key)
    if cell is None:
        cell = machine.tables.add_account(key)
    found = state.account(address)
    account = found or EMPTY_ACCOUNT
    code = state.code_by_hash(account.code_hash)
    runs, marks, source = (
        _prepare(machine, address, code, found and account.code_hash)
        if called
        else (NOT_PREPARED, 0, machine.source_of(code))
    )
    numbers = runs, marks, len(code), machine.number_of(address), machine.shared[_GENERATION], source
    given = GIVEN if machine.evm.substate.is_warm(address) else 0
    code_hash = _NOTHING if account == EMPTY_ACCOUNT else account.code_hash
    machine.tables.put_account(cell, numbers, given, account.balance, code_hash)


def _prepare(
    machine: Machine, address: Address, code: bytes, code_hash: Hash32 | None
) -> tuple[int, int, int]:
    """Provide a callee: the addresses of its code, marks and source."""
    evm = machine.evm
    precompile = evm.precompiles.get(address)
    if precompile is not None and len(machine.precompiled) < FIRST_ADDRESS - PRECOMPILED:
        machine.precompiled.append(precompile)
        return PRECOMPILED + len(machine.precompiled) - 1, 0, machine.source_of(code)
    if precompile is not None or (evm.rules.delegation and delegate_of(code)):
        return CALLED_BY_PYTHON, 0, machine.source_of(code)
    program = machine.programs.of_callee(code, code_hash)
    return program.code_address, program.marks_address, program.source_address


def _run_precompiled(machine: Machine, first: int, frame: int) -> int:
    numbers, evm, answer = machine.numbers, machine.evm, machine.library.answer
    if evm.budget is not None:
        evm.budget()
    gas, start = numbers[first + _GAS], numbers[first + _DATA] - machine.memory_address
    data = machine.arena[start : start + numbers[first + _DATA_SIZE]].tobytes()
    try:
        cost, output = machine.precompiled[numbers[first + _CODE] - PRECOMPILED](data, gas)
    except ExceptionalHalt:
        cost, output = gas + 1, b""
    if cost > gas:
        return answer(frame, 0, 0, 0)  # type: ignore[no-any-return]
    # it fits: no output is larger than the memory that gas can buy
    machine.returned[: len(output)] = output
    return answer(frame, 1, len(output), gas - cost)  # type: ignore[no-any-return]


# The rest


def _provide_block_hash(machine: Machine, first: int) -> None:
    number = int.from_bytes(machine.word(first, 1), "little")
    block = machine.evm.block
    machine.hashes_known = True
    start = (block.number - 1 - number) * HASH_SIZE
    entry = machine.hashes.data[start : start + HASH_SIZE]
    entry[0] = 1
    entry[8:] = block.block_hash(number)[::-1]


def _provide_balance(machine: Machine, first: int) -> None:
    balance = machine.evm.state.balance(machine.own_address(first))
    start = first * 8 + FRAME["SELFBALANCE"]
    machine.frame_bytes[start : start + WORD] = balance.to_bytes(WORD, "little")
    machine.numbers[first + _BALANCE_KNOWN] = 1


def _look_at_budget(machine: Machine, first: int) -> None:
    assert machine.evm.budget is not None, "a floor without a budget"
    machine.evm.budget()
    machine.numbers[first + _FLOOR] = max(0, machine.numbers[first + _GAS] - SLICE)


def _make_room(machine: Machine, first: int) -> None:
    machine.tables.make_room()


def _make_room_for_log(machine: Machine, first: int) -> None:
    machine.tables.room_for_log(int.from_bytes(machine.word(first, 2), "little"))


_PROVIDERS: dict[int, _Provider] = {
    ExitStatus.HASH_MISS: _provide_block_hash,
    ExitStatus.BALANCE_MISS: _provide_balance,
    ExitStatus.ACCOUNT_MISS: _provide_account,
    ExitStatus.CALLEE_MISS: _provide_callee,
    ExitStatus.PAUSE: _look_at_budget,
    ExitStatus.FULL: _make_room,
    ExitStatus.LOGS_FULL: _make_room_for_log,
}
