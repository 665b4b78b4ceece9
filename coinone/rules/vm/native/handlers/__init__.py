"""What each instruction is in machine code, a chapter a file, as in `rules/vm/instructions`.

`PURE` instructions are functions from words to a word: the harness around them loads, checks and stores. `FULL`
ones write their own way through the handler, after the stack has been checked and the static gas taken.
`HOST` names the memory ranges of those that the reference's own code finishes in Python.
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
    """A pure call of one of the routines."""

    def emit(e: Emitter, *words: str) -> str:
        return e.call("i256", name, *[f"i256 {word}" for word in words])

    return emit
