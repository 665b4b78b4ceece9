"""The kernel answers EIO: the node must stop, and the next start must find all that was answered.

strace replaces the results of real system calls, so LMDB and the log are the real ones.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coinone.node.storage.storage import open_storage
from coinone.rules.state.database import Table

MAP = 16 * 1024 * 1024

# Answers go through a mapped file: no system call that could be the one that fails.
WRITER = f"""
import mmap, sys
from pathlib import Path
from coinone.node.storage.storage import open_storage
from coinone.rules.state.database import Table
folder = Path(sys.argv[1])
storage = open_storage(folder, b"test", {MAP})
file = (folder / "answered").open("r+b")
answered = mmap.mmap(file.fileno(), 2)
for n in range(1, 100):
    storage.log.append_batch(n, b"batch")
    answered[0] = n
    storage.store.write({{Table.META: {{b"n": b"%d" % n}}}})
    answered[1] = n
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to fail system calls")
@pytest.mark.parametrize(
    ("call", "first"), [("fdatasync", 30), ("fsync", 25), ("pwrite64", 120), ("writev", 25), ("write", 25)]
)
def test_an_error_of_the_disk_stops_the_writer_and_loses_nothing(
    tmp_path: Path, call: str, first: int
) -> None:
    (tmp_path / "answered").write_bytes(bytes(2))
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:error=EIO:when={first}+"]
    command = [*strace, sys.executable, "-c", WRITER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    in_log, in_store = (tmp_path / "answered").read_bytes()
    assert done.returncode == 1 and 0 < in_log < 99, "the error did not hit"
    if call != "write":  # with write failing, the writer cannot print its reason either
        assert "StorageError" in done.stderr, done.stderr
    storage = open_storage(tmp_path, b"test", MAP)
    found = [seq for seq, _ in storage.pending_batches()]
    assert found[:in_log] == list(range(1, in_log + 1))
    assert int(storage.store.get(Table.META, b"n") or b"0") >= in_store
    storage.log.append_batch(len(found) + 1, b"goes on")
    storage.store.write({Table.META: {b"n": b"1000"}})
    storage.close()
