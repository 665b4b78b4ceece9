"""The opcode table, from which every engine and tracer is built.

A row has the byte, the name, the words taken and given, the static gas, and the function that does the rest. That
function charges whatever depends on values (memory, cold accounts, sizes).
"""

from coinone.rules.vm import gas
from coinone.rules.vm.frame import Opcode, OpcodeRow
from coinone.rules.vm.instructions import (
    arithmetic,
    bitwise,
    block,
    comparison,
    control,
    deep_stack,
    environment,
    keccak,
    log,
    memory,
    stack,
    storage,
    system,
)

STACK_SIZE_MAX = 1024


_PUSHES = tuple(
    [
        Opcode(0x5F + n, f"PUSH{n}", 0, 1, gas.VERY_LOW, stack.push1 if n == 1 else stack.push(n))
        for n in range(1, 33)
    ]
)
_DUPS = tuple([Opcode(0x7F + n, f"DUP{n}", n, n + 1, gas.VERY_LOW, stack.dup(n)) for n in range(1, 17)])
_SWAPS = tuple(
    [Opcode(0x8F + n, f"SWAP{n}", n + 1, n + 1, gas.VERY_LOW, stack.swap(n)) for n in range(1, 17)]
)
_LOGS = tuple(
    [Opcode(0xA0 + n, f"LOG{n}", 2 + n, 0, gas.LOG + n * gas.LOG_PER_TOPIC, log.log(n)) for n in range(5)]
)

