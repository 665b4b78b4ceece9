"""How long a trace may grow."""

from coinone.base.primitives.errors import LimitExceeded
from coinone.rules.limits import TRACE_BYTES_MAX


class Room:
    """What one trace may list. Gas does not bound it: a call may pass the same megabyte on for 100 gas."""

    def __init__(self) -> None:
        self._left = TRACE_BYTES_MAX

    def take(self, size: int) -> None:
        """Raises LimitExceeded, which ends the run."""
        self._left -= size
        if self._left < 0:
            raise LimitExceeded("trace too long", most=TRACE_BYTES_MAX)
