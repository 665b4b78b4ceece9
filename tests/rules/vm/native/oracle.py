"""Run a world of programs.py or mutants.py on EELS, Ethereum's executable specification.

The engines are compared with one another on millions of worlds, and with EELS, which may show what all of them
misread, on hundreds; a difference is judged here: `python -m tests.rules.vm.native.oracle SEED [mutant]`.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ethereum_types.bytes import Bytes, Bytes0, Bytes20, Bytes32
from ethereum_types.numeric import U64, U256, Uint

from coinone.base.crypto.keccak import EMPTY_HASH, keccak256
from coinone.rules.vm import Evm, ExecutionResult, Message, interpreter
from tests.rules.vm.native import mutants, programs

Facts = dict[Any, Any]
_HISTORY = 256


def specification(evm: Evm, message: Message) -> Facts:
    """What EELS makes of the message, on a copy of the state, under the same fork."""
    fork = f"ethereum.forks.{evm.rules.name.lower()}"
    vm, interpret = (importlib.import_module(f"{fork}.vm{part}") for part in ("", ".interpreter"))
    state = _copied(
        importlib.import_module(f"{fork}.state"), importlib.import_module(f"{fork}.fork_types"), evm
    )
    block, transaction = evm.block, evm.transaction
    hashes = [Bytes32(block.block_hash(n)) for n in range(max(0, block.number - _HISTORY), block.number)]
    warm = {Bytes20(key) for key in (*evm.substate.warm, *evm.rules.precompiles) if len(key) == 20}
    slots = {(Bytes20(key[:20]), Bytes32(key[20:])) for key in evm.substate.warm if len(key) == 52}
    tools = importlib.import_module(f"{fork}.state")
    given = {
        "chain_id": U64(block.chain_id), "state": state, "block_gas_limit": Uint(block.gas_limit),
        "block_hashes": hashes, "coinbase": Bytes20(block.coinbase),
        "number": Uint(block.number), "base_fee_per_gas": Uint(block.base_fee),
        "time": U256(block.timestamp), "prev_randao": Bytes32(block.prevrandao), "excess_blob_gas": U64(0),
        "parent_beacon_block_root": Bytes32(bytes(32)), "origin": Bytes20(transaction.origin),
        "gas_price": Uint(transaction.gas_price), "access_list_addresses": set(), "access_list_storage_keys": set(),
        "transient_storage": tools.TransientStorage(), "authorizations": (), "index_in_block": None, "tx_hash": None,
        "blob_versioned_hashes": tuple(map(Bytes32, transaction.blob_hashes)),
        "caller": Bytes20(message.caller), "current_target": Bytes20(message.target),
        "target": Bytes0() if message.creates else Bytes20(message.target),
        "gas": Uint(message.gas), "value": U256(message.value), "data": Bytes(message.data),
        "code_address": None if message.creates else Bytes20(message.code_address),
        "code": Bytes(message.code), "depth": Uint(0),
        "should_transfer_value": True, "is_static": False, "accessed_addresses": warm, "accessed_storage_keys": slots,
        "disable_precompiles": False, "parent_evm": None,
    }  # fmt: skip
    given["block_env"] = _made(vm.BlockEnvironment, given)
    given["tx_env"] = _made(vm.TransactionEnvironment, given)
    result = interpret.process_message_call(_made(vm.Message, given))
    facts: Facts = {
        "success": result.error is None, "gas": int(result.gas_left),
        "refund": int(result.refund_counter) if result.error is None else 0,
        "logs": tuple([(bytes(log.address), tuple(map(bytes, log.topics)), bytes(log.data)) for log in result.logs]),
    }  # fmt: skip
    if hasattr(result, "return_data"):  # from Prague on
        facts["output"] = bytes(result.return_data)
    gone = set(map(bytes, result.accounts_to_delete))
    for address, account in state._main_trie._data.items():
        if account is None or bytes(address) in gone:
            continue
        values = int(account.nonce), int(account.balance), keccak256(bytes(account.code))
        if values != (0, 0, EMPTY_HASH):
            facts[bytes(address)] = values
        trie = state._storage_tries.get(address)
        for key, value in trie._data.items() if trie is not None else ():
            facts[bytes(address), int.from_bytes(key, "big")] = int(value)
    return facts


def reference(evm: Evm, message: Message) -> Facts:
    """The same facts by our reference. The state is changed."""
    state = evm.state
    result: ExecutionResult = interpreter.execute(evm, message)
    state.end_transaction()
    facts: Facts = {
        "success": result.success, "gas": result.gas_left,
        "refund": result.refund if result.success else 0, "logs": tuple([tuple(log) for log in result.logs]),
    }  # fmt: skip
    if evm.rules.name != "Cancun":
        facts["output"] = result.output
    for address in list(state._accounts):
        account = state.account(address)
        if account is not None and not account.is_empty:
            facts[address] = (account.nonce, account.balance, account.code_hash)
            for slot, value in list(state._storage.get(address, {}).items()):
                if value:
                    facts[address, int.from_bytes(slot, "big")] = value
    return facts


def disagreement(world: programs.Transactions) -> str | None:
    """What EELS and our reference see differently, if anything."""
    for evm, message in world:
        want, have = specification(evm, message), reference(evm, message)
        for key in [*want, *have]:
            if want.get(key) != have.get(key):
                return f"{key}: EELS {want.get(key)!r}, ours {have.get(key)!r}"
    return None


def _made(kind: type, given: Facts) -> Any:
    return kind(**{field.name: given[field.name] for field in fields(kind)})


def _copied(tools: Any, types: Any, evm: Evm) -> Any:
    state = tools.State()
    for address, account in evm.state._accounts.items():
        if account is None:
            continue
        code = evm.state.code(address)
        its = types.Account(Uint(account.nonce), U256(account.balance), Bytes(code))
        tools.set_account(state, Bytes20(address), its)
        for slot, value in evm.state._storage.get(address, {}).items():
            tools.set_storage(state, Bytes20(address), Bytes32(slot), U256(value))
    return state


def main(seed: int, world: Callable[[int], programs.Transactions]) -> None:
    print(disagreement(world(seed)) or "EELS and the reference agree")


if __name__ == "__main__":
    main(int(sys.argv[1]), mutants.mutant if sys.argv[2:] == ["mutant"] else programs.random_world)
