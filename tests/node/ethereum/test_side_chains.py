"""Branches of an imported Ethereum chain: which one is followed, and what is left of the other."""

from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidBlock, NotSupported
from coinone.node.imported.chain import IDENTITY, EthereumChain, begin_chain, init_chain, open_chain
from coinone.node.imported.chain_file import Checkpoint
from coinone.node.limits import UNDO_BLOCKS_MAX
from coinone.node.storage.past import after_block
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.chain.imported.genesis import genesis_header, parse_alloc, sealed_alloc
from coinone.rules.chain.imported.header import decode_ethereum_block
from coinone.rules.ledger.header import EMPTY_OMMERS, EMPTY_TRIE
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.state.state import State
from tests.vectors.ethereum_chain import NoDisk

KEY = "0x" + "42" * 32
SENDER, NOTEBOOK = Account.from_key(KEY).address.lower(), "0x" + "cc" * 20
NOTE_PARENT = (
    "0x60014303405f55"  # SSTORE(0, BLOCKHASH(NUMBER - 1)): 3 + 2 + 3 + 20 + 2 = 30 gas and the store
)
FIRST_CALL_GAS, CALL_GAS = 21_030 + 22_100, 21_030 + 5_000  # EIP-2200, 2929: a new slot, a changed one
GENESIS: dict[str, Any] = {
    "config": {"chainId": 7, "londonBlock": 0, "shanghaiTime": 0, "cancunTime": 0}, "gasLimit": "0x1c9c380",
    "baseFeePerGas": "0x0", "difficulty": "0x0", "timestamp": "0",
    "alloc": {NOTEBOOK: {"balance": "0", "nonce": "1", "code": NOTE_PARENT}},
}  # fmt: skip


class Builder:
    """Blocks of one branch: each pays 5 gwei to its payee; what the accounts hold afterwards is kept by hand."""

    def __init__(self, genesis_hash: bytes, payee: bytes) -> None:
        self.payee, self.parent, self.number = payee, genesis_hash, 0
        self.alloc = {address: dict(row) for address, row in GENESIS["alloc"].items()}

    def fork(self, payee: bytes) -> "Builder":
        other = Builder(self.parent, payee)
        other.number, other.alloc = self.number, {name: dict(row) for name, row in self.alloc.items()}
        return other

    def block(self, call: bool = False, ommers: list[rlp.Encodable] | None = None) -> bytes:
        """The next block; with `call`, the sender asks the notebook to write down the parent's hash."""
        self.number += 1
        gas = 0
        if call:
            gas = CALL_GAS if SENDER in self.alloc else FIRST_CALL_GAS
        transactions = [self._call()] if call else []
        receipts = [rlp.encode([1, gas, bytes(256), []])] if call else []
        row = self.alloc.setdefault("0x" + self.payee.hex(), {"balance": "0"})
        row["balance"] = str(int(row["balance"]) + 5 * 10**9)
        withdrawal: list[rlp.Encodable] = [self.number, 3, self.payee, 5]
        fields: list[rlp.Encodable] = [
            self.parent, EMPTY_OMMERS if ommers is None else keccak256(rlp.encode(ommers)), bytes(20),
            sealed_alloc(MemoryDatabase(), parse_alloc(self.alloc)).root, ordered_root(transactions),
            ordered_root(receipts), bytes(256), 0, self.number, 30_000_000, gas,
            12 * self.number, b"", bytes(32), bytes(8), 0, ordered_root([rlp.encode(withdrawal)]), 0, 0, bytes(32),
        ]  # fmt: skip
        self.parent = keccak256(rlp.encode(fields))
        return rlp.encode([fields, [rlp.decode(raw) for raw in transactions], ommers or [], [withdrawal]])

    def _call(self) -> bytes:
        nonce = int(self.alloc.get(SENDER, {}).get("nonce", "0"))
        self.alloc[SENDER] = {"balance": "0", "nonce": str(nonce + 1)}
        self.alloc[NOTEBOOK]["storage"] = {"0x0": "0x" + self.parent.hex()}
        tx = {"nonce": nonce, "gasPrice": 0, "gas": 100_000, "to": b"\xcc" * 20, "value": 0, "chainId": 7}
        return bytes(Account.sign_transaction(tx, KEY).raw_transaction)


A, B = b"\xa1" * 20, b"\xb1" * 20


def in_memory(genesis: dict[str, Any] = GENESIS) -> EthereumChain:
    storage = Storage(MemoryStore(), NoDisk(), IDENTITY, bytes)  # type: ignore[arg-type]
    sealed = sealed_alloc(MemoryDatabase(), parse_alloc(genesis["alloc"]))
    return begin_chain(storage, genesis["config"], genesis_header(genesis, sealed.root), sealed)


def balances(chain: EthereumChain) -> tuple[int, int]:
    """What A and B have at the head, in payments of 5 gwei."""
    state = State(chain.storage.store)
    return state.balance(A) // (5 * 10**9), state.balance(B) // (5 * 10**9)


def hash_of(raw: bytes) -> bytes:
    return decode_ethereum_block(raw).header.hash


