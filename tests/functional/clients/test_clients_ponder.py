"""ponder, an indexer from npm, unmodified: it reads a contract's past, follows its present, and answers in GraphQL."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode, free_ports
from tests.functional.clients.npm import NODE, SCRIPTS, compiled, installed
from tests.functional.contracts.contracts import Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.long
PACKAGES = ("ponder@0.16.10", "viem@2.57.20")
SOLC = "solc@0.8.30"
QUESTION = '{ settings(orderBy: "block") { items { value read } } }'


class Indexer:
    """A running ponder; its answers."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def settings(self) -> list[tuple[int, int]]:
        """(the value that an event told, the value that the contract gave at that block) of each event; empty until
        the past was read."""
        asked = urllib.request.Request(
            f"{self._url}/graphql",
            json.dumps({"query": QUESTION}).encode(),
            {"content-type": "application/json"},
        )
        try:
            urllib.request.urlopen(f"{self._url}/ready", timeout=10).close()
            with urllib.request.urlopen(asked, timeout=10) as answer:
                items = json.load(answer)["data"]["settings"]["items"]
        except (urllib.error.URLError, ConnectionError):
            return []
        return [(int(item["value"]), int(item["read"])) for item in items]


@pytest.fixture
def chain() -> Iterator[Chain]:
    """An archive node: an indexer asks for the state at each event, however old."""
    with LocalNode(arguments=("--archive",)) as node:
        yield Chain(node.rpc_url, Account.from_key(dev_keys()[0]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "indexer"
    shutil.copytree(SCRIPTS / "ponder", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(installed(*PACKAGES))
    return folder


def test_ponder_reads_the_past_and_follows(chain: Chain, project: Path) -> None:
    store = chain.deploy(compiled(installed(SOLC), SCRIPTS / "Store.sol", "Store"), 41)
    chain.do(store.functions.set(42))
    (port,) = free_ports(1)
    command = [
        str(NODE),
        "node_modules/ponder/dist/esm/bin/ponder.js",
        "dev",
        "--disable-ui",
        "--port",
        str(port),
    ]
    given = {
        "RPC": chain.web3.provider.endpoint_uri,
        "STORE": store.address,
        "PONDER_TELEMETRY_DISABLED": "1",
    }
    with (project / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=project, env={**os.environ, **given}, stdout=log, stderr=log)
        try:
            indexer = Indexer(port)
            wait_for(lambda: indexer.settings() == [(41, 41), (42, 42)], "the contract's past", 60)
            chain.do(store.functions.set(43))
            wait_for(lambda: indexer.settings()[2:] == [(43, 43)], "the new event")
        finally:
            running.terminate()
            running.wait(30)
