"""State tests of ethereum/execution-spec-tests: a transaction on a state, and the root that must follow.

Each case is checked for the root of the whole state, the hash of the logs, and whether the transaction was
valid at all. They need COINONE_DATA (evm-tests/state_eip.tar.xz, state_static.tar.xz; selected from release
v5.4.0 of github.com/ethereum/execution-spec-tests).
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import decode_any_transaction
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.chain.ethereum.blobs import check_blobs
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.imported.blocks import BLOBS
from coinone.rules.ledger.receipts import logs_hash
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.layers import merge
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Log

NEEDS = "set COINONE_DATA to a folder with evm-tests/*.tar.xz (github.com/ethereum/execution-spec-tests)"
ARCHIVES = ("state_eip", "state_static")


@dataclass(frozen=True)
class Case:
    name: str
    fork: str
    test: dict[str, Any]
    post: dict[str, Any]

    @property
    def transaction(self) -> bytes:
        return unhex(self.post["txbytes"])


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:].rjust(len(text[2:]) + len(text) % 2, "0"))


def cases(archive: str) -> Iterator[Case]:
    for name, content in files_of(archive):
        yield from cases_in(name, content)


def files_of(archive: str) -> Iterator[tuple[str, bytes]]:
    """Each file of the archive: its name and what it holds."""
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    path = Path(os.environ["COINONE_DATA"], "evm-tests", f"{archive}.tar.xz")
    with tarfile.open(path) as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                yield member.name, stream.read()


def cases_in(file: str, content: bytes) -> Iterator[Case]:
    for test_name, test in json.loads(content).items():
        yield from cases_of(f"{file}::{test_name.split('::')[-1]}", test)


def cases_of(name: str, test: dict[str, Any]) -> Iterator[Case]:
    for fork, posts in test["post"].items():
        for index, post in enumerate(posts):
            yield Case(f"{name}[{fork}-{index}]", fork, test, post)


def sample(archive: str, one_in: int) -> Iterator[Case]:
    """The same cases every time, spread over all groups: chosen by the hash of their names."""
    for case in cases(archive):
        if hashlib.sha256(case.name.encode()).digest()[0] % one_in == 0:
            yield case


def failure_of(case: Case, engine: Engine) -> str | None:
    """What is wrong with our outcome of the case, if anything is."""
    state = state_of(case.test["pre"])
    expected_error = case.post.get("expectException")
    logs: tuple[Log, ...] = ()
    try:
        tx = decode_any_transaction(case.transaction)
        check_blobs(tx, BLOBS[case.fork])
        result = apply_transaction(
            state, env_of(case), tx, FORKS[case.fork], fee_policy=FeePolicy.BURN, engine=engine
        )
        logs, error = result.logs, None
    except InvalidInput as refused:
        error = refused
    if (error is None) != (expected_error is None):
        return f"expected {expected_error}, got {error}"
    if logs_hash(logs) != unhex(case.post["logs"]):
        return "logs differ"
    state.freeze()
    if root_of(state) != unhex(case.post["hash"]):
        return "state differs: " + difference(state, case.post.get("state", {}))
    return None


def state_of(pre: dict[str, Any]) -> State:
    state = State(MemoryDatabase())
    for address, account in pre.items():
        where = unhex(address)
        state.set_account(where, Account(int(account["nonce"], 16), int(account["balance"], 16)))
        if account["code"] != "0x":
            state.set_code(where, unhex(account["code"]))
        for slot, value in account["storage"].items():
            state.set_storage(where, int(slot, 16), int(value, 16))
    state.freeze()
    return state


def root_of(state: State) -> bytes:
    return seal(MemoryDatabase(), merge(state.layers)).root


def env_of(case: Case) -> BlockEnv:
    env = case.test["env"]
    return BlockEnv(
        chain_id=int(case.test.get("config", {}).get("chainid", "0x1"), 16),
        number=int(env["currentNumber"], 16),
        timestamp=int(env["currentTimestamp"], 16),
        coinbase=unhex(env["currentCoinbase"]),
        gas_limit=int(env["currentGasLimit"], 16),
        base_fee=int(env["currentBaseFee"], 16),
        prevrandao=unhex(env["currentRandom"]).rjust(32, b"\0"),
        block_hash=lambda number: keccak256(str(number).encode()),
        blob_base_fee=blob_base_fee(case),
    )


def blob_base_fee(case: Case) -> int:
    """EIP-4844: e^(excess / fraction) by its Taylor series, in integers."""
    fraction = 3_338_477 if case.fork == "Cancun" else 5_007_716
    excess = int(case.test["env"].get("currentExcessBlobGas", "0x0"), 16)
    term, total, i = fraction, 0, 1
    while term > 0:
        total += term
        term = term * excess // (fraction * i)
        i += 1
    return total // fraction


def difference(state: State, want: dict[str, Any]) -> str:
    """The first few places where our state is not the expected one."""
    lines = []
    for address, account in want.items():
        where = unhex(address)
        fields = {
            "nonce": (state.nonce(where), int(account["nonce"], 16)),
            "balance": (state.balance(where), int(account["balance"], 16)),
            "code": (state.code(where).hex(), account["code"][2:]),
        }
        for slot, value in account["storage"].items():
            fields[f"slot {slot}"] = (state.storage(where, int(slot, 16)), int(value, 16))
        lines += [
            f"{address} {n}: {have} want {wanted}" for n, (have, wanted) in fields.items() if have != wanted
        ]
    return "; ".join(lines[:4]) or "something that should not exist does"


def failures_in(chosen: Iterable[Case], engine: Engine) -> tuple[int, list[str]]:
    """How many cases were run, and what was wrong with which."""
    run = [(case.name, failure_of(case, engine)) for case in chosen]
    return len(run), [f"{name}: {failure}" for name, failure in run if failure is not None]


def run(chosen: Iterable[Case], least: int, engine: Engine = REFERENCE) -> None:
    done, failures = failures_in(chosen, engine)
    assert failures == []
    assert done >= least, "the archive holds fewer cases than it should"


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_fifth_of_the_state_tests_end_with_the_expected_roots(archive: str) -> None:
    run(sample(archive, 5), 800)


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_state_test_ends_with_the_expected_root(archive: str) -> None:
    run(cases(archive), 4_400)
