"""`coinone network`: four processes that vote; the leader is killed under load, and no answered order is lost."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.client.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.errors import ClientError
from coinone.interfaces.client.local import free_ports

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "coinone.interfaces.cli.main", "network"]


class Network:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http = _free_base()
        self.output = folder.with_suffix(".out")
        command = [*COMMAND, "up", "--data-dir", str(folder), "--http-port", str(self.http)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    def act(self, verb: str, number: int) -> None:
        command = [*COMMAND, verb, f"member{number}", "--data-dir", str(self.folder)]
        subprocess.run(command, check=True, timeout=60)

    def client(self, number: int, key: bytes | None = None) -> Client:
        return Client(f"http://127.0.0.1:{self.http + number}", key=key)

    def health(self, number: int) -> dict[str, Any]:
        """Of a member; nothing if it does not answer."""
        with self.client(number) as client, contextlib.suppress(ClientError):
            return dict(client.health())
        return {}

    def batch(self, number: int) -> int:
        """The newest batch of a member; 0 if it does not answer."""
        return int(self.health(number).get("batch", 0))

    def open_orders(self, number: int) -> set[int]:
        with self.client(number, dev_keys()[0]) as client:
            return {int(each["oid"]) for each in client.open_orders()}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    found = Network(tmp_path / "network")
    try:
        wait(lambda: all(found.batch(number) > 4 for number in range(4)), 180)
        yield found
    finally:
        found.stop()


def wait(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.2)


def _free_base() -> int:
    """A port after which a hundred and two hundred are likely free too."""
    return max(min(free_ports(1)[0], 60_000), 2_000)


def test_no_answered_order_is_lost_when_the_leader_is_killed(network: Network) -> None:
    answered: set[int] = set()
    with network.client(2, dev_keys()[0]) as client:

        def place(count: int) -> None:
            for n in range(count):
                price = 50_000 + len(answered) * 10 + n
                with contextlib.suppress(ClientError):
                    answer = client.order("BTC", True, "0.01", price)
                    answered.add(int(answer["resting"]["oid"]))

        place(5)
        network.act("kill", 0)
        place(10)
    assert len(answered) >= 12, answered
    wait(lambda: "member0 has ended (signal 9)" in network.output.read_text())
    before = network.batch(1)
    wait(lambda: all(network.batch(number) > before + 8 for number in range(4)), 120)
    health = network.health(1)
    assert health["member"] == 1 and health["leader"] in range(4)
    assert all(network.open_orders(number) >= answered for number in range(4))


def test_a_member_that_was_stopped_stays_away_until_it_is_started(network: Network) -> None:
    network.act("stop", 3)
    wait(lambda: network.batch(3) == 0)
    before = network.batch(1)
    wait(lambda: network.batch(1) > before + 16)
    assert network.batch(3) == 0
    network.act("start", 3)
    wait(lambda: network.batch(3) > before + 16, 120)
    wrong = subprocess.run(
        [*COMMAND, "kill", "member9", "--data-dir", str(network.folder)], capture_output=True
    )
    assert wrong.returncode != 0 and b"no such member runs" in wrong.stdout + wrong.stderr