CANCUN: tuple[Opcode, ...] = (
    Opcode(0x00, "STOP", 0, 0, gas.ZERO, control.stop),
    Opcode(0x01, "ADD", 2, 1, gas.VERY_LOW, arithmetic.add),
    Opcode(0x02, "MUL", 2, 1, gas.LOW, arithmetic.mul),
    Opcode(0x03, "SUB", 2, 1, gas.VERY_LOW, arithmetic.sub),
    Opcode(0x04, "DIV", 2, 1, gas.LOW, arithmetic.div),
    Opcode(0x05, "SDIV", 2, 1, gas.LOW, arithmetic.sdiv),
    Opcode(0x06, "MOD", 2, 1, gas.LOW, arithmetic.mod),
    Opcode(0x07, "SMOD", 2, 1, gas.LOW, arithmetic.smod),
    Opcode(0x08, "ADDMOD", 3, 1, gas.MID, arithmetic.addmod),
    Opcode(0x09, "MULMOD", 3, 1, gas.MID, arithmetic.mulmod),
    Opcode(0x0A, "EXP", 2, 1, gas.EXPONENTIATION, arithmetic.exp),
    Opcode(0x0B, "SIGNEXTEND", 2, 1, gas.LOW, arithmetic.signextend),
    Opcode(0x10, "LT", 2, 1, gas.VERY_LOW, comparison.less_than),
    Opcode(0x11, "GT", 2, 1, gas.VERY_LOW, comparison.greater_than),
    Opcode(0x12, "SLT", 2, 1, gas.VERY_LOW, comparison.signed_less_than),
    Opcode(0x13, "SGT", 2, 1, gas.VERY_LOW, comparison.signed_greater_than),
    Opcode(0x14, "EQ", 2, 1, gas.VERY_LOW, comparison.equal),
    Opcode(0x15, "ISZERO", 1, 1, gas.VERY_LOW, comparison.is_zero),
    Opcode(0x16, "AND", 2, 1, gas.VERY_LOW, bitwise.bitwise_and),
    Opcode(0x17, "OR", 2, 1, gas.VERY_LOW, bitwise.bitwise_or),
    Opcode(0x18, "XOR", 2, 1, gas.VERY_LOW, bitwise.bitwise_xor),
    Opcode(0x19, "NOT", 1, 1, gas.VERY_LOW, bitwise.bitwise_not),
    Opcode(0x1A, "BYTE", 2, 1, gas.VERY_LOW, bitwise.get_byte),
    Opcode(0x1B, "SHL", 2, 1, gas.VERY_LOW, bitwise.shift_left),
    Opcode(0x1C, "SHR", 2, 1, gas.VERY_LOW, bitwise.shift_right),
    Opcode(0x1D, "SAR", 2, 1, gas.VERY_LOW, bitwise.shift_right_signed),
    Opcode(0x20, "KECCAK256", 2, 1, gas.KECCAK, keccak.keccak),
    Opcode(0x30, "ADDRESS", 0, 1, gas.BASE, environment.address),
    Opcode(0x31, "BALANCE", 1, 1, gas.WARM_ACCESS, environment.balance),
    Opcode(0x32, "ORIGIN", 0, 1, gas.BASE, environment.origin),
    Opcode(0x33, "CALLER", 0, 1, gas.BASE, environment.caller),
    Opcode(0x34, "CALLVALUE", 0, 1, gas.BASE, environment.call_value),
    Opcode(0x35, "CALLDATALOAD", 1, 1, gas.VERY_LOW, environment.call_data_load),
    Opcode(0x36, "CALLDATASIZE", 0, 1, gas.BASE, environment.call_data_size),
    Opcode(0x37, "CALLDATACOPY", 3, 0, gas.VERY_LOW, environment.call_data_copy),
    Opcode(0x38, "CODESIZE", 0, 1, gas.BASE, environment.code_size),
    Opcode(0x39, "CODECOPY", 3, 0, gas.VERY_LOW, environment.code_copy),
    Opcode(0x3A, "GASPRICE", 0, 1, gas.BASE, environment.gas_price),
    Opcode(0x3B, "EXTCODESIZE", 1, 1, gas.WARM_ACCESS, environment.ext_code_size),
    Opcode(0x3C, "EXTCODECOPY", 4, 0, gas.WARM_ACCESS, environment.ext_code_copy),
    Opcode(0x3D, "RETURNDATASIZE", 0, 1, gas.BASE, environment.return_data_size),
    Opcode(0x3E, "RETURNDATACOPY", 3, 0, gas.VERY_LOW, environment.return_data_copy),
    Opcode(0x3F, "EXTCODEHASH", 1, 1, gas.WARM_ACCESS, environment.ext_code_hash),
    Opcode(0x40, "BLOCKHASH", 1, 1, gas.BLOCK_HASH, block.block_hash),
    Opcode(0x41, "COINBASE", 0, 1, gas.BASE, block.coinbase),
    Opcode(0x42, "TIMESTAMP", 0, 1, gas.BASE, block.timestamp),
    Opcode(0x43, "NUMBER", 0, 1, gas.BASE, block.number),
    Opcode(0x44, "PREVRANDAO", 0, 1, gas.BASE, block.prevrandao),
    Opcode(0x45, "GASLIMIT", 0, 1, gas.BASE, block.gas_limit),
    Opcode(0x46, "CHAINID", 0, 1, gas.BASE, block.chain_id),
    Opcode(0x47, "SELFBALANCE", 0, 1, gas.LOW, environment.self_balance),
    Opcode(0x48, "BASEFEE", 0, 1, gas.BASE, block.base_fee),
    Opcode(0x49, "BLOBHASH", 1, 1, gas.BLOB_HASH, environment.blob_hash),
    Opcode(0x4A, "BLOBBASEFEE", 0, 1, gas.BASE, block.blob_base_fee),
    Opcode(0x50, "POP", 1, 0, gas.BASE, stack.pop),
    Opcode(0x51, "MLOAD", 1, 1, gas.VERY_LOW, memory.mload),
    Opcode(0x52, "MSTORE", 2, 0, gas.VERY_LOW, memory.mstore),
    Opcode(0x53, "MSTORE8", 2, 0, gas.VERY_LOW, memory.mstore8),
    Opcode(0x54, "SLOAD", 1, 1, gas.WARM_ACCESS, storage.sload),
    Opcode(0x55, "SSTORE", 2, 0, gas.ZERO, storage.sstore),
    Opcode(0x56, "JUMP", 1, 0, gas.MID, control.jump),
    Opcode(0x57, "JUMPI", 2, 0, gas.HIGH, control.jump_if),
    Opcode(0x58, "PC", 0, 1, gas.BASE, control.program_counter),
    Opcode(0x59, "MSIZE", 0, 1, gas.BASE, memory.msize),
    Opcode(0x5A, "GAS", 0, 1, gas.BASE, control.gas_left),
    Opcode(0x5B, "JUMPDEST", 0, 0, gas.JUMPDEST, control.jump_destination),
    Opcode(0x5C, "TLOAD", 1, 1, gas.WARM_ACCESS, storage.tload),
    Opcode(0x5D, "TSTORE", 2, 0, gas.WARM_ACCESS, storage.tstore),
    Opcode(0x5E, "MCOPY", 3, 0, gas.VERY_LOW, memory.mcopy),
    Opcode(0x5F, "PUSH0", 0, 1, gas.BASE, stack.push0),
    *_PUSHES,
    *_DUPS,
    *_SWAPS,
    *_LOGS,
    Opcode(0xF0, "CREATE", 3, 1, gas.CREATE, system.create),
    Opcode(0xF1, "CALL", 7, 1, gas.WARM_ACCESS, system.call),
    Opcode(0xF2, "CALLCODE", 7, 1, gas.WARM_ACCESS, system.callcode),
    Opcode(0xF3, "RETURN", 2, 0, gas.ZERO, control.return_),
    Opcode(0xF4, "DELEGATECALL", 6, 1, gas.WARM_ACCESS, system.delegatecall),
    Opcode(0xF5, "CREATE2", 4, 1, gas.CREATE, system.create2),
    Opcode(0xFA, "STATICCALL", 6, 1, gas.WARM_ACCESS, system.staticcall),
    Opcode(0xFD, "REVERT", 2, 0, gas.ZERO, control.revert),
    Opcode(0xFE, "INVALID", 0, 0, gas.ZERO, control.invalid),
    Opcode(0xFF, "SELFDESTRUCT", 1, 0, gas.SELF_DESTRUCT, system.selfdestruct),
)

OSAKA: tuple[Opcode, ...] = (*CANCUN, Opcode(0x1E, "CLZ", 1, 1, gas.LOW, bitwise.count_leading_zeros))

AMSTERDAM: tuple[Opcode, ...] = (
    *OSAKA,
    Opcode(0x4B, "SLOTNUM", 0, 1, gas.BASE, block.slot_number),
    Opcode(0xE6, "DUPN", 0, 1, gas.VERY_LOW, deep_stack.dup_deep),
    Opcode(0xE7, "SWAPN", 0, 0, gas.VERY_LOW, deep_stack.swap_deep),
    Opcode(0xE8, "EXCHANGE", 0, 0, gas.VERY_LOW, deep_stack.exchange),
)


def dispatch_of(opcodes: tuple[Opcode, ...]) -> tuple[OpcodeRow, ...]:
    """A row for each of the 256 bytes; those that are not opcodes are invalid."""
    rows = [OpcodeRow(control.invalid, 0, 0, STACK_SIZE_MAX)] * 256
    for opcode in opcodes:
        room = min(STACK_SIZE_MAX, STACK_SIZE_MAX + opcode.inputs - opcode.outputs)
        rows[opcode.code] = OpcodeRow(opcode.operation, opcode.static_gas, opcode.inputs, room)
    return tuple(rows)
