"""Mixed random flow over hours of batch time ends in the same roots, however the process that runs it is set up.

The two runs differ in all that must not matter: hash seed, time zone, locale, threads of the libraries, and the
engine that runs the contracts. After every batch each run checks the exchange's and the chain's invariants.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
ONE = {
    "PYTHONHASHSEED": "1",
    "TZ": "Asia/Tokyo",
    "LC_ALL": "C",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
OTHER = {"PYTHONHASHSEED": "4242", "TZ": "America/Lima", "LC_ALL": "C.UTF-8", "NUMBA_NUM_THREADS": "2"}
MUST_HAPPEN = (
    "Fill.trade", "Fill.liquidation", "LiquidationEvent.order", "FundingPayment", "ledger.deposit", "ledger.withdraw",
    "ledger.send", "withdrawal ran", "contract ran", "contract failed", "core action executed", "order.canceled",
    "order.scheduledCancel", "order.marginCanceled", "gap", "silence",
)  # fmt: skip


def start(seed: int, minutes: int, engine: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sim.day", "--seed", str(seed), "--minutes", str(minutes)]
    command += ["--engine", engine]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], timeout_s: int) -> dict[str, Any]:
    out, err = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, err[-2_000:]
    result: dict[str, Any] = json.loads(out)
    return result


def run_twice(seed: int, minutes: int, timeout_s: int) -> dict[str, Any]:
    runs = [start(seed, minutes, "native", ONE), start(seed, minutes, "reference", OTHER)]
    try:
        one, other = [ended(process, timeout_s) for process in runs]
    finally:
        for process in runs:
            process.kill()
    assert (one["state_root"], one["exchange_root"]) == (other["state_root"], other["exchange_root"])
    assert one == other
    missing = [name for name in MUST_HAPPEN if not one["happened"].get(name)]
    assert not missing, f"nothing was tested of {missing}: {one['happened']}"
    return one


@pytest.mark.slow
def test_an_hour_of_random_flow_ends_in_equal_roots() -> None:
    hour = run_twice(seed=2, minutes=60, timeout_s=300)
    assert hour["batches"] > 1_000 and hour["happened"]["Fill.trade"] > 1_000


@pytest.mark.slow
def test_another_seed_is_another_hour() -> None:
    """A twin: roots that were always equal would prove nothing."""
    short = [start(seed, 1, "native", ONE) for seed in (1, 1, 2)]
    one, again, other = [ended(process, 100) for process in short]
    assert one == again and one["exchange_root"] != other["exchange_root"]


@pytest.mark.long
def test_a_day_of_random_flow_ends_in_equal_roots() -> None:
    day = run_twice(seed=24, minutes=24 * 60, timeout_s=5_400)
    assert day["happened"]["FundingPayment"] > 24
