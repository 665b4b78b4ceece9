"""A node is killed again and again; what it answered is there after every restart."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from coinone.node.runtime.startup import identity_of
from coinone.node.runtime.verify import verify_chain
from coinone.node.storage.storage import open_storage

SCRIPT = Path(__file__).with_name("crash_node.py")
ROOT = Path(__file__).parents[3]
KILLS = 12


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_no_answered_order_is_lost_when_the_process_is_killed(tmp_path):
    dice = random.Random(20)
    acknowledged: set[int] = set()
    stages: Counter[str] = Counter()
    highest = 0
    for turn in range(KILLS):
        process = start(tmp_path)
        # Every third kill comes while the node opens its folder.
        words = process.stdout.readline().split()
        assert words == ["opening"], process.stderr.read()
        if turn % 3 == 2:
            time.sleep(dice.random() * 0.05)
            process.kill()
            stages["opening"] += 1
            lines = process.communicate()[0].splitlines()
        else:
            time.sleep(1.0 + dice.random())
            process.kill()
            stages["running"] += 1
            lines = process.communicate()[0].splitlines()
            assert lines and lines[0].startswith("open"), "the node did not come up"
        for line in lines:
            kind, *numbers = line.split()
            if kind == "open":
                seq, *oids = map(int, numbers)
                assert acknowledged <= set(oids), (
                    f"lost after kill {turn}: {sorted(acknowledged - set(oids))[:5]}"
                )
                assert seq >= highest, "the chain of batches went back"
                highest = seq
            elif len(numbers) == 1:  # a line cut short by the kill was not said
                acknowledged.add(int(numbers[0]))
    assert stages["opening"] and stages["running"], "kills did not meet both stages"
    assert len(acknowledged) > 20, "the node hardly traded: nothing was tested"
    storage = open_storage(tmp_path, _identity(), 2**28)
    assert verify_chain(_network(), storage).number > 0, "no block was ever committed"
    storage.close()


def _network():
    sys.path.insert(0, str(SCRIPT.parent))
    from dataclasses import replace

    from coinone.node.runtime.networks import load_network

    network = load_network("dev")
    return replace(
        network,
        batches=replace(network.batches, interval_ms=10),
        blocks=replace(network.blocks, interval_ms=40),
    )


def _identity() -> bytes:
    return identity_of(_network())
