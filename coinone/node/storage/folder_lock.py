"""Lock a data folder for one process.

The operating system releases the lock however the process ends, so no stale lock can remain.
"""

import fcntl
import os
from pathlib import Path

from coinone.base.primitives.errors import StorageError

FILE = "LOCK"


class FolderLock:
    def __init__(self, folder: Path) -> None:
        """Create the folder if needed and lock it. Raises StorageError that names the process holding it."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"data folder {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            owner = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StorageError(f"data folder {folder} is in use by process {owner}") from error
        except OSError as error:
            os.close(self._file)
            raise StorageError(f"data folder {folder}: {error.strerror}") from error

    def release(self) -> None:
        os.close(self._file)


def owner_of_lock(folder: Path) -> int | None:
    """The process that holds the folder's lock now; None if none does, or there is no such folder."""
    try:
        file = os.open(folder / FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(file, 20, 0))
    finally:
        os.close(file)
    return None
