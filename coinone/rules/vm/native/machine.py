"""The memory that machine code works in: frames, stacks, one arena, the tables; for one transaction at a time.

All live frames lie in one arena of memory, one behind the other: only the topmost grows. The arena's end is the
cap on memory. Stacks lie at fixed distances, so that a pointer tells the height. `execution.py` runs a message here,
`misses.py` provides what the machine code finds missing, `driver.py` goes on where Python has to take part.
"""

import struct
from collections.abc import Callable
from typing import Final

from coinone.base.primitives.types import Address
from coinone.rules.vm.environment import BlockEnv, Message, TransactionEnv
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.instructions.system import CALL_DEPTH_MAX
from coinone.rules.vm.native.compiler import Library
from coinone.rules.vm.native.layout import (
    FRAME,
    FRAME_NUMBERS,
    FRAME_SIZE,
    HASH_SIZE,
    PAIR_BITS,
    PAIR_SIZE,
    SHARED,
    SHARED_WORDS,
    STACK_STRIDE,
    WORD,
)
from coinone.rules.vm.native.program import NativeProgram, address_of, native_program_of
from coinone.rules.vm.native.tables import Tables, aligned
from coinone.rules.vm.precompiles import Precompile

STRIDE: Final = FRAME_SIZE >> 3
HISTORY: Final = 256
SLICE: Final = 500_000  # gas between two looks at a budget: a millisecond or so
_DEPTHS = CALL_DEPTH_MAX + 1
_NUMBERS_WRITTEN = FRAME_NUMBERS.index("PC")  # when a frame begins; the others are zero
_RECORD = struct.Struct(
    f"<{_NUMBERS_WRITTEN}q{8 * (len(FRAME_NUMBERS) - _NUMBERS_WRITTEN)}x{WORD}s{WORD}s{WORD}s{WORD}x"
)
_TRANSACTION_WORDS = struct.Struct(f"<{WORD}s{WORD}s")
_BLOCK_WORDS = struct.Struct("<" + f"{WORD}s" * (len(SHARED_WORDS) - 2))
_SP, _ACCOUNT = FRAME["SP"] >> 3, FRAME["ACCOUNT"] >> 3


