"""The memory of the machine code: frames, stacks, an arena and tables, for one transaction at a time.

The memories of all live frames follow one another in one arena: only the topmost grows. The arena's end is the cap on
memory. Stacks are at fixed distances, so that a pointer gives the height. `execution.py` runs a message here,
`misses.py` provides what is missing, `driver.py` continues where Python has to take part.
"""

import struct
from typing import Final

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.vm.environment import BlockEnv, Message
from coinone.rules.vm.frame import Evm, Rules
from coinone.rules.vm.instructions.system import CALL_DEPTH_MAX
from coinone.rules.vm.native.compiler import Library
from coinone.rules.vm.native.layout import (
    FRAME,
    FRAME_SIZE,
    HASH_SIZE,
    PAIR_BITS,
    PAIR_SIZE,
    SHARED,
    SHARED_WORDS,
    STACK_STRIDE,
    WORD,
)
from coinone.rules.vm.native.program import Maker, Programs, address_of, native_program_of
from coinone.rules.vm.native.tables import Tables, aligned
from coinone.rules.vm.precompiles import Precompile

STRIDE: Final = FRAME_SIZE >> 3
HISTORY: Final = 256
SLICE: Final = 500_000  # gas between two checks of a budget: about a millisecond
_DEPTHS = CALL_DEPTH_MAX + 1
_PROGRAMS_KEPT = 64  # between messages
_BLOCK_WORDS = struct.Struct("<" + f"{WORD}s" * (len(SHARED_WORDS) - 2))
_SP, _ACCOUNT = FRAME["SP"] >> 3, FRAME["ACCOUNT"] >> 3
_DISPATCH, _SLICE = SHARED["DISPATCH"] >> 3, SHARED["SLICE"] >> 3


