"""How fast the kernel and its twin execute operations: `python -m bench.exchange.kernel`.

The flow of flow.py: 70 % adds, 20 % cancels, 10 % marketable orders (about five fills each), 3 markets, 2,000
accounts with cross margin, 20,000 resting orders, fees, journal on. Times are CPU times; runs are interleaved and
medians printed, as operations per second and as ratios to the first line.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from bench.exchange.flow import World, make
from coinone.rules.exchange.kernel import run_segment
from coinone.rules.exchange.margin import apply_marks
from coinone.rules.exchange.twin_state import ops_of, twin_of

ROUNDS = 7
OPERATIONS = 40_000
WARM = 20_000  # first touches of fresh memory are not the kernel's


def kernel_seconds(size: int) -> float:
    """Seconds per operation when a call gets `size` of them."""
    world = make(segments=(OPERATIONS + WARM) // 1000)
    ops = np.concatenate(world.segments)
    for first in range(0, WARM, 1000):
        world.rows.journal.begin()
        run_segment(world.rows, ops[first : first + 1000], 1)
    timed = ops[WARM:]
    seconds = 0.0
    for first in range(0, len(timed), size):
        world.rows.journal.begin()
        part = timed[first : first + size]
        start = time.process_time()
        run_segment(world.rows, part, 2)
        seconds += time.process_time() - start
    return seconds / len(timed)


def twin_seconds(world: World) -> float:
    twin = twin_of(world.rows)
    segments = [ops_of(ops) for ops in world.segments[:5]]
    start = time.process_time()
    for ops in segments:
        twin.run(ops, 1)
    return (time.process_time() - start) / sum(len(ops) for ops in segments)


def mark_seconds(world: World) -> float:
    """Seconds per account for a new mark in one market."""
    start = time.process_time()
    for n in range(100):
        apply_marks(world.rows, {0: 1_000_000 + 10 * (n + 1)})
    return (time.process_time() - start) / 100 / world.rows.account_count


def main() -> None:
    gc.disable()  # the twin makes many objects; the collector is not measured
    world = make(segments=5)
    lines: dict[str, Callable[[], float]] = {
        "kernel, segments of 1,000": lambda: kernel_seconds(1000),
        "kernel, segments of 100": lambda: kernel_seconds(100),
        "kernel, segments of 10": lambda: kernel_seconds(10),
        "twin": lambda: twin_seconds(world),
        "mark change, per account": lambda: mark_seconds(world),
    }
    taken: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(ROUNDS):
        for name, measure in lines.items():
            taken[name].append(measure())
    first = median(next(iter(taken.values())))
    print(f"{'':28}{'median/s':>12}{'best/s':>12}{'ratio':>8}")
    for name, seconds in taken.items():
        middle = median(seconds)
        print(f"{name:28}{1 / middle:12,.0f}{1 / min(seconds):12,.0f}{first / middle:8.3f}")


if __name__ == "__main__":
    main()
