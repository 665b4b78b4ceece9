"""Speed of the native interpreter and the JIT compared with pyrevm, the binding of revm: `vs_pyrevm.py [fixture ...]`.

Each row is one call of a contract on all three, in turns; the medians are of the thread's CPU time, because other
programs on the machine add noise to wall-clock time. The whole call is timed, with the binding from Python.
Results must agree, or the row says so; gas may be slightly less on revm's side
(shown), where slots set through the binding count as accessed before the call. Fixtures: paradigmxyz/revmc
`data/*.json`, in $COINONE_DATA/evm-bench/revmc; a few loops are written here.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyrevm

from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import (
    FORKS,
    BlockEnv,
    Engine,
    Evm,
    ExecutionResult,
    Message,
    TransactionEnv,
    engine_named,
    execute,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Limits
from coinone.rules.vm.substate import Substate

Call = Callable[[], tuple[float, bytes, int]]  # seconds, output, gas
OnEngine = Callable[[Engine], tuple[float, bytes, int]]
AT_ONCE = Limits(hot=1, at_once=True)

GAS = 10**12
SECONDS = 1.5  # for a row, about
CALLER, CONTRACT = b"\x11" * 20, b"\xcc" * 20
LOOPS = {  # a counter, then what is repeated, around it: PUSH3 n JUMPDEST ... PUSH1 1 SWAP1 SUB DUP1 PUSH1 4 JUMPI
    "loop: arithmetic": "80600302600701811850",
    "loop: memory": "80602052602051" + "50",
    "loop: keccak": "8060005260206000" + "20" + "50",
    "loop: division": "80" + "7f" + "ff" * 32 + "04" + "50",
    "loop: mulmod": "7f" + "f1" * 32 + "81" + "7f" + "e3" * 32 + "09" + "50",
    "loop: storage": "80600f1680546001019055",
}
TURNS = 50_000


@dataclass(frozen=True)
class Fixture:
    name: str
    pre: dict[bytes, tuple[int, int, bytes, dict[int, int]]]  # nonce, balance, code, storage
    caller: bytes
    target: bytes
    data: bytes


def fixtures(wanted: list[str], turns: int = TURNS) -> Iterator[Fixture]:
    for name, body in LOOPS.items():
        code = bytes.fromhex(f"62{turns:06x}5b" + body + "6001900380600457")
        yield Fixture(name, {CONTRACT: (1, 0, code, {})}, CALLER, CONTRACT, b"")
    for path in sorted(Path(os.environ["COINONE_DATA"], "evm-bench", "revmc").glob("*.json")):
        if not wanted or path.stem in wanted:
            yield _read(path)


def _read(path: Path) -> Fixture:
    content = next(iter(json.loads(path.read_text()).values()))
    transaction = content["transaction"]
    if isinstance(transaction, list):
        transaction = transaction[0]
    pre = {}
    for address, account in content["pre"].items():
        storage = {int(slot, 16): int(value, 16) for slot, value in account.get("storage", {}).items()}
        nonce, balance = int(account.get("nonce", "0x0"), 16), int(account.get("balance", "0x0"), 16)
        pre[_unhex(address)] = (nonce, balance, _unhex(account.get("code", "0x")), storage)
    data = transaction["data"][0] if isinstance(transaction["data"], list) else transaction["data"]
    return Fixture(path.stem, pre, _unhex(transaction["sender"]), _unhex(transaction["to"]), _unhex(data))


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def ours(fixture: Fixture) -> OnEngine:
    state = State(MemoryDatabase())
    for address, (nonce, balance, code, storage) in fixture.pre.items():
        state.set_account(address, Account(nonce, balance))
        state.set_code(address, code)
        for slot, value in storage.items():
            state.set_storage(address, slot, value)
    state.freeze()
    block = BlockEnv(1, 1, 1, bytes(20), 2**63 - 1, 0, bytes(32), lambda number: bytes(32))
    rules = FORKS["Cancun"]
    warm = [fixture.caller, fixture.target, bytes(20)]
    transaction = TransactionEnv(fixture.caller, 0)  # as the binding keeps its `env`

    def call(engine: Engine) -> tuple[float, bytes, int]:
        snapshot = state.snapshot()
        state.begin_transaction()
        start = time.thread_time()
        code = state.code(fixture.target)
        message = Message(
            kinds.CALL,
            fixture.caller,
            fixture.target,
            fixture.target,
            code,
            0,
            fixture.data,
            GAS - _intrinsic(fixture),
        )
        substate = Substate(warm, rules.precompiles)
        result = execute(Evm(state, block, transaction, rules, None, substate, engine=engine), message)
        taken = time.thread_time() - start
        state.revert(snapshot)
        return taken, result.output, _gas_used(result)

    return call


def _intrinsic(fixture: Fixture) -> int:
    """Part of what is timed, as the binding does it as well; counted as the node does (`intrinsic_gas`)."""
    zeros = fixture.data.count(0)
    return 21_000 + 4 * zeros + 16 * (len(fixture.data) - zeros)


def _gas_used(result: ExecutionResult) -> int:
    used = GAS - result.gas_left
    return used - min(used // 5, result.refund) if result.success else used


def theirs(fixture: Fixture) -> Call:
    block = pyrevm.BlockEnv(number=1, timestamp=1, gas_limit=2**63 - 1)
    evm = pyrevm.EVM(spec_id="CANCUN", env=pyrevm.Env(block=block), gas_limit=2**63 - 1)
    for address, (nonce, balance, code, storage) in fixture.pre.items():
        info = pyrevm.AccountInfo(nonce=nonce, balance=balance, code=code)
        evm.insert_account_info("0x" + address.hex(), info)
        for slot, value in storage.items():
            evm.insert_account_storage("0x" + address.hex(), slot, value)
    caller, target = "0x" + fixture.caller.hex(), "0x" + fixture.target.hex()

    def call() -> tuple[float, bytes, int]:
        checkpoint = evm.snapshot()
        start = time.thread_time()
        try:
            output = bytes(evm.message_call(caller, target, calldata=fixture.data, gas=GAS))
        except RuntimeError:  # how the binding reports a revert
            output = b""
        taken = time.thread_time() - start
        used = evm.result.gas_used
        evm.revert(checkpoint)
        return taken, output, used

    return call


def row(fixture: Fixture) -> str:
    call = ours(fixture)  # both engines have one chain, so that neither finds the other's block
    calls = [theirs(fixture), on("native", call), on("jit", call)]
    results = [call()[1:] for call in calls]
    taken, output, gas = calls[1]()
    rounds = max(5, min(301, int(SECONDS / (5 * taken))))
    times = zip(*[[call()[0] for call in calls] for _ in range(rounds)], strict=True)
    one, two, three = (statistics.median(column) * 1000 for column in times)
    note = "" if {used for _, used in results} == {gas} else f"  gas {[used for _, used in results]}"
    note += "" if {content for content, _ in results} == {output} else "  OUTPUTS DIFFER"
    ratios = f"{one / two:7.2f} {one / three:7.2f}"
    return f"{fixture.name:24} {gas:>13,} {one:9.3f} {two:9.3f} {three:9.3f} {ratios}{note}"


def on(name: str, call: OnEngine) -> Call:
    """On an engine of its own, whose machines remember programs as long as nobody else has them."""
    return partial(call, Jit(AT_ONCE) if name == "jit" else engine_named(name))


def main() -> None:
    times = f"{'pyrevm ms':>9} {'native ms':>9} {'jit ms':>9}"
    print(f"{'':24} {'gas':>13} {times} {'ratio':>7} {'ratio':>7}")
    for fixture in fixtures(sys.argv[1:]):
        print(row(fixture), flush=True)


if __name__ == "__main__":
    main()
