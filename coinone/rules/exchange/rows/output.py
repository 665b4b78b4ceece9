"""The kernel's output: three buffers that fill up over a batch.

A segment's rows are views of them, valid until the next epoch begins; then the same memory is overwritten, since fresh
memory costs more than the rows do. A buffer that is too short is replaced, not moved: views of the old one stay as they
are.
"""

from __future__ import annotations

import numpy as np

from coinone.rules.exchange.rows.arrays import FILLS, RESULTS, UPDATES
from coinone.rules.exchange.rows.tables import FILL, RESULT, UPDATE, Array


class Output:
    """The output buffers. The counters RESULTS, FILLS and UPDATES are the numbers of rows written to each."""

    def __init__(self, counters: Array) -> None:
        self._counters = counters
        self.results: Array = np.zeros(0, RESULT)
        self.fills: Array = np.zeros(0, FILL)
        self.updates: Array = np.zeros(0, UPDATE)

    def reserve(self, results: int, fills: int, updates: int) -> None:
        """Make room for more rows; memory that is never touched costs nothing."""
        self.results = self._roomy(self.results, RESULTS, results)
        self.fills = self._roomy(self.fills, FILLS, fills)
        self.updates = self._roomy(self.updates, UPDATES, updates)

    def _roomy(self, buffer: Array, counter: int, needed: int) -> Array:
        if self._counters[counter] + needed <= len(buffer):
            return buffer
        self._counters[counter] = 0
        return np.empty(2 * needed, buffer.dtype)
