"""What the interpreter tells a tracer."""

from typing import Protocol

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
