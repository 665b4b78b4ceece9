"""Lines of the log that strangers can cause: so many a minute, and then how many were left out."""

import logging
import time
from collections.abc import Callable

LINES_PER_MINUTE = 20


class Seldom(logging.Filter):
    """For a logger. Lines are counted by what they say before their figures are filled in."""

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
