"""Processes beside the node for what needs no state of it, or only reads the store.

A worker ends with the process that it works for, however that ends: one that was killed cannot say goodbye, and a
pool's workers wait at a pipe that they themselves hold open.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from typing import Any

Begin = Callable[..., None]


def worker_pool(processes: int, begin: Begin | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """Each worker first calls `begin` with the arguments. They start when there is work."""
    return ProcessPoolExecutor(processes, get_context("spawn"), _begin, (begin, arguments))


def end_workers() -> None:
    """All of this process. Nobody waits for them any more, but Python would, before it ends."""
    for worker in active_children():
        worker.terminate()


def _begin(begin: Begin | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, name="end with the node", daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)
