"""Speed of our EVM engines compared with pyrevm, EELS, py-evm and anvil: `coinone bench vm/vs_python [fixture ...]`.

The columns are pyrevm (revm through its binding), our three engines, EELS (ethereum-execution, the executable
specification), py-evm and anvil, each running the same message in turns: Cancun's rules, Osaka's on EELS and anvil.
Times are CPU times of the thread, medians of three rounds, as one takes seconds. Gas and output must be equal, or the
row says so. anvil's time is the CPU time of its process for an `eth_call`, less that for a call without code; its gas
is not known from that, so only the output is compared. Loops are those of vs_pyrevm.py, shorter; fixtures as there, by
default some that Python finishes.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.state import CancunState
from eth.vm.message import Message as PyEvmMessage
from ethereum.forks.osaka.fork_types import Account as SpecAccount
from ethereum.forks.osaka.state import State as SpecState
from ethereum.forks.osaka.state import TransientStorage, set_account, set_storage
from ethereum.forks.osaka.vm import BlockEnvironment, TransactionEnvironment
from ethereum.forks.osaka.vm import Message as SpecMessage
from ethereum.forks.osaka.vm.interpreter import process_message_call
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import U64, U256, Uint

from bench._anvil import Server, installed_anvil, running_anvil
from bench.vm.vs_pyrevm import GAS, Fixture, _intrinsic, fixtures, on, ours, theirs

DEFAULT = ["counter", "weth", "hash_10k", "erc20_transfer"]
TURNS = 2_000
ROUNDS = 3
ENGINES = ("native", "jit", "reference")
GAS_OF_ANVIL = 2**53  # most that it takes
CALLS_AT_A_TIME, CPU_AT_LEAST_S = 20, 1.0
EMPTY = b"\xee" * 20  # no code there
Run = Callable[[], tuple[float, bytes, int | None]]  # seconds, output, gas if known


def specs(fixture: Fixture) -> Run:
    """EELS: the state is made anew for each call, outside of what is timed."""
    targets = {Bytes20(fixture.caller), Bytes20(fixture.target), Bytes20(bytes(20))}
    precompiled = {Bytes20(n.to_bytes(20, "big")) for n in range(1, 11)}
    gas = GAS - _intrinsic(fixture)

    def call() -> tuple[float, bytes, int]:
        state = SpecState()
        for address, (nonce, balance, code, storage) in fixture.pre.items():
            set_account(state, Bytes20(address), SpecAccount(Uint(nonce), U256(balance), Bytes(code)))
            for slot, value in storage.items():
                set_storage(state, Bytes20(address), Bytes32(slot.to_bytes(32, "big")), U256(value))
        start = time.thread_time()
        block = BlockEnvironment(
            chain_id=U64(1), state=state, block_gas_limit=Uint(2**63 - 1), block_hashes=[], coinbase=Bytes20(bytes(20)),
            number=Uint(1), base_fee_per_gas=Uint(0), time=U256(1), prev_randao=Bytes32(bytes(32)),
            excess_blob_gas=U64(0), parent_beacon_block_root=Bytes32(bytes(32)),
        )  # fmt: skip
        transaction = TransactionEnvironment(
            origin=Bytes20(fixture.caller), gas_price=Uint(0), gas=Uint(gas), access_list_addresses=set(),
            access_list_storage_keys=set(), transient_storage=TransientStorage(), blob_versioned_hashes=(),
            authorizations=(), index_in_block=None, tx_hash=None,
        )  # fmt: skip
        message = SpecMessage(
            block_env=block, tx_env=transaction, caller=Bytes20(fixture.caller), target=Bytes20(fixture.target),
            current_target=Bytes20(fixture.target), gas=Uint(gas), value=U256(0), data=Bytes(fixture.data),
            code_address=Bytes20(fixture.target), code=Bytes(fixture.pre[fixture.target][2]), depth=Uint(0),
            should_transfer_value=True, is_static=False, accessed_addresses=targets | precompiled,
            accessed_storage_keys=set(), disable_precompiles=False, parent_evm=None,
        )  # fmt: skip
        result = process_message_call(message)
        taken = time.thread_time() - start
        return taken, bytes(result.return_data), _used(int(result.gas_left), int(result.refund_counter))

    return call


def py_evm(fixture: Fixture) -> Run:
    context = ExecutionContext(
        coinbase=bytes(20), timestamp=1, block_number=1, difficulty=0, mix_hash=bytes(32), gas_limit=2**63 - 1,
        prev_hashes=(), chain_id=1, base_fee_per_gas=0, excess_blob_gas=0,
    )  # fmt: skip
    state = CancunState(AtomicDB(), context, BLANK_ROOT_HASH)
    for address, (nonce, balance, code, storage) in fixture.pre.items():
        state.set_balance(address, balance)
        state.set_nonce(address, nonce)
        state.set_code(address, code)
        for slot, value in storage.items():
            state.set_storage(address, slot, value)
    state.persist()

    def call() -> tuple[float, bytes, int]:
        state.lock_changes()  # what the slots hold now is what they held before the transaction
        checkpoint = state.snapshot()
        for address in (fixture.caller, fixture.target, bytes(20)):
            state.mark_address_warm(address)
        start = time.thread_time()
        message = PyEvmMessage(
            gas=GAS - _intrinsic(fixture), to=fixture.target, sender=fixture.caller, value=0, data=fixture.data,
            code=state.get_code(fixture.target),
        )  # fmt: skip
        transaction = state.get_transaction_context_class()(gas_price=0, origin=fixture.caller)
        result = state.computation_class.apply_message(state, message, transaction)
        taken = time.thread_time() - start
        state.revert(checkpoint)
        return taken, bytes(result.output), _used(result.get_gas_remaining(), result.get_gas_refund())

    return call


def _used(gas_left: int, refund: int) -> int:
    used = GAS - gas_left
    return used - min(used // 5, refund)


def anvil(server: Server, fixture: Fixture) -> Run:
    """A call takes less than the clock of a process can show, so there are as many as it takes."""
    for address, (nonce, balance, code, storage) in fixture.pre.items():
        name = "0x" + address.hex()
        calls = [("anvil_setStorageAt", [name, _word(slot), _word(value)]) for slot, value in storage.items()]
        calls += [("anvil_setNonce", [name, hex(nonce)]), ("anvil_setBalance", [name, hex(balance)])]
        server.call([*calls, ("anvil_setCode", [name, "0x" + code.hex()])])

    def seconds(target: bytes) -> tuple[float, bytes]:
        message = {
            "from": "0x" + fixture.caller.hex(),
            "to": "0x" + target.hex(),
            "data": "0x" + fixture.data.hex(),
        }
        calls = [("eth_call", [message | {"gas": hex(GAS_OF_ANVIL)}, "latest"])] * CALLS_AT_A_TIME
        before, count = _cpu_seconds(server), 0
        while _cpu_seconds(server) - before < CPU_AT_LEAST_S:
            output = server.call(calls)[0]
            count += CALLS_AT_A_TIME
        return (_cpu_seconds(server) - before) / count, bytes.fromhex(output[2:])

    def call() -> tuple[float, bytes, None]:
        taken, output = seconds(fixture.target)
        return taken - seconds(EMPTY)[0], output, None

    return call


def _word(number: int) -> str:
    return f"0x{number:064x}"


def _cpu_seconds(server: Server) -> float:
    """Of all threads, to the nanosecond."""
    threads = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum([int(thread.read_text().split()[0]) for thread in threads]) / 1e9


def row(fixture: Fixture, server: Server | None) -> str:
    runs = {"pyrevm": theirs(fixture)}
    runs |= {engine: on(engine, ours(fixture)) for engine in ENGINES}
    runs |= {"EELS": specs(fixture), "py-evm": py_evm(fixture)}
    if server is not None:
        runs["anvil"] = anvil(server, fixture)
    results = [[run() for run in runs.values()] for _ in range(ROUNDS)]
    times = [
        statistics.median(column) * 1000
        for column in zip(*[[one[0] for one in row] for row in results], strict=True)
    ]
    _, output, gas = results[0][1]
    notes = [
        f" {name}: gas {used}" + (" and another output" if given != output else "")
        for name, (_, given, used) in zip(runs, results[0], strict=True)
        if given != output or used not in (gas, None)
    ]
    return f"{fixture.name:20} {gas:>12,}" + "".join([f"{one:>11.2f}" for one in times]) + "".join(notes)


def main() -> None:
    names = ["gas", "pyrevm", *ENGINES, "EELS", "py-evm", "anvil"]
    print(f"{'milliseconds':20}" + "".join([f"{name:>{13 if name == 'gas' else 11}}" for name in names]))
    with ExitStack() as stack:
        server, program = None, installed_anvil()
        if program is not None:
            server = stack.enter_context(running_anvil(Server, program, gas_limit=GAS_OF_ANVIL, chain_id=1))
        for fixture in fixtures(sys.argv[1:] or DEFAULT, TURNS):
            print(row(fixture, server), flush=True)


if __name__ == "__main__":
    main()
