"""The engine of a process that serves: chosen once, and if it compiles contracts, a thread beside that does.

The compiler lets other threads run while it works. It may take no more than a share of one core, however many
contracts there are that want to be compiled: who writes such contracts pays gas for running them hot, and gains
nothing by slowing the node down.
"""

import threading
import time
from collections.abc import Callable, Mapping

from coinone.rules.vm import Choice, Engine, Pair, chosen_engine, use_engine
from coinone.rules.vm.jit.execution import policies

CPU_SHARE = 4  # one part in so many of a core, over any longer time
_LOOK_S = 0.2  # between two looks at an empty queue


def choose_engine(choice: Choice | str) -> None:
    """As `use_engine`; with the thread that an engine needs. It ends with the process."""
    use_engine(choice)
    if _compiles(chosen_engine()):
        threading.Thread(target=_compile_for_ever, name="contract compiler", daemon=True).start()


def contract_runs() -> Mapping[str, int]:
    """How often a contract that was asked for was compiled, and how often not; empty where nothing compiles."""
    return policies().runs


def _compiles(choice: Choice) -> bool:
    return Engine.JIT in ((choice.first, choice.second) if isinstance(choice, Pair) else (choice,))


def _compile_for_ever() -> None:
    while True:
        time.sleep(work_once(policies().next_job, time.thread_time))


def work_once(next_job: Callable[[], Callable[[], None] | None], cpu_time: Callable[[], float]) -> float:
    """Compile one contract if one waits. The seconds to rest then, so that the share is kept."""
    job = next_job()
    if job is None:
        return _LOOK_S
    start = cpu_time()
    job()
    return (cpu_time() - start) * (CPU_SHARE - 1)
