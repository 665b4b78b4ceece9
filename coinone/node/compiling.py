"""The engine of a serving process and, if the engine compiles contracts, a background thread that does so.

The compiler lets other threads run while it works. It uses at most a share of one core, however many contracts are
queued: the author of such contracts pays gas for running them hot, and gains nothing by slowing the node down.
"""

import threading
import time
from collections.abc import Callable, Mapping

from coinone.rules.vm import Engine, Pair, engine_named
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Policies

CPU_SHARE = 4  # the compiler uses at most 1 / CPU_SHARE of a core, averaged over time
_LOOK_S = 0.2  # between two checks of an empty queue


def serving_engine(name: str) -> Engine:
    """The engine of this name (see `engine_named`), with its compiler thread if it compiles. The thread ends with
    the process."""
    engine = engine_named(name)
    for policies in _policies_in(engine):
        work = threading.Thread(
            target=_compile_for_ever, args=(policies,), name="contract compiler", daemon=True
        )
        work.start()
    return engine


def contract_runs(engine: Engine) -> Mapping[str, int]:
    """How often a requested contract was already compiled, and how often not; empty if the engine does not compile."""
    return next((policies.runs for policies in _policies_in(engine)), {})


def _policies_in(engine: Engine) -> list[Policies]:
    match engine:
        case Jit():
            return [engine.policies]
        case Pair():
            return _policies_in(engine.first) + _policies_in(engine.second)
        case _:
            return []


def _compile_for_ever(policies: Policies) -> None:
    while True:
        time.sleep(work_once(policies.next_job, time.thread_time))


def work_once(next_job: Callable[[], Callable[[], None] | None], cpu_time: Callable[[], float]) -> float:
    """Compile one queued contract, if any; return the seconds to pause so that the CPU share is kept."""
    job = next_job()
    if job is None:
        return _LOOK_S
    start = cpu_time()
    job()
    return (cpu_time() - start) * (CPU_SHARE - 1)