class Machine:
    """A frame's numbers are `numbers[index * STRIDE + FRAME[name] >> 3]`, the index being the depth."""

    def __init__(self, library: Library, memory_cap: int) -> None:
        self.library = library
        self.memory_cap = memory_cap
        self.tables = Tables(library)
        self.shared = self.tables.numbers
        self.address = self.tables.address
        memory, returned = aligned(memory_cap), aligned(memory_cap)
        self.arena, self.memory_address = memory.data, int(memory.ctypes.data)
        self.returned = returned.data  # data of the last call that ended in machine code
        self.stacks = aligned(_DEPTHS * STACK_STRIDE, STACK_STRIDE)
        self.stack_bytes, self.stack_address = self.stacks.data, int(self.stacks.ctypes.data)
        frames = aligned(_DEPTHS * FRAME_SIZE)
        self.frame_bytes, self.frames_address = frames.data, int(frames.ctypes.data)
        self.numbers = self.frame_bytes.cast("q")
        self.hashes = aligned(HISTORY * HASH_SIZE)
        self.hashes_known = False
        self._pairs = aligned(PAIR_SIZE << PAIR_BITS)  # never reset: hashes do not change
        for name, address in (
            ("HASHES", self.hashes.ctypes.data),
            ("PAIRS", self._pairs.ctypes.data),
            ("RETURNED", returned.ctypes.data),
            ("GENERATION", 1),
            ("FRAMES", self.frames_address),
            ("STACKS", self.stack_address),
            ("ARENA", self.memory_address),
            ("ARENA_SIZE", memory_cap),
        ):
            self.tables[name] = address
        self._block: BlockEnv | None = None  # the block whose words are written
        self._blobs = b""
        self._rules: Rules | None = None
        self.programs = Programs(native_program_of)  # kept between messages
        self._looked_at: list[bytes] = []
        self.precompiled: list[Precompile] = []
        self._known: tuple[object, ...] = ()  # `KNOWN` in layout.py

    def begin(self, evm: Evm, program_of: Maker) -> None:
        """Set up the block and the transaction.

        Programs are kept as long as `program_of` is the same object.
        """
        self.evm = evm
        kept, other_rules = self.programs, evm.rules is not self._rules
        if other_rules or program_of is not kept.make or len(kept.by_source) > _PROGRAMS_KEPT:
            self.programs = Programs(program_of)
        if other_rules:
            self._rules = evm.rules
            self.shared[_DISPATCH] = self.library.tables[evm.rules.name]
        self.shared[_SLICE] = 0 if evm.budget is None else SLICE
        if evm.block is not self._block:
            self._block = evm.block
            _BLOCK_WORDS.pack_into(self.tables.bytes, SHARED["COINBASE"], *_words_of(evm.block))
        if evm.transaction.blob_hashes or self._blobs:
            self._write_blobs(evm.transaction.blob_hashes)

    def _write_blobs(self, hashes: tuple[Hash32, ...]) -> None:
        self._blobs = b"".join([blob[::-1] for blob in hashes])
        self.tables["BLOBS"] = address_of(self._blobs) if hashes else 0
        self.tables["BLOB_COUNT"] = len(hashes)

    def write_back(self) -> None:
        """Pass every written slot to the state, which ignores unchanged ones."""
        self.library.write_back(self.address)

    def end(self) -> None:
        """Release the transaction, however it ended."""
        if self.hashes_known:
            self.hashes.fill(0)
            self.hashes_known = False
        if self.tables.grown:
            self.tables.shrink()
        if self._looked_at or self.precompiled:
            self._looked_at.clear()
            self.precompiled.clear()
        self._known = ()
        del self.evm

    def source_of(self, code: bytes) -> int:
        """The address of code that is only read."""
        self._looked_at.append(code)
        return address_of(code)

    # Frames

    def run(self, message: Message, data: bytes) -> int:
        """Run the message, with its `data`, until something ends it; return the status."""
        self._know(message, data, self.programs.of(message.code).record)
        return self.library.begin(self.address, self._known)  # type: ignore[no-any-return]

    def forget(self, message: Message) -> None:
        """Reset per-message state, for a message that Python starts."""
        self._know(message, b"", b"")
        self.library.forget(self.address, self._known)

    def _know(self, message: Message, data: bytes, program: bytes) -> None:
        """Set `KNOWN` for a message. Only the target has a number; all else is looked up."""
        evm, target = self.evm, message.target
        state, substate = evm.state, evm.substate
        self.addresses = addresses = [target]  # by account number in this message
        self._numbers = numbers = {target: 0}
        self._known = (
            state.known(),
            state.set_word,
            substate.warm,
            substate.always,
            evm.precompiles,
            numbers,
            addresses,
            self.programs.records,
            evm.transaction,
            message,
            data,
            program,
            substate.refund,
        )

    def enter(self, index: int, message: Message, used: int) -> None:
        """Write the record of a new frame, whose memory follows the `used` bytes of the others."""
        program, number = self.programs.of(message.code), self.number_of(message.target)
        self.library.open_frame(self.address, index, message, program.record, used, number)

    def number_of(self, address: Address) -> int:
        """The account's number in this transaction."""
        number = self._numbers.get(address)
        if number is None:
            number = self._numbers[address] = len(self.addresses)
            self.addresses.append(address)
        return number

    def made_warm(self, address: Address) -> bool:
        """Whether machine code made the account warm; only accounts with a number have cells."""
        return address in self._numbers and self.tables.is_warm(address[::-1] + bytes(WORD - len(address)))

    def own_address(self, first: int) -> Address:
        """The address whose storage and balance a frame uses, by where the frame's numbers begin."""
        return self.addresses[self.numbers[first + _ACCOUNT]]

    # Stacks: words are little-endian

    def word(self, first: int, position: int) -> bytes:
        """The word at `position`, 1 being the top, of the frame whose numbers begin at `first`."""
        start = self.numbers[first + _SP] - self.stack_address - position * WORD
        return self.stack_bytes[start : start + WORD].tobytes()

    def push(self, first: int, words: list[int]) -> None:
        top = self.numbers[first + _SP] - self.stack_address
        for word in words:
            self.stack_bytes[top : top + WORD] = word.to_bytes(WORD, "little")
            top += WORD
        self.numbers[first + _SP] = top + self.stack_address

    def pop(self, first: int, count: int) -> list[int]:
        """Pop `count` words; the topmost is the last."""
        top = self.numbers[first + _SP] - self.stack_address
        start = top - count * WORD
        content = self.stack_bytes[start:top]
        self.numbers[first + _SP] = start + self.stack_address
        return [int.from_bytes(content[i : i + WORD], "little") for i in range(0, count * WORD, WORD)]


def _words_of(block: BlockEnv) -> list[bytes]:
    """The words of the shared record for the block, in order, padded with zeros."""
    first = (block.coinbase[::-1], block.timestamp, block.number, block.prevrandao[::-1])
    words = (*first, block.gas_limit, block.chain_id, block.base_fee, block.blob_base_fee)
    return [word if isinstance(word, bytes) else word.to_bytes(WORD, "little") for word in words]
