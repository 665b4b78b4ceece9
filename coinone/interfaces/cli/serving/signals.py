"""Stop in order at Ctrl-C and SIGTERM."""

import os
import signal
import threading
from types import FrameType


def stop_on_signals() -> threading.Event:
    """An event set by the first Ctrl-C or SIGTERM. A second one ends the process immediately, which is also safe."""
    stopping = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping
