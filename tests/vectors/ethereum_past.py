"""The part of Ethereum's RPC test chain that lies before Cancun, executed by EELS, Ethereum's executable specification.

Our VM begins at Cancun, so the chain's first blocks (every fork from Homestead to Shanghai) are given to EELS, which
checks each block's state root; the result, state and receipts, is the checkpoint from which our own import continues.
Proof of work is not checked: the chain carries none.
"""

import importlib
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ethereum.fork_criteria import ByBlockNumber
from ethereum_rlp import rlp
from ethereum_types.numeric import U64, U256, Uint

LONDON = 27
# First block, and the name that EELS gives to the rules from it on.
FORKS = (
    (0, "homestead"), (3, "tangerine_whistle"), (6, "spurious_dragon"), (9, "byzantium"), (12, "constantinople"),
    (18, "istanbul"), (21, "muir_glacier"), (24, "berlin"), (LONDON, "london"), (30, "arrow_glacier"),
    (33, "gray_glacier"), (36, "paris"), (39, "shanghai"),
)  # fmt: skip

AccountValues = tuple[int, int, bytes, dict[int, int]]  # nonce, balance, code, storage


class Past:
    """EELS's chain, moved from fork to fork."""

    def __init__(self, genesis_block: bytes, accounts: dict[bytes, AccountValues], chain_id: int) -> None:
        sys.setrecursionlimit(20_000)
        self.receipts: list[list[bytes]] = []  # by block, from the first on; each as in its trie
        self._number = 0
        self._name = FORKS[0][1]
        fork = self._module("fork")
        block = rlp.decode_to(self._module("blocks").Block, genesis_block)
        self._chain = fork.BlockChain([block], self._state(accounts), U64(chain_id))

    def add(self, raw: bytes) -> None:
        """Execute the next block; EELS raises where anything in it is wrong."""
        self._number += 1
        name = dict(FORKS).get(self._number)
        if name is not None:
            accounts, old = self.accounts(), self._chain
            self._name = name
            self._chain = self._module("fork").BlockChain(old.blocks, self._state(accounts), old.chain_id)
        fork = self._module("fork")
        fork.validate_proof_of_work = lambda header: None
        if name == "london":
            fork.FORK_CRITERIA = ByBlockNumber(LONDON)
        outputs: list[Any] = []
        apply_body = fork.apply_body
        fork.apply_body = lambda *args, **named: outputs.append(apply_body(*args, **named)) or outputs[0]
        try:
            fork.state_transition(self._chain, rlp.decode_to(self._module("blocks").Block, raw))
        finally:
            fork.apply_body = apply_body
        found = outputs[0].receipts_trie._data
        ordered = [found[rlp.encode(Uint(place))] for place in range(len(found))]
        self.receipts.append([item if isinstance(item, bytes) else rlp.encode(item) for item in ordered])

    def accounts(self) -> dict[bytes, AccountValues]:
        """The state after the newest block."""
        state, found = self._chain.state, {}
        for address, account in state._main_trie._data.items():
            trie = state._storage_tries.get(address)
            slots = (
                {} if trie is None else {int.from_bytes(key, "big"): int(v) for key, v in trie._data.items()}
            )
            found[bytes(address)] = int(account.nonce), int(account.balance), bytes(account.code), slots
        return found

    def _state(self, accounts: dict[bytes, AccountValues]) -> Any:
        tools, types = self._module("state"), self._module("fork_types")
        state = tools.State()
        for where, (nonce, balance, code, slots) in accounts.items():
            address = types.Address(where)
            tools.set_account(state, address, types.Account(Uint(nonce), U256(balance), code))
            for slot, value in slots.items():
                tools.set_storage(state, address, slot.to_bytes(32, "big"), U256(value))
        return state

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"ethereum.forks.{self._name}.{name}")


def checkpoint_of(genesis: dict[str, Any], genesis_block: bytes, blocks: Iterable[bytes]) -> dict[str, Any]:
    """What `coinone ethereum import --checkpoint` reads, after these blocks."""
    alloc = {
        _unhex(address): (
            int(account.get("nonce", "0x0"), 16), int(account["balance"], 16), _unhex(account.get("code", "0x")),
            {int(slot, 16): int(value, 16) for slot, value in account.get("storage", {}).items()},
        )
        for address, account in genesis["alloc"].items()
    }  # fmt: skip
    past = Past(genesis_block, alloc, genesis["config"]["chainId"])
    for raw in blocks:
        past.add(raw)
    accounts = {
        "0x" + address.hex(): {
            "nonce": hex(nonce), "balance": hex(balance), "code": "0x" + code.hex(),
            "storage": {hex(slot): hex(value) for slot, value in slots.items()},
        }
        for address, (nonce, balance, code, slots) in past.accounts().items()
    }  # fmt: skip
    return {"alloc": accounts, "receipts": [["0x" + item.hex() for item in rows] for rows in past.receipts]}


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