def test_the_newest_branch_is_followed_and_the_other_can_be_gone_back_to(tmp_path: Path) -> None:
    """The plan of ethereum/tests' UncleFromSideChain: three blocks of A, three of B, one with an uncle of A, one
    without; then A goes on."""
    chain = init_chain(tmp_path, GENESIS)
    a, b = Builder(chain.head.hash, A), Builder(chain.head.hash, B)
    line = [a.block() for _ in range(3)]
    side = [b.block() for _ in range(3)]
    assert all(chain.add(raw) for raw in line)
    assert balances(chain) == (3, 0)
    assert [chain.add(raw) and chain.head.number for raw in side] == [1, 2, 3]
    assert balances(chain) == (0, 3)
    with pytest.raises(InvalidBlock, match="proof of work"):
        chain.add(b.fork(B).block(ommers=rlp.decode_list(rlp.decode(line[1]))[:1]))
    assert (chain.head.number, balances(chain)) == (3, (0, 3))
    side.append(b.block())
    assert chain.add(side[3]) and chain.head.hash == hash_of(side[3])
    assert State(after_block(chain.storage.store, 1)).balance(A) == 0, "the line's past is B's"
    line.append(a.block())
    assert chain.add(line[3]) and chain.head.hash == hash_of(line[3])
    assert balances(chain) == (4, 0)
    assert [chain.archive.raw(number) for number in (1, 2, 3, 4)] == line
    assert chain.archive.number_of(hash_of(side[0])) is None
    chain.close()
    chain = open_chain(tmp_path)
    assert [chain.add(raw) for raw in [*line, *side]] == [False] * 8, (
        "both branches are known, and stay as they are"
    )
    assert chain.head.hash == hash_of(line[3])
    chain.close()


def test_a_contract_on_a_branch_sees_the_hashes_of_that_branch() -> None:
    chain = in_memory()
    a, b = Builder(chain.head.hash, A), Builder(chain.head.hash, B)
    for raw in (a.block(call=True), a.block(call=True), b.block(call=True)):
        assert chain.add(raw)
    parent, raw = b.parent, b.block(call=True)
    assert chain.add(raw)
    assert State(chain.storage.store).storage(b"\xcc" * 20, 0) == int.from_bytes(parent, "big")
    assert chain.add(a.block(call=True))  # A's two blocks are executed again first
    assert chain.head.number == 3


def test_a_block_beside_the_line_that_does_not_check_changes_nothing() -> None:
    chain = in_memory()
    a, b = Builder(chain.head.hash, A), Builder(chain.head.hash, B)
    for raw in (a.block(), a.block()):
        chain.add(raw)
    b.alloc["0x" + "dd" * 20] = {"balance": "1"}  # nobody paid that
    with pytest.raises(InvalidBlock, match="state root"):
        chain.add(b.block())
    with pytest.raises(InvalidBlock, match="known"):
        chain.add(b.block())  # its parent was refused
    assert (chain.head.number, balances(chain)) == (2, (2, 0))


def test_a_branch_may_begin_as_deep_as_states_are_kept() -> None:
    chain = in_memory()
    a = Builder(chain.head.hash, A)
    early = Builder(chain.head.hash, B)
    chain.add(a.block())
    late = a.fork(B)
    for _ in range(UNDO_BLOCKS_MAX):
        chain.add(a.block())
    with pytest.raises(NotSupported, match="not kept any more"):
        chain.add(early.block())
    assert chain.head.number == UNDO_BLOCKS_MAX + 1
    assert chain.add(late.block()) and chain.head.number == 2
    assert balances(chain) == (1, 1)


def past_block(parent: bytes, number: int, difficulty: int, extra: bytes) -> bytes:
    """An empty block from before Cancun, on the state of genesis."""
    root = sealed_alloc(MemoryDatabase(), parse_alloc(GENESIS["alloc"])).root
    fields: list[rlp.Encodable] = [
        parent, EMPTY_OMMERS, bytes(20), root, EMPTY_TRIE, EMPTY_TRIE, bytes(256), difficulty, number, 30_000_000, 0,
        12 * number, extra, bytes(32), bytes(8),
    ]  # fmt: skip
    return rlp.encode([fields, [], []])


def test_before_the_merge_the_branch_with_more_work_is_followed() -> None:
    chain = in_memory({**GENESIS, "config": {"chainId": 7}, "difficulty": "0x5"})
    checkpoint = Checkpoint(parse_alloc(GENESIS["alloc"]), dict.fromkeys(range(1, 4), ()))
    first = past_block(chain.head.hash, 1, 10, b"a")
    equal = past_block(chain.head.hash, 1, 10, b"b")
    assert chain.add(first, checkpoint) and chain.add(equal, checkpoint)
    assert chain.head.hash == hash_of(first), "as much work, known later"
    more = past_block(hash_of(equal), 2, 1, b"b")  # 10 + 1 above the fork, against 10
    assert chain.add(more, checkpoint) and chain.head.hash == hash_of(more)
    back = past_block(hash_of(first), 2, 1, b"a")
    assert chain.add(back, checkpoint) and chain.head.hash == hash_of(more), "11 against 11"
    merged = past_block(hash_of(back), 3, 0, b"a")  # the first without work: it is given, so it is the head
    assert chain.add(merged, checkpoint) and chain.head.hash == hash_of(merged)
    heavy = past_block(hash_of(more), 3, 1_000, b"b")
    assert chain.add(heavy, checkpoint) and chain.head.hash == hash_of(merged), "work counts no more"
