"""Tapes: recorded actions and oracle prices with their times, to be replayed on another exchange.

A tape has accounts but no signatures or nonces: replaying it signs the actions with other keys. It contains trading
only, without transfers, withdrawals and approvals. An order that is cancelled later is identified by its cloid, because
order ids are different on every exchange.

The file is gzip over JSON lines: a head, then steps in time order.
"""

import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from coinone.base.primitives.errors import InvalidInput

VERSION = 1
TRADING = ("order", "cancel", "cancelByCloid", "modify", "batchModify", "scheduleCancel", "updateLeverage")
LINE_BYTES_MAX = 256 * 1024  # an action with a thousand orders


class TapeMarket(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    sz_decimals: int
    max_leverage: int


class TapeHead(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    version: int
    chain_id: int
    start_ms: int
    markets: tuple[TapeMarket, ...]


class TapeStep(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """At `at_ms` after the start: an action of `user`, or new oracle `prices` by market name."""

    at_ms: int
    user: str = ""
    action: dict[str, Any] = {}
    prices: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Tape:
    head: TapeHead
    steps: tuple[TapeStep, ...]

    @property
    def users(self) -> list[str]:
        return sorted({step.user for step in self.steps if step.user})

    @property
    def seconds(self) -> float:
        return self.steps[-1].at_ms / 1000 if self.steps else 0.0


def read_tape(path: Path) -> Tape:
    """Read a tape. Raises InvalidInput if the file is not one."""
    try:
        with gzip.open(path) as file:
            return _parse(iter(lambda: file.readline(LINE_BYTES_MAX), b""))
    except (gzip.BadGzipFile, zlib.error, EOFError, msgspec.MsgspecError) as error:
        raise InvalidInput(f"{path} is not a tape: {error}") from None


def write_tape(path: Path, head: TapeHead, steps: Iterable[TapeStep]) -> int:
    """Write a tape and return its number of steps. Equal tapes yield equal files."""
    count = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(msgspec.json.encode(head) + b"\n")
        for step in steps:
            file.write(msgspec.json.encode(step) + b"\n")
            count += 1
    return count


def _parse(lines: Iterator[bytes]) -> Tape:
    head = msgspec.json.decode(next(lines, b""), type=TapeHead)
    if head.version != VERSION:
        raise InvalidInput("this tape has another format version", want=VERSION, have=head.version)
    steps = tuple(msgspec.json.decode(line, type=TapeStep) for line in lines)
    if any(step.action and step.action.get("type") not in TRADING for step in steps):
        raise InvalidInput("a step of the tape is not a trading action")
    if any(later.at_ms < earlier.at_ms for earlier, later in itertools.pairwise(steps)):
        raise InvalidInput("the steps of the tape are not in time order")
    return Tape(head, steps)
