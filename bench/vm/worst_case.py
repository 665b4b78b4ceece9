"""The slowest gas, by which the gas limits of batches are chosen: `coinone bench vm/worst_case`.

Each row is a transaction (or the last block of a published case) on the native interpreter: gas used, the thread's own
time, millions of gas a second. Cases: the worst blocks for each instruction and precompiled contract of
ethereum/execution-spec-tests (in $COINONE_DATA/evm-bench/eest_benchmark.tar.xz, the 30 M variant), and the loops of
`_loops.py`, which also reach for what those leave out: storage and accounts met for the first time, creations, calls
that return to Python, every precompiled contract with small and large input. Signatures are recovered before,
as a node does when a transaction arrives. The last lines say what a fifth of a slot holds at the slowest rate.
"""

import json
import os
import statistics
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.vm import _loops
from coinone.base.forms.ethereum import decode_any_transaction
from coinone.rules.chain.ethereum.call import run_call
from coinone.rules.chain.ethereum.execution import apply_transaction
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.chain.imported.header import decode_ethereum_block
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, engine_named

GAS = 16_777_216  # the cap of a transaction
SENDER = b"\x11" * 20
SHOWN = 10
SLOTS = {"small": 1.0, "wide": 10.0}  # seconds from one such batch to the next (every 4th and 40th of 250 ms)
SHARE = 5
NATIVE = engine_named("native")


class Row(NamedTuple):
    name: str
    gas: int
    seconds: float

    @property
    def rate(self) -> float:
        """Millions of gas a second."""
        return self.gas / self.seconds / 1e6


def main(wanted: list[str]) -> None:
    rows = [row for row in (*loops(wanted), *published(wanted)) if row.gas > 21_000]
    rows.sort(key=lambda row: row.rate)
    print(f"{'':72} {'gas':>12} {'ms':>9} {'Mgas/s':>9}")
    for row in rows if wanted else rows[:SHOWN]:
        print(f"{row.name:72} {row.gas:>12,} {row.seconds * 1000:>9.2f} {row.rate:>9.1f}")
    print(f"\n{len(rows)} cases; median {statistics.median(row.rate for row in rows):.0f} Mgas/s")
    for name, seconds in SLOTS.items():
        print(f"{name} batch, 1/{SHARE} of {seconds:.0f} s: {rows[0].rate * 1e6 * seconds / SHARE:,.0f} gas")


def loops(wanted: list[str]) -> Iterator[Row]:
    cases = {name: (_loops.loop(body), b"") for name, body in _loops.BODIES.items()}
    for name, (address, data) in _loops.INPUTS.items():
        cases[name] = _loops.calls(address, len(data)), data
    for name, (code, data) in cases.items():
        if not wanted or any(part in name for part in wanted):
            yield _median(name, code, data)


def _median(name: str, code: bytes, data: bytes) -> Row:
    runs = [_run(name, code, data) for _ in range(3)]
    return sorted(runs, key=lambda row: row.seconds)[1]


def _run(name: str, code: bytes, data: bytes) -> Row:
    state = State(MemoryDatabase())
    state.set_account(SENDER, Account(0, 10**30))
    for address, content in {**_loops.CONTRACTS, _loops.CONTRACT: code}.items():
        state.set_account(address, Account(1, 10**18))
        state.set_code(address, content)
    state.freeze()
    block = BlockEnv(1, 300, 1, bytes(20), 2**63 - 1, 0, bytes(32), lambda number: bytes(32))
    request = CallRequest(SENDER, _loops.CONTRACT, data, gas=GAS)
    start = time.thread_time()
    result = run_call(state, block, request, FORKS["Osaka"], engine=NATIVE)
    return Row(name, result.gas_used, time.thread_time() - start)


def published(wanted: list[str]) -> Iterator[Row]:
    with tarfile.open(Path(os.environ["COINONE_DATA"], "evm-bench", "eest_benchmark.tar.xz")) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            for name, case in (json.load(file) if file is not None else {}).items():
                title = name.rpartition("/")[2].replace("fork_Osaka-blockchain_test-", "")
                if "30M" in name and (not wanted or any(part in title for part in wanted)):
                    yield _last_block(title, case)


def _last_block(name: str, case: dict[str, Any]) -> Row:
    state = State(MemoryDatabase())
    for address, account in case["pre"].items():
        where = _unhex(address)
        state.set_account(where, Account(int(account["nonce"], 16), int(account["balance"], 16)))
        state.set_code(where, _unhex(account["code"]))
        for slot, value in account["storage"].items():
            state.set_storage(where, int(slot, 16), int(value, 16))
    state.freeze()
    row = Row(name, 0, 1e-9)
    for raw in case["blocks"]:
        row = _block(name, state, _unhex(raw["rlp"]))
    return row


def _block(name: str, state: State, raw: bytes) -> Row:
    block = decode_ethereum_block(raw)
    header = block.header
    env = BlockEnv(
        1,
        header.number,
        header.timestamp,
        header.coinbase,
        header.gas_limit,
        header.base_fee,
        header.prev_randao,
        lambda number: bytes(32),
    )
    transactions = [decode_any_transaction(content) for content in block.transactions]
    _ = [transaction.sender for transaction in transactions]  # recovered, and kept
    used, start = 0, time.thread_time()
    for transaction in transactions:
        used += apply_transaction(state, env, transaction, FORKS["Osaka"], engine=NATIVE).gas_used
    return Row(name, used, time.thread_time() - start)


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


if __name__ == "__main__":
    main(sys.argv[1:])
