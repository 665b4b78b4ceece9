"""What our blocks write into Bitcoin's coinbase: their content's hash and fork-detection data (after RSKIP110).

Fork-detection data shows a reader of Bitcoin alone which branch a miner worked on, and so a branch that is mined in
secret. It names seven blocks of the branch, each by one byte of the hash of the Bitcoin header it was mined with (the
first as computed, the last as explorers show it); how many uncles were there; the block's number.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Hash32

BLOCKS_NAMED = 7
UNCLE_BLOCKS = 32  # up to the parent, whose uncles are counted
UNCLES_SHOWN_MAX = 255  # one byte
FORK_DATA_BYTES = BLOCKS_NAMED + 1 + 4


class ForkData(NamedTuple):
    blocks: bytes  # a byte of each block named, newest first
    uncles: int
    number: int

    def encode(self) -> bytes:
        return self.blocks + bytes((self.uncles,)) + self.number.to_bytes(4, "big")


def decode_fork_data(data: bytes) -> ForkData:
    if len(data) != FORK_DATA_BYTES:
        raise DecodeError("fork-detection data: size", want=FORK_DATA_BYTES, have=len(data))
    return ForkData(data[:BLOCKS_NAMED], data[BLOCKS_NAMED], int.from_bytes(data[-4:], "big"))


def numbers_named(number: int, step: int) -> list[int]:
    """The blocks that block `number` names: its ancestors at multiples of `step`. Some may lie below genesis."""
    newest = div_down(number - 1, step) * step
    return [newest - step * back for back in range(BLOCKS_NAMED)]


def fork_data(number: int, step: int, byte_of: Callable[[int], int], uncle_counts: Sequence[int]) -> ForkData:
    """Of block `number`: `byte_of` gives an ancestor's byte, `uncle_counts` how many uncles each ancestor has, the
    parent's last."""
    named = bytes([byte_of(each) if each >= 0 else 0 for each in numbers_named(number, step)])
    return ForkData(named, min(UNCLES_SHOWN_MAX, sum(uncle_counts[-UNCLE_BLOCKS:])), number)


def committed(content: Hash32, data: ForkData) -> bytes:
    """The value behind our tag."""
    return content + data.encode()
