"""Read the files of an import: geth's export of blocks, and a checkpoint for blocks that cannot be executed.

A chain file is the concatenated RLP of blocks (`geth export`); it may be larger than memory.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.parse import parse_bytes
from coinone.rules.chain.imported.genesis import Alloc, parse_alloc

BLOCK_BYTES_MAX = 32 * 1024 * 1024  # of one block in a file: four times what Osaka allows
_LIST, _LONG_LIST = 0xC0, 0xF7


@dataclass(frozen=True)
class Checkpoint:
    """Replaces executing the blocks before Cancun: their receipts, and the accounts after the last one."""

    alloc: Alloc
    receipts: Mapping[int, tuple[bytes, ...]]  # by block number, each as in its trie


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file. Raises DecodeError."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DecodeError(f"{path}: not JSON ({error})") from None
    if not isinstance(content, dict):
        raise DecodeError(f"{path}: expected a JSON object")
    return content


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint: `alloc` as in a genesis file, `receipts` one list per block from block 1. Raises
    DecodeError."""
    content = read_json(path)
    receipts = content.get("receipts")
    if not isinstance(receipts, list) or not all(isinstance(rows, list) for rows in receipts):
        raise DecodeError(f"{path}: receipts must be a list per block")
    by_number = {number: tuple(map(parse_bytes, rows)) for number, rows in enumerate(receipts, 1)}
    return Checkpoint(parse_alloc(content.get("alloc")), by_number)


def read_blocks(path: Path) -> Iterator[bytes]:
    """The blocks of a chain file, in order. Raises DecodeError or LimitExceeded."""
    with path.open("rb") as file:
        while (first := file.read(1)) != b"":
            yield first + _rest(file, first[0])


def _rest(file: BinaryIO, first: int) -> bytes:
    """Read the rest of a list after its first byte."""
    if first < _LIST:
        raise DecodeError("chain file: not a list of blocks")
    width = max(0, first - _LONG_LIST)
    head = file.read(width)
    size = int.from_bytes(head, "big") if width else first - _LIST
    if size > BLOCK_BYTES_MAX:
        raise LimitExceeded("chain file: block too large", most=BLOCK_BYTES_MAX, have=size)
    body = file.read(size)
    if len(head) + len(body) < width + size:
        raise DecodeError("chain file: truncated within a block")
    return head + body
