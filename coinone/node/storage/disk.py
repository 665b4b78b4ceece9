"""The file operations of the batch log: append, sync, truncate, remove. The simulation has a faulty one."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from coinone.base.primitives.errors import StorageError


class Disk(Protocol):
    """Files by name in one folder. Every failure raises StorageError.

    Until `sync` returns, a crash may lose or tear what `append` wrote.
    """

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...

    def append(self, name: str, data: bytes) -> None: ...

    def sync(self, name: str) -> None: ...

    def truncate(self, name: str, size: int) -> None:
        """Truncate the file and sync it."""
        ...

    def remove(self, name: str) -> None: ...

    def close(self) -> None: ...


class FileDisk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _failed("create", str(folder), error) from error

    def names(self) -> list[str]:
        try:
            return sorted(entry.name for entry in self._folder.iterdir() if entry.is_file())
        except OSError as error:
            raise _failed("list", str(self._folder), error) from error

    def read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise _failed("read", name, error) from error

    def append(self, name: str, data: bytes) -> None:
        try:
            handle = self._handle(name)
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
        except OSError as error:
            raise _failed("write", name, error) from error

    def sync(self, name: str) -> None:
        try:
            os.fsync(self._handle(name))
        except OSError as error:
            raise _failed("sync", name, error) from error

    def truncate(self, name: str, size: int) -> None:
        try:
            os.ftruncate(self._handle(name), size)
        except OSError as error:
            raise _failed("truncate", name, error) from error
        self.sync(name)

    def remove(self, name: str) -> None:
        handle = self._open.pop(name, None)
        if handle is not None:
            os.close(handle)
        try:
            (self._folder / name).unlink(missing_ok=True)
            self._sync_folder()
        except OSError as error:
            raise _failed("remove", name, error) from error

    def close(self) -> None:
        for handle in self._open.values():
            with suppress(OSError):
                os.close(handle)
        self._open = {}

    def _handle(self, name: str) -> int:
        handle = self._open.get(name)
        if handle is None:
            path = self._folder / name
            is_new = not path.exists()
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._open[name] = handle
            if is_new:
                self._sync_folder()  # without its name a synced file would be lost
        return handle

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failed(doing: str, name: str, error: OSError) -> StorageError:
    return StorageError(f"batch log: cannot {doing} {name}: {error.strerror}")
