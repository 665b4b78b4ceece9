"""The engine of a process that serves, and if it compiles contracts, a thread beside that does.

The compiler lets other threads run while it works. It may take no more than a share of one core, however many
contracts there are that want to be compiled: who writes such contracts pays gas for running them hot, and gains
nothing by slowing the node down.
"""

import threading
import time
from collections.abc import Callable, Mapping

from coinone.rules.vm import Engine, Pair, engine_named
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Policies

CPU_SHARE = 4  # one part in so many of a core, over any longer time
_LOOK_S = 0.2  # between two looks at an empty queue


def serving_engine(name: str) -> Engine:
    """As `engine_named`, with the thread that compiles for it, if it compiles. That ends with the process."""
    engine = engine_named(name)
    for policies in _policies_in(engine):
        work = threading.Thread(
            target=_compile_for_ever, args=(policies,), name="contract compiler", daemon=True
        )
        work.start()
    return engine


def contract_runs(engine: Engine) -> Mapping[str, int]:
    """How often a contract that was asked for was compiled, and how often not; empty where nothing compiles."""
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
    """Compile one contract if one waits. The seconds to rest then, so that the share is kept."""
    job = next_job()
    if job is None:
        return _LOOK_S
    start = cpu_time()
    job()
    return (cpu_time() - start) * (CPU_SHARE - 1)
