"""The disk of a running node fills up or fails: the process ends by itself and says why, and the next start finds
everything that was answered.

The node is a process of its own on a real disk. strace lets the kernel refuse chosen writes of chosen files; a small
tmpfs, a limit on the size of files and a small map are full in earnest.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.parse import format_bytes, parse_address, parse_quantity
from coinone.interfaces.client import Client, ClientError
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.ethereum import Transaction
from coinone.interfaces.client.local import COMMAND_LINE, LocalNode
from coinone.interfaces.client.signing import Signer
from coinone.interfaces.client.steps import transact
from coinone.node.networks import load_network
from coinone.node.node import MAP_SIZE_BYTES
from coinone.node.recovery.startup import identity_of
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage.storage import open_storage
from coinone.node.views.archive import Archive

pytestmark = pytest.mark.slow
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to fail system calls")

STRANGER = "0x" + "77" * 20
KEY = dev_keys()[0]
END_WAIT_S = 120.0  # it takes a second or two; a busy machine takes longer
TURNS_MAX = 400
CALLDATA_BYTES, CALLDATA_GAS = 100_000, 1_100_000
LOG, DATABASE = "log/0000000001.log", "state.lmdb"


class Customer:
    """Trades until the node is gone, and keeps what it was told."""

    def __init__(self) -> None:
        self.asked = self.paid = 0
        self.receipts: list[dict[str, Any]] = []

    def trade(self, node: LocalNode, calldata: int) -> None:
        """Send transactions with so many bytes, then pay the stranger one unit after another, and every fourth
        time, wait for a transaction's receipt."""
        with Client(node.url, key=KEY) as client:
            self._pay(client)  # while the disk is well
            send_bytes(client, calldata)
            for _ in range(TURNS_MAX):
                self._pay(client)
                if self.paid % 4 == 0:
                    self.receipts.append(ethereum_receipt(client))
        raise AssertionError("the fault never came")

    def _pay(self, client: Client) -> None:
        self.asked += 1
        client.send(STRANGER, 1)
        self.paid += 1

    def check(self, node: LocalNode) -> None:
        """All that was answered stands, and of what was not, at most the one request that was under way."""
        with Client(node.url, key=KEY) as client:
            equity = float(client.summary(STRANGER)["marginSummary"]["accountValue"])
            assert 11 + self.paid <= equity <= 11 + self.asked <= 11 + self.paid + 1
            for receipt in self.receipts:
                assert client.rpc("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
            client.send(STRANGER, 1)  # and it goes on
            assert float(client.summary(STRANGER)["marginSummary"]["accountValue"]) == equity + 1


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped node's folder with a few blocks, and the stranger's account in it."""
    node = LocalNode(tmp_path_factory.mktemp("chain") / "data")
    with node, Client(node.url, key=KEY) as client:
        client.send(STRANGER, 12)  # of which 1 opens the account
        ethereum_receipt(client)
    return node.data_dir


def ethereum_receipt(client: Client) -> dict[str, Any]:
    receipt: dict[str, Any] = client._run(transact(Signer(KEY), STRANGER, b""))
    return receipt


def send_bytes(client: Client, size: int) -> None:
    """As calldata, which the chain keeps."""
    signer = Signer(KEY)
    chain_id = parse_quantity(client.rpc("eth_chainId"))
    nonce = parse_quantity(client.rpc("eth_getTransactionCount", format_bytes(signer.address), "pending"))
    max_fee = 2 * parse_quantity(client.rpc("eth_gasPrice"))
    for turn in range(size // CALLDATA_BYTES):
        wanted = Transaction(
            chain_id,
            nonce + turn,
            0,
            max_fee,
            CALLDATA_GAS,
            parse_address(STRANGER),
            0,
            bytes(CALLDATA_BYTES),
        )
        client.rpc("eth_sendRawTransaction", format_bytes(signer.sign_transaction(wanted)))


def trade_until_it_ends(
    node: LocalNode, why: str, calldata: int = 0, fsize: int = resource.RLIM_INFINITY
) -> Customer:
    """The customer of a node that is to end by itself, with `why` on its last lines."""
    customer = Customer()
    with node:
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (fsize, resource.RLIM_INFINITY))
        with pytest.raises(ClientError):
            customer.trade(node, calldata)
        assert node.wait(END_WAIT_S) == 1
        said = node.output()
    assert re.search(rf"coinone: the node stopped because its disk failed: .*{why}", said), said
    assert "Traceback" not in said and "Error in" not in said, said
    assert customer.paid > 0, "the fault came before any trade"
    return customer


def check_next_start(folder: Path, customer: Customer) -> None:
    with LocalNode(folder) as node:
        customer.check(node)
    network = load_network("dev")
    storage = open_storage(folder, identity_of(network), MAP_SIZE_BYTES)
    assert verify_chain(network, storage) == Archive(storage.blocks).header(storage.blocks.head().number)
    storage.close()


@needs_strace
@pytest.mark.parametrize(
    ("file", "calls", "error", "when", "why"),
    [  # some ten seconds after the start: the customer has begun by then on a busy machine too
        (LOG, "write", "ENOSPC", 40, "batch log: cannot write .*No space left on device"),
        (LOG, "fsync", "EIO", 40, "batch log: cannot sync .*Input/output error"),
        (DATABASE, "pwrite64,writev", "ENOSPC", 10, "database: cannot write: .*No space left on device"),
        (DATABASE, "fdatasync", "EIO", 10, "database: cannot write: .*Input/output error"),
    ],
)
def test_a_disk_that_refuses_a_write_ends_the_node(
    chain: Path, tmp_path: Path, file: str, calls: str, error: str, when: int, why: str
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(chain, folder)
    traced = [
        "-P",
        str(folder / file),
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:error={error}:when={when}+",
    ]
    strace = ("strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", *traced)
    customer = trade_until_it_ends(LocalNode(folder, launcher=(*strace, *COMMAND_LINE)), why)
    check_next_start(folder, customer)


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[None]:
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_ends_the_node_and_with_room_again_it_goes_on(chain: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m"):
        folder = tmp_path / "disk" / "data"
        shutil.copytree(chain, folder)
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(tmp_path / "disk").free - 200_000))
        customer = trade_until_it_ends(LocalNode(folder), "(No space left on device|with 0 MiB free)")
        ballast.unlink()
        check_next_start(folder, customer)


def test_a_limit_on_the_size_of_files_ends_the_node(chain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(chain, folder)
    size = (folder / DATABASE).stat().st_size + 32_000  # what it grows by in a few blocks
    why = "(File too large|Input/output error)"  # LMDB's word for a write cut short
    customer = trade_until_it_ends(LocalNode(folder), why, fsize=size)
    check_next_start(folder, customer)


def test_a_full_map_ends_the_node_and_a_larger_one_lets_it_go_on(chain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(chain, folder)
    full = LocalNode(folder, arguments=("--map-mib", "1"))
    customer = trade_until_it_ends(full, "database full at 1 MiB: .*--map-mib", calldata=1_000_000)
    check_next_start(folder, customer)
