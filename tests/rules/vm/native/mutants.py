"""Published contracts with bytes changed at random, for comparing the engines.

The worlds are those of the state tests and of public benchmarks ($COINONE_DATA), so codes call one another as their
authors meant them to; then bytes of one or two of them are changed.
"""

import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, Evm, Message, TransactionEnv
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.opcodes import OSAKA
from coinone.rules.vm.substate import Substate
from tests.rules.vm.native.programs import (
    COINBASE,
    NUMBER,
    Transactions,
    in_a_row,
    random_call,
    random_piece,
)

CODE_MOST, CODE_SHORT, SLOTS_MOST = 24_576, 400, 64
LONG_ONE_IN = 16  # worlds, as an engine that compiles has done with short ones a dozen times as fast
_OPCODES = [row.code for row in OSAKA]


@dataclass(frozen=True)
class Fixture:
    accounts: tuple[
        tuple[bytes, int, int, bytes, dict[int, int]], ...
    ]  # address, nonce, balance, code, storage
    sender: bytes
    to: bytes
    data: tuple[bytes, ...]
    values: tuple[int, ...]


@lru_cache(maxsize=1)
def corpus() -> tuple[Fixture, ...]:
    """All worlds that are small enough, in the order of their files. Raises KeyError without COINONE_DATA."""
    data = Path(os.environ["COINONE_DATA"])
    found = [_fixture(test) for test in _tests(data)]
    return tuple([fixture for fixture in found if fixture is not None])


@lru_cache(maxsize=1)
def short_corpus() -> tuple[Fixture, ...]:
    """Those with short contracts only."""
    return tuple([
        fixture for fixture in corpus() if all(len(code) <= CODE_SHORT for _, _, _, code, _ in fixture.accounts)
    ])  # fmt: skip


def _tests(data: Path) -> Iterator[dict[str, Any]]:
    with tarfile.open(data / "evm-tests" / "state_static.tar.xz") as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                yield from json.load(stream).values()
    for path in sorted((data / "evm-bench" / "revmc").glob("*.json")):
        yield next(iter(json.loads(path.read_text()).values()))


def _fixture(test: dict[str, Any]) -> Fixture | None:
    transaction = test["transaction"]
    if isinstance(transaction, list):
        transaction = transaction[0]
    accounts = []
    for address, row in test["pre"].items():
        storage = {int(slot, 16): int(value, 16) for slot, value in row.get("storage", {}).items()}
        code = _unhex(row.get("code", "0x"))
        if len(code) > CODE_MOST:
            return None
        nonce, balance = int(row.get("nonce", "0x0"), 16), int(row.get("balance", "0x0"), 16)
        accounts.append((_unhex(address), nonce, balance, code, dict(list(storage.items())[:SLOTS_MOST])))
    if not transaction.get("to") or not any(account[3] for account in accounts):
        return None
    return Fixture(
        tuple(accounts),
        _unhex(transaction["sender"]),
        _unhex(transaction["to"]),
        tuple(map(_unhex, _listed(transaction["data"]))),
        tuple(int(value, 16) for value in _listed(transaction.get("value", "0x0"))),
    )


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def mutated(random: Random, code: bytes, others: list[bytes]) -> bytes:
    """One to three changes: a byte, a bit, an instruction, a piece put in, taken out, or grafted from another code."""
    changed = bytearray(code)
    for _ in range(random.randrange(1, 4)):
        at, kind = random.randrange(len(changed) + 1), random.randrange(7)
        if kind == 0 and changed:
            changed[at % len(changed)] = random.choice(_OPCODES)
        elif kind == 1 and changed:
            changed[at % len(changed)] ^= 1 << random.randrange(8)
        elif kind == 2:
            changed[at:at] = random_piece(random)
        elif kind == 3:
            del changed[at : at + random.randrange(1, 5)]
        elif kind == 4:
            other = random.choice(others)
            start = random.randrange(len(other) + 1)
            changed[at : at + random.choice((0, 8))] = other[start : start + random.randrange(1, 40)]
        elif kind == 5:
            changed[at:at] = random_call(random)
        elif changed:
            changed[at % len(changed)] = random.randrange(256)
    return bytes(changed)


def mutant(seed: int) -> Transactions:
    """The bent world that this number stands for."""
    random = Random(seed)
    fixture = random.choice(short_corpus() if random.randrange(LONG_ONE_IN) else corpus())
    codes = {address: code for address, _, _, code, _ in fixture.accounts if code}
    for address in random.sample(sorted(codes), min(len(codes), random.randrange(1, 3))):
        codes[address] = mutated(random, codes[address], sorted(codes.values()))
    data = random.choice(fixture.data or (b"",))
    if data and random.randrange(4) == 0:
        data = bytes(
            [byte ^ (1 << random.randrange(8)) if random.randrange(30) == 0 else byte for byte in data]
        )
    fork, gas = random.choice(("Cancun", "Prague", "Osaka")), random.choice((40_000, 100_000, 300_000))
    value = min(random.choice(fixture.values or (0,)), 10**18)
    first = _world(fixture, codes, fork, gas, data, value)
    return in_a_row(random, *first, sorted(codes))


def _world(
    fixture: Fixture, codes: dict[bytes, bytes], fork: str, gas: int, data: bytes, value: int
) -> tuple[Evm, Message]:
    state = State(MemoryDatabase())
    for address, nonce, balance, _, storage in fixture.accounts:
        state.set_account(address, Account(nonce, balance % 2**128))
        state.set_code(address, codes.get(address, b""))
        for slot, word in storage.items():
            state.set_storage(address, slot, word)
    state.set_balance(fixture.sender, 10**20)
    state.freeze()
    state.begin_transaction()
    block = BlockEnv(
        1, NUMBER, 77, COINBASE, 30_000_000, 7, b"\5" * 32, lambda n: keccak256(n.to_bytes(8, "big"))
    )
    rules = FORKS[fork]
    warm = [fixture.sender, fixture.to, COINBASE, *rules.precompiles]
    evm = Evm(state, block, TransactionEnv(fixture.sender, 9), rules, None, Substate(warm))
    code = state.code(fixture.to)
    return evm, Message(kinds.CALL, fixture.sender, fixture.to, fixture.to, code, value, data, gas)
