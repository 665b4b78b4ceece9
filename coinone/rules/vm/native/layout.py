"""The layout of the memory that Python and the machine code share, and the exit statuses.

A *frame* is a record of numbers (64 bits each) followed by words (256 bits each, little-endian), one record for each
depth. The *shared* record, of the same form, holds what all frames of a transaction have in common. A *cell* is a known
storage slot (key, value, original value, account, flags) or a known account.
"""

from enum import IntEnum

from coinone.rules.vm import errors
from coinone.rules.vm.errors import ExceptionalHalt

WORD = 32
STACK_STRIDE = (
    1 << 16
)  # a frame's stack starts at a multiple of this, so a pointer's low bits give the height

FRAME_NUMBERS = (
    *("GAS", "SP", "MEMORY", "MEMORY_LIMIT", "TABLE", "SHARED", "ACCOUNT", "STATIC", "FLOOR"),
    *("CODE_SIZE", "SOURCE_SIZE", "DATA_SIZE", "CODE", "MARKS", "SOURCE", "DEPTH"),
    *("PC", "MEMORY_SIZE", "RETURN_SIZE", "BALANCE_KNOWN", "NATIVE"),  # zero when a frame begins
    *("DATA", "RETURN", "OUTPUT_OFFSET", "OUTPUT_SIZE"),
    *("GAS_PASSED", "RESULT_OFFSET", "RESULT_SIZE", "RESULT_SLOT"),  # of the call that the frame waits for
    *("JOURNAL_MARK", "LOGS_MARK", "REFUND_MARK"),  # when it began, if it is a call made in machine code
)
FRAME_WORDS = ("ADDRESS", "CALLER", "CALLVALUE", "SELFBALANCE")
FRAME_SIZE = 8 * len(FRAME_NUMBERS) + WORD * len(FRAME_WORDS)

SHARED_NUMBERS = (
    *("CELLS", "CELL_LIMIT", "INDEX", "INDEX_SHIFT", "INDEX_MASK", "JOURNAL", "JOURNAL_LIMIT"),
    *("LOGS", "LOGS_LIMIT", "HASHES", "PAIRS", "RETURNED"),
    # zero when a message begins:
    *("CELL_COUNT", "JOURNAL_COUNT", "LOGS_USED", "REFUND", "WROTE", "NEWEST_MARK", "LAST_CELL"),
    *("BLOBS", "BLOB_COUNT", "CURRENT", "GENERATION"),
    *("KEY0", "KEY1", "KEY2", "KEY3"),
    *("FRAMES", "STACKS", "ARENA", "ARENA_SIZE"),
    *("DISPATCH", "SLICE", "KNOWN"),  # of the transaction; SLICE: gas between two checks of a budget, or zero
)
SHARED_WORDS = (
    *("ORIGIN", "GASPRICE"),
    *("COINBASE", "TIMESTAMP", "NUMBER", "PREVRANDAO", "GASLIMIT", "CHAINID", "BASEFEE", "BLOBBASEFEE"),
)
# The Python objects in the tuple KNOWN while a message runs (`routines/objects.py`).
KNOWN = (
    *("STATE", "SET_WORD"),  # a tuple of its dictionaries, as `STATE` below, and how to write a slot
    *("WARM", "ALWAYS", "PRECOMPILES"),  # warm addresses, always warm ones, precompiled contracts
    *("NUMBERS", "ADDRESSES", "PROGRAMS"),  # account numbers, and the inverse; records by code hash
    *("TRANSACTION", "MESSAGE", "DATA", "PROGRAM", "REFUND"),  # DATA as bytes, the program's record
)
STATE = ("ACCOUNTS", "STORAGE", "ORIGINALS", "CREATED")
PROGRAM_CODE, PROGRAM_MARKS, PROGRAM_SIZE, PROGRAM_SOURCE = 0, 8, 16, 24  # of a program's record
SHARED_SIZE = 8 * len(SHARED_NUMBERS) + WORD * len(SHARED_WORDS)

