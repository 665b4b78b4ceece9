"""Simulated worlds: a sequencer and three followers converge through faults, and seeds are reproducible."""

import subprocess
import sys

import pytest

from coinone.node.networks import load_network
from sim.scenario import Report, Scenario

DEV = load_network("dev")


def run(seed: int) -> Report:
    report = Scenario(seed, DEV).run()
    print(report.line())
    return report


def happened(reports: list[Report]) -> None:
    """A fault test proves that the faults happened."""
    assert min(report.answered for report in reports) > 0
    for name in ("crashes", "torn_tails", "broken_connections", "partitions", "clock_jumps"):
        assert sum(getattr(report, name) for report in reports) > 0, f"no {name}: nothing was tested"


def test_nodes_converge_through_crashes_partitions_and_torn_logs() -> None:
    happened([run(5)])


@pytest.mark.slow
def test_nodes_converge_in_eight_worlds() -> None:
    reports = [run(seed) for seed in range(100, 108)]
    happened(reports)
    for name in ("crashes_in_recovery", "crashes_in_commit", "commits_beside_batches"):
        assert sum(getattr(report, name) for report in reports) > 0, f"no {name}"


@pytest.mark.long
def test_nodes_converge_in_five_hundred_worlds() -> None:
    happened([run(seed) for seed in range(1_000, 1_500)])


@pytest.mark.slow
def test_a_seed_gives_the_same_world_under_another_hash_seed() -> None:
    digests = []
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "sim", "--seed", "7"]
        done = subprocess.run(
            command, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        digests.append(done.stdout.split("digest ")[1].split(",")[0])
    assert digests[0] == digests[1]
