"""A node that runs hot contracts compiled, driven through JSON-RPC, beside a node that interprets them.

WORKER(n) turns n, n-1 ... 1 through sixteen storage slots and a hash; CALLER(n, fail) has it called, delegated to and
called statically, which must fail, and reverts if `fail` is set.
"""

import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint, TxReceipt

from coinone.interfaces.api.metrics import PAGE_KEPT_S
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.contracts.contracts import Chain
from tests.functional.nodes.test_following import free_endpoint
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 3
WORKER = bytes.fromhex(
    "5f35"  # n = call data
    "5b"  # again:
    "80600f16"  # slot = n & 15
    "805482019055"  # storage[slot] += n
    "5f5181185f52"  # memory[0] ^= n
    "60205f205f52"  # memory[0] = keccak(memory[0])
    "60019003"  # n -= 1
    "80600257"  # if n: again
    "60205fa0"  # log it
    "60205ff3"  # and return it
)
HOT = 2_500  # turns of about 330 gas in a frame: 64 calls, or 6.4 million gas, make a contract hot (`jit/policy.py`)
WAIT_S = 90.0  # the compiler has a quarter of a core that others may want, too


def caller(worker: bytes) -> bytes:
    answer = "60206040" + "60205f"  # 32 bytes out at 64, 32 bytes in from 0
    body = bytes.fromhex(
        "60205f5f37"  # memory[0] = n
        + (answer + "5f73" + worker.hex() + "5af1" + "606455")  # storage[100] = call
        + (answer + "73" + worker.hex() + "5af4" + "606555")  # storage[101] = delegatecall
        + (answer + "73" + worker.hex() + "61c350fa" + "606655")  # storage[102] = staticcall with 50,000 gas
    )
    # if fail: revert; else stop
    return body + bytes.fromhex(f"60203560{len(body) + 7:02x}57" + "00" + "5b5f5ffd")


def creation(code: bytes) -> bytes:
    """Copies what follows its own ten bytes, and returns it."""
    return bytes.fromhex(f"61{len(code):04x}80600a5f395ff3") + code


def words(*numbers: int) -> str:
    return "0x" + b"".join([number.to_bytes(32, "big") for number in numbers]).hex()


def result_of(turns: int) -> tuple[list[int], bytes]:
    """What WORKER leaves in its slots and returns, in plain Python."""
    slots, memory = [0] * 16, bytes(32)
    for n in range(turns, 0, -1):
        slots[n & 15] += n
        memory = Web3.keccak((int.from_bytes(memory, "big") ^ n).to_bytes(32, "big"))
    return slots, memory


def sums(*columns: list[int]) -> list[int]:
    return [sum(row) for row in zip(*columns, strict=True)]


