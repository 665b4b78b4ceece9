"""The instructions in machine code, one file for each group, as in `rules/vm/instructions`.

`PURE` instructions are functions from words to a word: the harness loads, checks and stores. `FULL` ones write all of
their code, after the stack check and the static gas. `HOST` lists the memory ranges of those that the reference's own
code finishes in Python.
"""

from collections.abc import Callable

from coinone.rules.vm.native.emitter import Emitter
from coinone.rules.vm.native.handler import Handler

Pure = Callable[..., str]
Full = Callable[[Handler], None]


def binary(operation: str) -> Pure:
    def emit(e: Emitter, x: str, y: str) -> str:
        return e.op(operation, x, y, "i256")

    return emit


def function(name: str) -> Pure:
    """A pure instruction that calls a routine."""

    def emit(e: Emitter, *words: str) -> str:
        return e.call("i256", name, *[f"i256 {word}" for word in words])

    return emit
