"""Worlds without end for the engines: `python -m tests.rules.vm.native.fuzz FIRST COUNT [KIND [ENGINE]]`.

Each seed is a world (programs.py, mutants.py) that must end alike on every engine; a difference is printed with its
seed, and counted, and the run goes on. Kinds: `random` (even seeds programs, odd ones trees of calls), `mutants`,
`both` (two of each in turns). Engines, each held against the reference: `native`, `jit` (which compiles everything).
"""

import sys
import time
from collections.abc import Callable

from coinone.rules.vm.jit import execution as jit
from coinone.rules.vm.jit.execution import use_limits
from coinone.rules.vm.jit.policy import Limits
from coinone.rules.vm.native import execution as native
from coinone.rules.vm.verify import EnginesDiffer
from tests.rules.vm.native.mutants import run_mutant
from tests.rules.vm.native.programs import against, run_random

REPORT_EVERY = 20_000
KINDS: dict[str, tuple[Callable[[int], object], ...]] = {
    "random": (run_random,), "mutants": (run_mutant,), "both": (run_random, run_mutant),
}  # fmt: skip


def campaign(first: int, count: int, kind: str) -> int:
    """Run the seeds; how many worlds ended differently."""
    differences, runs, start = 0, KINDS[kind], time.process_time()
    for done, seed in enumerate(range(first, first + count), 1):
        try:
            runs[seed // 2 % len(runs)](seed)
        except EnginesDiffer as found:
            differences += 1
            print(f"seed {seed}: {found}", flush=True)
        if done % REPORT_EVERY == 0 or done == count:
            seconds = time.process_time() - start
            print(
                f"{kind} {first}..{seed}: {done} worlds, {differences} differences, {done / seconds:.0f}/s",
                flush=True,
            )
    return differences


if __name__ == "__main__":
    words = sys.argv[1:]
    use_limits(Limits(hot=1, at_once=True, keep=False))
    with against(jit.execute if words[3:] == ["jit"] else native.execute):
        sys.exit(1 if campaign(int(words[0]), int(words[1]), words[2] if len(words) > 2 else "both") else 0)
