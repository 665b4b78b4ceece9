"""Rate-limit log lines that clients can cause, and count the suppressed ones."""

import logging
import time
from collections.abc import Callable

LINES_PER_MINUTE = 20


class Seldom(logging.Filter):
    """A filter for a logger. Lines are counted by their text before its arguments are inserted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._minutes: dict[str, int] = {}
        self._lines: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, minute = str(record.msg), int(self._clock() // 60)
        if self._minutes.get(kind) != minute:
            left_out = max(0, self._lines.get(kind, 0) - LINES_PER_MINUTE)
            self._minutes[kind], self._lines[kind] = minute, 0
            if left_out:
                record.msg = f"{record.msg} [and {left_out} more of these before]"
        self._lines[kind] += 1
        return self._lines[kind] <= LINES_PER_MINUTE
