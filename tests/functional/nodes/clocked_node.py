"""Run by test_clock_jump: the command line in a process whose wall clock somebody else sets.

`python clocked_node.py FILE up ...`: the file says by how many milliseconds the clock is wrong, and is read each time.
Clocks that never jump (time.monotonic) are left alone, as a machine's own are when it is set.
"""

import os
import sys
import time
from pathlib import Path

SHIFT = Path(os.environ.get("CLOCK_SHIFT_FILE") or sys.argv.pop(1))
# For the processes that the node starts: they run this script's head again.
os.environ["CLOCK_SHIFT_FILE"] = str(SHIFT)
_real_ns = time.time_ns


def shifted_ns() -> int:
    return _real_ns() + int(SHIFT.read_text()) * 1_000_000


time.time_ns = shifted_ns
time.time = lambda: shifted_ns() / 1e9

if __name__ == "__main__":
    from coinone.interfaces.cli.main import main

    main()
