"""No input makes machine code read or write beyond its buffers: a process in which that would be fatal."""

import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
GUARDED = "tests.rules.vm.native.guarded"


def run_guarded(first: int, count: int, kind: str = "random", engines: str = "native") -> None:
    command = [sys.executable, "-m", GUARDED, str(first), str(count), kind, engines]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"within bounds {count}" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="page protection is asked for as Linux has it")
@pytest.mark.parametrize("offset,code", [(63, 0), (64, -signal.SIGSEGV), (-mmap.PAGESIZE, -signal.SIGSEGV)])
def test_a_process_that_reads_beyond_a_guarded_buffer_ends(offset: int, code: int) -> None:
    script = f"import ctypes; from {GUARDED} import guarded; ctypes.string_at(guarded(64).ctypes.data + {offset}, 1)"
    assert (
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=100, check=False).returncode == code
    )


@pytest.mark.skipif(sys.platform != "linux", reason="page protection is asked for as Linux has it")
def test_random_worlds_stay_within_their_buffers() -> None:
    run_guarded(5_000_000, 300)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="page protection is asked for as Linux has it")
def test_thousands_of_random_worlds_stay_within_their_buffers() -> None:
    run_guarded(6_000_000, 2_000)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="page protection is asked for as Linux has it")
@pytest.mark.skipif("COINONE_DATA" not in os.environ, reason="set COINONE_DATA: see test_fuzz.py")
def test_thousands_of_bent_contracts_stay_within_their_buffers() -> None:
    run_guarded(7_000_000, 5_000, "mutants")
