"""Sealing against py-trie and against a rebuild from the flat tables; proofs against py-trie's checker."""

import hypothesis.strategies as st
import pytest
import rlp as other_rlp
from hypothesis import given, settings
from trie import HexaryTrie

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase, undo_of
from coinone.rules.state.layers import merge
from coinone.rules.state.proofs import prove, verify_proof
from coinone.rules.state.rebuild import ordered_root, rebuilt_state_root
from coinone.rules.state.seal import seal, seal_steps, state_root
from coinone.rules.state.state import State

ADDRESSES = [bytes([n]) * 20 for n in range(1, 9)]
writes = st.lists(
    st.one_of(
        st.tuples(st.just("balance"), st.sampled_from(ADDRESSES), st.integers(0, 2**100)),
        st.tuples(st.just("slot"), st.sampled_from(ADDRESSES), st.integers(0, 5), st.integers(0, 2**256 - 1)),
        st.tuples(st.just("clear"), st.sampled_from(ADDRESSES), st.integers(0, 5)),
        st.tuples(st.just("remove"), st.sampled_from(ADDRESSES)),
    ),
    max_size=30,
)
Block = list[tuple]


def run_block(state: State, block: Block) -> None:
    state.begin_transaction()
    for kind, address, *rest in block:
        if kind == "remove":
            state.destroy(address)
            state.end_transaction()
            state.begin_transaction()
            continue
        if not state.exists(address):
            state.set_nonce(address, 1)
        if kind == "balance":
            state.set_balance(address, rest[0])
        else:
            state.set_storage(address, rest[0], rest[1] if kind == "slot" else 0)
    state.end_transaction()
    state.freeze()


def root_by_py_trie(state: State) -> bytes:
    accounts = HexaryTrie({})
    for address in ADDRESSES:
        account = state.account(address)
        if account is None:
            continue
        storage = HexaryTrie({})
        for slot in range(6):
            if state.storage(address, slot):
                storage[keccak256(slot.to_bytes(32, "big"))] = other_rlp.encode(state.storage(address, slot))
        leaf = [account.nonce, account.balance, storage.root_hash, account.code_hash]
        accounts[keccak256(address)] = other_rlp.encode(leaf)
    return accounts.root_hash


@settings(max_examples=40)
@given(st.lists(writes, min_size=1, max_size=4))
def test_each_sealed_root_equals_py_trie_and_the_rebuild_and_undo_returns_to_it(blocks: list[Block]) -> None:
    database = MemoryDatabase()
    state = State(database)
    history = []
    for block in blocks:
        run_block(state, block)
        sealed = seal(database, merge(state.layers))
        history.append((state_root(database), undo_of(database, sealed.changes)))
        database.write(sealed.changes)
        state.committed(len(state.layers))
        assert sealed.root == root_by_py_trie(state) == rebuilt_state_root(database) == state_root(database)
    for root, undo in reversed(history):
        database.write(undo)
        assert state_root(database) == rebuilt_state_root(database) == root
    assert not any(database._tables.values())


def test_batches_may_run_between_the_steps_of_sealing() -> None:
    database = MemoryDatabase()
    state = State(database)
    block: Block = [("slot", address, slot, 7 + slot) for address in ADDRESSES for slot in range(6)]
    run_block(state, block)
    want = root_by_py_trie(state)
    steps = seal_steps(database, merge(state.layers))
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            sealed = done.value
            break
        pauses += 1
        run_block(state, [("balance", ADDRESSES[0], pauses), ("slot", ADDRESSES[1], 1, pauses)])
    assert pauses >= len(ADDRESSES)
    assert sealed.root == want != root_by_py_trie(state)


@settings(max_examples=25)
@given(writes)
def test_proofs_convince_py_trie_and_us_and_nothing_else_does(block: Block) -> None:
    database = MemoryDatabase()
    state = State(database)
    run_block(state, block)
    root = seal(database, merge(state.layers)).root
    database.write(seal(database, merge(state.layers)).changes)
    for address in ADDRESSES:
        proof = prove(database, address, range(6))
        key = keccak256(address)
        assert proof.account == (state.account(address) or Account())
        leaf = verify_proof(root, key, proof.proof)
        assert (leaf is not None) == state.exists(address)
        if proof.proof:
            nodes = [other_rlp.decode(node) for node in proof.proof]
            assert HexaryTrie.get_from_proof(root, key, nodes) == (leaf or b"")
            with pytest.raises(InvalidInput):
                verify_proof(root, key, proof.proof[1:])
            broken = bytes([*proof.proof[-1][:-1], proof.proof[-1][-1] ^ 1])
            with pytest.raises(InvalidInput):
                verify_proof(root, key, (*proof.proof[:-1], broken))
        for slot in proof.slots:
            assert slot.value == state.storage(address, slot.slot)
            key = keccak256(slot.slot.to_bytes(32, "big"))
            value = verify_proof(proof.storage_root, key, slot.proof)
            assert (b"" if value is None else value) == (other_rlp.encode(slot.value) if slot.value else b"")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=150))
@settings(max_examples=20)
def test_the_root_of_an_ordered_list_equals_py_trie(values: list[bytes]) -> None:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[other_rlp.encode(index)] = value
    assert ordered_root(values) == trie.root_hash
