"""Code prepared for running: padded, with its jump destinations.

A JUMPDEST byte inside the data of a PUSH is not a destination, so the code is scanned once from its start. The scan is
deferred until the first jump, as init code often has none, and it is machine code: calling many large contracts in turn
is cheap for the caller, so it must be cheap for the node. Programs are cached by their code.
"""

from functools import lru_cache
from typing import Any

from coinone.base.primitives.jit import on_warm
from coinone.rules.limits import VM_PROGRAM_CACHE

_PADDING = bytes(33)  # a PUSH32 as last byte reads zeros, and running off the end reads STOP


class Program:
    """`code` is padded with zeros; `size` is its true length."""

    __slots__ = ("_destinations", "code", "size")

    def __init__(self, code: bytes) -> None:
        self.code = code + _PADDING
        self.size = len(code)
        self._destinations: bytes | None = None

    def is_destination(self, position: int) -> bool:
        """Whether a jump to `position` is valid."""
        if self._destinations is None:
            self._destinations = _find_destinations()(self.code, self.size).tobytes()
        return position < self.size and self._destinations[position] == 1


@lru_cache(maxsize=VM_PROGRAM_CACHE)
def program_of(code: bytes) -> Program:
    """The cached program of `code`."""
    return Program(code)


@lru_cache(maxsize=1)
def _find_destinations() -> Any:
    """The jitted scan, compiled by `warm` or at the first jump."""
    from coinone.rules.vm.program_kernel import find_destinations

    return find_destinations


@on_warm
def _warm() -> None:
    _find_destinations()
