"""Worker processes for tasks that need no node state, or only read the store.

A worker ends with its parent process, however that ends: a killed parent cannot notify it, and a pool's workers wait at
a pipe that they hold open themselves.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from coinone.base.primitives.errors import CoinoneError

Begin = Callable[..., None]
Answer = Callable[[Any], Any]
START_TIMEOUT_S = 120.0  # imports and loading machine code from disk, on a busy machine


def worker_pool(processes: int, begin: Begin | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """A pool whose workers first call `begin` with the arguments. They start when there is work."""
    return ProcessPoolExecutor(processes, get_context("spawn"), _begin, (begin, arguments))


class WorkerLost(CoinoneError):
    """Raised when the worker process ended, or was killed because it did not answer. The next question starts
    another one."""


class Servant:
    """One process that answers one question at a time and is replaced if it does not answer, unlike a pool's worker.
    To be used by one thread at a time, except for `close`."""

    def __init__(self, begin: Callable[..., Answer], *arguments: Any) -> None:
        """In the process, `begin` with the arguments returns the function that answers."""
        self._begin = (begin, arguments)
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._closed = False
        self.starts = 0  # process starts; callers must send the process's state again after each

    def start(self) -> None:
        """Start the process unless it is running, and wait until it is ready. Raises WorkerLost."""
        if self._process is not None:
            return
        if self._closed:
            raise WorkerLost("the node is stopping")
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, *self._begin), daemon=True)
        self._process.start()
        theirs.close()
        self.starts += 1
        self._receive(START_TIMEOUT_S)

    def ask(self, question: Any, timeout_s: float) -> Any:
        """Return the process's answer, or raise the exception that it raised. Raises WorkerLost."""
        self.start()
        assert self._pipe is not None, "the process has started"
        try:
            self._pipe.send(question)
        except OSError as error:
            self._end()
            raise WorkerLost("a worker process ended unexpectedly") from error
        return self._receive(timeout_s)

    def close(self) -> None:
        self._closed = True
        if self._process is not None:
            self._process.terminate()

    def _receive(self, timeout_s: float) -> Any:
        assert self._pipe is not None, "the process has started"
        try:
            if not self._pipe.poll(timeout_s):
                raise TimeoutError
            error, answer = self._pipe.recv()
        except (EOFError, OSError) as lost:  # TimeoutError is an OSError
            self._end()
            raise WorkerLost("a worker process did not answer") from lost
        if error is not None:
            try:
                raise error
            finally:  # or this frame and the error reference each other, and keep the callers' objects alive
                del error
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
        if self._pipe is not None:
            self._pipe.close()


def _serve(pipe: Connection, begin: Callable[..., Answer], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the node, which ends this process
    threading.Thread(target=_end_with_parent, name="end with the node", daemon=True).start()
    answer = begin(*arguments)
    pipe.send((None, None))
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        pipe.send(_reply(answer, question))


def _reply(answer: Answer, question: Any) -> tuple[Exception | None, Any]:
    try:
        return None, answer(question)
    except Exception as error:
        return error, None


def end_workers() -> None:
    """Terminate all workers of this process. Otherwise Python would wait for them before it exits."""
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
