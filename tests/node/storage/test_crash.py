"""kill -9 at any moment, again and again on the same folder: nothing that was answered is lost."""

import importlib.util
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

WRITER = Path(__file__).with_name("crash_writer.py")
# What the kills must hit: recovery, an append, a commit, and a commit with batches answered meanwhile.
STATES = ("open", "append", "commit", "both")


def load_writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crash_writer", WRITER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_and_kill(folder: Path, dice: random.Random) -> tuple[str, int]:
    """Kill a writer a moment after something began; return what it was doing and the last batch it answered."""
    command = [sys.executable, str(WRITER), str(folder), str(dice.getrandbits(32))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    moment, countdown = dice.choice(["open", "append", "commit"]), dice.randrange(12)
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        countdown -= line.startswith(moment)
        if line.startswith(moment) and (countdown < 0 or moment == "open"):
            break
    time.sleep(dice.random() * 0.004)
    process.kill()
    lines += process.stdout.read().splitlines()
    assert process.wait() == -9, process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    answered = [int(text.split()[1]) for text in lines if text.startswith("answered")]
    return doing_at_the_end(lines), max(answered, default=0)


def doing_at_the_end(lines: list[str]) -> str:
    """The last words; or "commit" if they leave a block half way to the disk, "both" if batches were answered since."""
    for place, line in reversed(list(enumerate(lines))):
        if line.startswith("committed"):
            break
        if line.startswith("commit "):
            return "both" if any(later.startswith("answered") for later in lines[place:]) else "commit"
    return lines[-1].split()[0]


def kill_often(folder: Path, kills: int, seed: int, each: int) -> Counter[str]:
    """Kill so often, and on until every state of STATES was hit `each` times (a machine decides how long one lasts)."""
    writer, dice = load_writer(), random.Random(seed)
    doing: Counter[str] = Counter()
    while doing.total() < kills or (
        min(doing[state] for state in STATES) < each and doing.total() < 10 * kills
    ):
        state, answered = run_and_kill(folder, dice)
        doing[state] += 1
        assert writer.check(folder) >= answered, "an answered batch is gone"
    return doing


@pytest.mark.slow
def test_nothing_answered_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    doing = kill_often(tmp_path, kills=30, seed=1, each=1)
    assert min(doing[state] for state in STATES) > 0, doing


@pytest.mark.long
def test_nothing_answered_is_lost_in_a_thousand_kills(tmp_path: Path) -> None:
    doing = kill_often(tmp_path, kills=1000, seed=int(time.time()), each=10)
    print(dict(doing))
    assert min(doing[state] for state in STATES) >= 10, doing