class Contracts:
    """Both, deployed, and called until the node runs them compiled."""

    def __init__(self, node: LocalNode) -> None:
        self.node = node
        self.chain = Chain(node.rpc_url, Account.from_key(dev_keys()[ACCOUNT]))
        self.worker = self._deploy(WORKER)
        self.caller = self._deploy(caller(bytes.fromhex(self.worker[2:])))
        for address, programs in ((self.worker, 1), (self.caller, 2)):
            wait_for(lambda a=address, n=programs: self._run(a) == {"compiled": n}, "compiled code", WAIT_S)

    def _deploy(self, code: bytes) -> str:
        receipt = self._send({"data": creation(code), "to": b"", "gas": 500_000})
        assert receipt["status"] == 1
        return str(receipt["contractAddress"])

    def _run(self, address: str) -> dict[str, int]:
        """Call it once; how many programs were asked for, and what they were. None by most calls."""
        before = contract_runs(self.node)
        assert self.send(address, 2_900_000, HOT, 0)["status"] == 1
        after = contract_runs(self.node)
        return {kind: runs - before.get(kind, 0) for kind, runs in after.items() if runs != before.get(kind)}

    def send(self, address: str, gas: int, *numbers: int) -> TxReceipt:
        return self._send({"to": address, "data": words(*numbers), "gas": gas})

    def _send(self, draft: dict[str, Any]) -> TxReceipt:
        web3 = self.chain.web3
        name = self.chain.post({**draft, "value": 0})
        web3.provider.make_request(RPCEndpoint("evm_mine"), [])
        return web3.eth.wait_for_transaction_receipt(name, timeout=30)

    def work(self) -> list[TxReceipt]:
        """Transactions that end in all the ways there are: done, done in three frames, reverted, out of gas."""
        worker, caller = self.slots(self.worker), self.slots(self.caller)
        receipts = [
            self.send(self.worker, 2_000_000, 3_000),
            self.send(self.caller, 2_900_000, 1_500, 0),
            self.send(self.caller, 2_900_000, 500, 1),
            self.send(self.worker, 100_000, 3_000),
            self.send(self.worker, 2_000_000, 17),
        ]
        assert [receipt["status"] for receipt in receipts] == [1, 1, 0, 0, 1]
        logged = [[bytes(log["data"]) for log in receipt["logs"]] for receipt in receipts]
        assert logged == [[result_of(n)[1] for n in runs] for runs in ([3_000], [1_500] * 2, [], [], [17])]
        assert self.slots(self.worker) == sums(worker, *[result_of(n)[0] for n in (3_000, 1_500, 17)])
        assert self.slots(self.caller) == sums(caller, result_of(1_500)[0])
        assert self.slots(self.caller, 100, 3) == [1, 1, 0]
        return receipts

    def slots(self, address: str, first: int = 0, count: int = 16) -> list[int]:
        eth = self.chain.web3.eth
        return [int.from_bytes(eth.get_storage_at(address, first + n), "big") for n in range(count)]


def contract_runs(node: LocalNode) -> dict[str, int]:
    """How many programs messages have asked for, by kind; empty for a node that compiles nothing."""
    time.sleep(PAGE_KEPT_S)  # until the figures are made anew
    with urllib.request.urlopen(f"{node.url}/metrics", timeout=30) as answer:
        rows = [line.split() for line in answer.read().decode().splitlines()]
    return {
        name.split('"')[1]: int(float(count))
        for name, count in [row for row in rows if len(row) == 2]
        if name.startswith("coinone_contract_runs_total")
    }


def test_compiled_contracts_do_what_python_says_and_give_the_roots_of_a_node_that_interprets(
    tmp_path: Path,
) -> None:
    trading = free_endpoint()
    leader = LocalNode(tmp_path / "jit", arguments=("--vm", "jit", "--listen", trading))
    follower = LocalNode(tmp_path / "native", follow=trading, arguments=("--vm", "native"))
    with leader:
        contracts = Contracts(leader)
        before = contract_runs(leader)
        receipts = [receipt for _ in range(4) for receipt in contracts.work()]
        after = contract_runs(leader)
        assert after["compiled"] > before["compiled"], "of every 16 messages one asks for its programs"
        assert after["interpreted"] == before["interpreted"]
        with follower:
            _check_equal(contracts.chain.web3, Web3(Web3.HTTPProvider(follower.rpc_url)), receipts)
            assert contract_runs(follower) == {}


def _check_equal(one: Web3, other: Web3, receipts: list[TxReceipt]) -> None:
    newest = max(receipt["blockNumber"] for receipt in receipts)
    wait_for(lambda: other.eth.block_number >= newest, "the follower's blocks", WAIT_S)
    for number in range(newest + 1):
        here, there = (_essence(web3.eth.get_block(number)) for web3 in (one, other))
        assert here == there
    for receipt in receipts:
        assert other.eth.get_transaction_receipt(receipt["transactionHash"]) == receipt


def _essence(block: Any) -> tuple[Any, ...]:
    return block["hash"], block["stateRoot"], block["receiptsRoot"], block["gasUsed"]


@pytest.mark.parametrize("choice", [("--vm", "native+jit"), ("--vm", "jit", "--vm-verify")])
def test_a_node_that_holds_compiled_contracts_against_an_interpreter_finds_no_difference(
    choice: tuple[str, ...],
) -> None:
    with LocalNode(arguments=choice) as node:
        Contracts(node).work()
        with urllib.request.urlopen(f"{node.url}/health", timeout=30) as answer:
            assert answer.status == 200, "it would have stopped"