class Machine:
    """Numbers of frames are addressed as `numbers[index * STRIDE + FRAME[name] >> 3]`, the index being the depth."""

    def __init__(self, library: Library, memory_cap: int) -> None:
        self.library = library
        self.memory_cap = memory_cap
        self.tables = Tables(library)
        self.shared = self.tables.numbers
        self._shared_address = self.tables.address
        memory, returned = aligned(memory_cap), aligned(memory_cap)
        self.arena, self.memory_address = memory.data, int(memory.ctypes.data)
        self.returned = returned.data  # by the last call that ended in machine code
        self.stacks = aligned(_DEPTHS * STACK_STRIDE, STACK_STRIDE)
        self.stack_bytes, self.stack_address = self.stacks.data, int(self.stacks.ctypes.data)
        frames = aligned(_DEPTHS * FRAME_SIZE)
        self.frame_bytes, self.frames_address = frames.data, int(frames.ctypes.data)
        self.numbers = self.frame_bytes.cast("q")
        self.hashes = aligned(HISTORY * HASH_SIZE)
        self.hashes_known = False
        self._pairs = aligned(PAIR_SIZE << PAIR_BITS)  # kept for good: a hash is a hash
        for name, address in (
            ("HASHES", self.hashes.ctypes.data),
            ("PAIRS", self._pairs.ctypes.data),
            ("RETURNED", returned.ctypes.data),
            ("GENERATION", 1),
        ):
            self.tables[name] = address
        self._block: BlockEnv | None = None  # whose words are written
        self._transaction: TransactionEnv | None = None
        self.program_of: Callable[[bytes], NativeProgram] = native_program_of  # the JIT's may take its place

    def begin(self, evm: Evm) -> None:
        """Tell the machine code about the block and the transaction; nothing is known of any account."""
        self.evm = evm
        self._table = self.library.tables[evm.rules.name]
        self.addresses: list[Address] = []  # by the number that an account has in this transaction
        self._numbers: dict[Address, int] = {}
        self.cells: dict[Address, int] = {}  # of the accounts that Python told of
        self.precompiled: list[Precompile] = []
        self.codes: dict[int, bytes] = {}  # by where they lie
        self._prepared: dict[bytes, NativeProgram] = {}
        self._looked_at: list[bytes] = []
        self._limited = evm.budget is not None
        if evm.block is not self._block:
            self._block = evm.block
            _BLOCK_WORDS.pack_into(self.tables.bytes, SHARED["COINBASE"], *_words_of(evm.block))
        if evm.transaction != self._transaction:
            self._write_transaction(evm.transaction)

    def _write_transaction(self, transaction: TransactionEnv) -> None:
        self._transaction = transaction
        price = transaction.gas_price.to_bytes(WORD, "little")
        _TRANSACTION_WORDS.pack_into(self.tables.bytes, SHARED["ORIGIN"], transaction.origin[::-1], price)
        self._blobs = b"".join([blob[::-1] for blob in transaction.blob_hashes])
        self.tables["BLOBS"] = address_of(self._blobs) if self._blobs else 0
        self.tables["BLOB_COUNT"] = len(transaction.blob_hashes)

    def write_back(self) -> None:
        """Hand every written slot to the state; it ignores those that ended as they began."""
        set_word, addresses = self.evm.state.set_word, self.addresses
        for account, slot, value in self.tables.written():
            set_word(addresses[account], slot, value)

    def end(self) -> None:
        """Forget the transaction, however it ended."""
        if self.hashes_known:
            self.hashes.fill(0)
            self.hashes_known = False
        self.tables.reset()
        del self.evm, self.codes, self.precompiled, self._prepared, self._looked_at

    # Code: what machine code was told of stays where it is until the transaction ends

    def prepare(self, code: bytes) -> NativeProgram:
        """The program of that code, for running it; found once in a transaction, however many others there are."""
        program = self._prepared.get(code)
        if program is None:
            program = self._prepared[code] = self.program_of(code)
            self.codes[program.source_address] = code
        return program

    def source_of(self, code: bytes) -> int:
        """Where code lies that is only looked at."""
        self._looked_at.append(code)
        return address_of(code)

    # Frames

    def enter(self, index: int, message: Message, gas: int, used: int) -> None:
        """Write the record of a frame that begins, its memory behind the `used` bytes of the others."""
        program = self.prepare(message.code)
        _RECORD.pack_into(
            self.frame_bytes,
            index * FRAME_SIZE,
            gas,
            self.stack_address + index * STACK_STRIDE,
            self.memory_address + used,
            self.memory_cap - used,
            self._table,
            self._shared_address,
            self.number_of(message.target),
            message.static,
            gas - SLICE if self._limited and gas > SLICE else 0,
            program.size,
            program.size,
            len(message.data),
            program.code_address,
            program.marks_address,
            program.source_address,
            message.depth,
            message.target[::-1],
            message.caller[::-1],
            message.value.to_bytes(WORD, "little"),
        )

    def number_of(self, address: Address) -> int:
        """The account's number in this transaction."""
        number = self._numbers.get(address)
        if number is None:
            number = self._numbers[address] = len(self.addresses)
            self.addresses.append(address)
        return number

    def own_address(self, first: int) -> Address:
        """Whose storage and balance the frame works on whose numbers begin there."""
        return self.addresses[self.numbers[first + _ACCOUNT]]

    # Stacks: words are little-endian

    def word(self, first: int, position: int) -> bytes:
        """The word at `position`, 1 being the top, of the frame whose numbers begin there."""
        start = self.numbers[first + _SP] - self.stack_address - position * WORD
        return self.stack_bytes[start : start + WORD].tobytes()

    def push(self, first: int, words: list[int]) -> None:
        top = self.numbers[first + _SP] - self.stack_address
        for word in words:
            self.stack_bytes[top : top + WORD] = word.to_bytes(WORD, "little")
            top += WORD
        self.numbers[first + _SP] = top + self.stack_address

    def pop(self, first: int, count: int) -> list[int]:
        """Take `count` words off; the topmost is the last."""
        top = self.numbers[first + _SP] - self.stack_address
        start = top - count * WORD
        content = self.stack_bytes[start:top]
        self.numbers[first + _SP] = start + self.stack_address
        return [int.from_bytes(content[i : i + WORD], "little") for i in range(0, count * WORD, WORD)]


def _words_of(block: BlockEnv) -> list[bytes]:
    """The words of the shared record that tell of the block, in their order; short ones are padded with zeros."""
    first = (block.coinbase[::-1], block.timestamp, block.number, block.prevrandao[::-1])
    words = (*first, block.gas_limit, block.chain_id, block.base_fee, block.blob_base_fee)
    return [word if isinstance(word, bytes) else word.to_bytes(WORD, "little") for word in words]
