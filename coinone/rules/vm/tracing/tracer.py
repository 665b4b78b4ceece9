"""What the interpreter tells a tracer."""

from typing import Protocol

from coinone.base.primitives.errors import LimitExceeded
from coinone.base.primitives.limits import TRACE_BYTES_MAX
from coinone.rules.vm.frame import Frame


class Tracer(Protocol):
    def enter(self, frame: Frame) -> None:
        """A message begins; nothing of it has happened yet."""

    def before(self, frame: Frame, code: int) -> None:
        """The opcode `code` at `frame.pc` is about to run, its gas not yet taken."""

    def after(self, frame: Frame) -> None:
        """It has run. Not called if it halted the frame by an error."""

    def exit(self, frame: Frame) -> None:
        """The message is over: `frame.output`, `frame.error` and `frame.gas` are final."""


class Room:
    """What one trace may list. Gas does not bound it: a call may pass the same megabyte on for 100 gas."""

    def __init__(self) -> None:
        self._left = TRACE_BYTES_MAX

    def take(self, size: int) -> None:
        """Raises LimitExceeded, which ends the run."""
        self._left -= size
        if self._left < 0:
            raise LimitExceeded("trace too long", most=TRACE_BYTES_MAX)