CELL_SIZE = 192
CELL_KEY, CELL_VALUE, CELL_ORIGINAL, CELL_ACCOUNT, CELL_FLAGS = 0, 32, 64, 96, 104
CELL_NOTED = 112  # the length of the journal after this cell's last entry; zero if that was undone
WARM, WRITTEN, GIVEN = 1, 2, 4  # flags of a cell; GIVEN: already warm when Python provided the account
TRANSIENT = 1 << 32  # added to the account number of a transient cell
# A cell may also describe an account, with its address as the key. It is valid while the shared record has the same
# generation; after that, Python may have changed the account.
CALLEE = 1 << 33  # the account number of such cells
CALLEE_CODE, CALLEE_MARKS, CALLEE_SIZE, CALLEE_ACCOUNT = 32, 40, 48, 56
CALLEE_GENERATION, CALLEE_SOURCE = 64, 72
CALLEE_BALANCE, CALLEE_HASH = 128, 160  # hash zero: the account is empty
# In place of CALLEE_CODE, below FIRST_ADDRESS: Python makes the call, or must first provide the callee; or this plus
# the number of a precompiled contract.
CALLED_BY_PYTHON, NOT_PREPARED, PRECOMPILED, FIRST_ADDRESS = 0, 1, 2, 1 << 16
ENTRIES = -8  # before the code of a frame: the address of its table of compiled blocks (`vm/jit`), or zero

NOTE_SIZE = 48  # a journal entry: cell number, old flags, old value
NOTE_CELL, NOTE_FLAGS, NOTE_VALUE = 0, 8, 16

LOG_HEAD = 16  # number of topics + 256 * account, size of the data; then the topics; then the data, padded to 8 bytes
PAIR_BITS = 8  # cached hashes of two words: the words, their hash, 1 if known
PAIR_HASH, PAIR_KNOWN, PAIR_SIZE = 64, 96, 128
HASH_SIZE = 40  # a known block hash: 1, then the word


def _offsets(numbers: tuple[str, ...], words: tuple[str, ...]) -> dict[str, int]:
    offsets = {name: 8 * i for i, name in enumerate(numbers)}
    return offsets | {name: 8 * len(numbers) + WORD * i for i, name in enumerate(words)}


FRAME = _offsets(FRAME_NUMBERS, FRAME_WORDS)
SHARED = _offsets(SHARED_NUMBERS, SHARED_WORDS)


class ExitStatus(IntEnum):
    """Why the machine code returned. Up to LOGS_FULL, the instruction has had no effect and cost nothing."""

    STORAGE_MISS = 0  # the slot on top of the stack is not in the table
    HASH_MISS = 1  # nor the hash of that block
    BALANCE_MISS = 2  # nor this account's balance
    ACCOUNT_MISS = 3  # nor the account on top of the stack
    CALLEE_MISS = 4  # nor the account below the top, or it was never called
    PAUSE = 5  # gas fell below the floor that Python set
    FULL = 6  # a table is full
    LOGS_FULL = 7  # the buffer of logs is full
    HOST = 8  # paid, memory grown: Python finishes it
    PRECOMPILE = 9  # the current frame is a call of a precompiled contract
    STOP = 10
    RETURN = 11
    REVERT = 12
    OUT_OF_GAS = 13
    OUT_OF_MEMORY = 14
    STACK_UNDERFLOW = 15
    STACK_OVERFLOW = 16
    INVALID_OPCODE = 17
    INVALID_JUMP = 18
    WRITE_PROTECTION = 19
    RETURN_DATA_OUT_OF_BOUNDS = 20


HALTS: dict[int, type[ExceptionalHalt]] = {
    ExitStatus.OUT_OF_GAS: errors.OutOfGas,
    ExitStatus.OUT_OF_MEMORY: errors.OutOfMemory,
    ExitStatus.STACK_UNDERFLOW: errors.StackUnderflow,
    ExitStatus.STACK_OVERFLOW: errors.StackOverflow,
    ExitStatus.INVALID_OPCODE: errors.InvalidOpcode,
    ExitStatus.INVALID_JUMP: errors.InvalidJump,
    ExitStatus.WRITE_PROTECTION: errors.WriteProtection,
    ExitStatus.RETURN_DATA_OUT_OF_BOUNDS: errors.ReturnDataOutOfBounds,
}
