"""Operations per second of the matching kernel and of its Python twin: `python -m bench.exchange.kernel`.

The flow of flow.py: 70 % new resting orders, 20 % cancels, 10 % marketable orders (about five fills each), 3 markets,
2,000 accounts with cross margin, 20,000 resting orders, with fees and journal; then each kind alone.
Times are CPU times of the calls alone, after a warm-up; runs are interleaved and medians printed, as operations
per second and as ratios to the first line.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from bench.exchange.flow import World, add_ops, cancel_ops, make, take_ops
from coinone.rules.exchange.accounts.equity import apply_marks
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import Array
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.twin.compare import ops_of, twin_of

ROUNDS = 7
SEGMENTS, WARM = 60, 20  # of 1,000; first touches of fresh memory are not the kernel's
TWIN_SEGMENTS, TWIN_WARM = 10, 5


def warmed(world: World) -> Rows:
    """The state in which measuring begins, always the same."""
    rows = make(segments=0).rows
    for ops in world.segments[:WARM]:
        rows.journal.begin()
        run_segment(rows, ops, 1)
    return rows


def timed(rows: Rows, ops: Array) -> float:
    """Seconds that one call takes."""
    rows.journal.begin()
    start = time.process_time()
    run_segment(rows, ops, 2)
    return time.process_time() - start


def kernel_seconds(world: World, size: int) -> float:
    """Seconds per operation when a call gets `size` of them."""
    rows = warmed(world)
    ops = np.concatenate(world.segments[WARM:])
    return sum(timed(rows, ops[first : first + size]) for first in range(0, len(ops), size)) / len(ops)


def kind_seconds(world: World, made: Callable[[np.random.Generator, Rows], Array]) -> float:
    """Seconds per operation of one kind, eight calls of 1,000."""
    rows, random = warmed(world), np.random.default_rng(2)
    return sum(timed(rows, made(random, rows)) for _ in range(8)) / 8000


def twin_seconds(world: World) -> float:
    twin = twin_of(make(segments=0).rows)
    segments = [ops_of(ops) for ops in world.segments[:TWIN_SEGMENTS]]
    for ops in segments[:TWIN_WARM]:
        twin.run(ops, 1)
    start = time.process_time()
    for ops in segments[TWIN_WARM:]:
        twin.run(ops, 1)
    return (time.process_time() - start) / sum(len(ops) for ops in segments[TWIN_WARM:])


def mark_seconds(world: World) -> float:
    """Seconds per account for a new mark in one market."""
    start = time.process_time()
    for n in range(100):
        apply_marks(world.rows, {0: 1_000_000 + 10 * (n + 1)})
    return (time.process_time() - start) / 100 / world.rows.account_count


def main() -> None:
    gc.disable()  # the twin makes many objects; the collector is not measured
    world = make(segments=SEGMENTS)
    lines: dict[str, Callable[[], float]] = {
        "kernel, segments of 1,000": lambda: kernel_seconds(world, 1000),
        "kernel, segments of 100": lambda: kernel_seconds(world, 100),
        "kernel, segments of 10": lambda: kernel_seconds(world, 10),
        "kernel, new orders only": lambda: kind_seconds(world, lambda r, _: add_ops(r, 1000, 2000)),
        "kernel, cancels only": lambda: kind_seconds(world, lambda r, rows: cancel_ops(r, rows, 1000)),
        "kernel, marketable only": lambda: kind_seconds(world, lambda r, _: take_ops(r, 1000, 2000)),
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
