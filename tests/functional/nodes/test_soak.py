"""An hour of the demo market: memory stops growing, and the disk grows no faster than documented.

`make long` runs the hour; COINONE_SOAK_S makes it shorter. Figures and reasons are in docs/operating/resources.md.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from coinone.interfaces.client.local import LocalNode

HOUR_S = 3600.0
SAMPLE_S = 15.0
# In the second half: memories of recent transactions fill in the first hour or two.
MEMORY_MIB_PER_HOUR_MAX = 80
# A demo market's batches and ended orders, and room that the database leaves in its pages.
DISK_MIB_PER_HOUR_MAX = 200
UNDO_FULL_S = 600.0  # until then undo records grow besides, as fast again

pytestmark = pytest.mark.long


class Sample(NamedTuple):
    at_s: float
    memory_mib: float
    disk_mib: float


def memory_mib(pid: int) -> float:
    """A process's own memory: the pages of the database that it has read are the system's to take back."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the process has ended")


def disk_mib(folder: Path) -> float:
    """Blocks taken on the disk: the database's file is sparse."""
    return sum(file.stat().st_blocks for file in folder.rglob("*") if file.is_file()) * 512 / 2**20


def per_hour(first: float, last: float, seconds: float) -> float:
    return (last - first) * 3600 / seconds


def test_an_idle_market_comes_to_rest() -> None:
    seconds = float(os.environ.get("COINONE_SOAK_S", HOUR_S))
    with LocalNode(demo=True) as node:
        start = time.monotonic()
        samples = []
        while (at := time.monotonic() - start) < seconds or len(samples) < 4:
            samples.append(Sample(at, memory_mib(node.pid), disk_mib(node.data_dir)))
            time.sleep(SAMPLE_S)
    middle, last = samples[len(samples) // 2], samples[-1]
    took = last.at_s - middle.at_s
    print(f"\n{samples[0]}\n{middle}\n{last}")
    disk_max = DISK_MIB_PER_HOUR_MAX * (1 if middle.at_s > UNDO_FULL_S else 2)
    assert per_hour(middle.disk_mib, last.disk_mib, took) < disk_max
    if seconds >= HOUR_S:  # before, memory still grows as it should
        assert per_hour(middle.memory_mib, last.memory_mib, took) < MEMORY_MIB_PER_HOUR_MAX
