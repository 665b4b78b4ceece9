"""State against a plain model: copies of whole dictionaries instead of a journal."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from coinone.base.crypto.keccak import EMPTY_HASH, keccak256
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.layers import flat_changes, merge
from coinone.rules.state.state import State
from coinone.rules.vm.substate import Substate

A, B, C = (bytes([n]) * 20 for n in (1, 2, 3))


def test_an_absent_account_reads_as_nothing() -> None:
    state = State(MemoryDatabase())
    assert state.account(A) is None and not state.exists(A) and state.is_empty(A)
    assert (state.balance(A), state.nonce(A), state.code(A), state.code_hash(A)) == (0, 0, b"", EMPTY_HASH)
    assert state.storage(A, 7) == 0 and not state.has_storage(A)


def test_revert_restores_every_kind_of_value() -> None:
    state = State(MemoryDatabase())
    state.set_balance(A, 5)
    state.set_storage(A, 1, 11)
    before = state.snapshot()
    state.set_balance(A, 6)
    state.set_nonce(A, 1)
    state.set_code(A, b"\x60")
    state.set_storage(A, 1, 12)
    state.set_storage(A, 2, 13)
    state.set_transient(A, 1, 14)
    state.create_account(B)
    state.destroy(B)
    state.revert(before)
    assert state.account(A) == Account(0, 5)
    assert (state.storage(A, 1), state.storage(A, 2), state.transient(A, 1)) == (11, 0, 0)
    assert not state.created_in_transaction(B) and state.account(B) is None
    state.end_transaction()
    assert state.account(A) == Account(0, 5)


def test_original_storage_is_the_value_at_the_start_of_the_transaction() -> None:
    state = State(MemoryDatabase())
    state.set_storage(A, 1, 5)
    state.end_transaction()
    state.begin_transaction()
    mark = state.snapshot()
    state.set_storage(A, 1, 6)
    state.set_storage(A, 1, 7)
    assert (state.original_storage(A, 1), state.storage(A, 1)) == (5, 7)
    state.revert(mark)
    assert (state.original_storage(A, 1), state.storage(A, 1)) == (5, 5)
    state.set_storage(A, 1, 8)
    state.end_transaction()
    assert state.original_storage(A, 1) == 8


def test_transient_storage_ends_with_the_transaction_even_if_reverted_afterwards() -> None:
    state = State(MemoryDatabase())
    start = state.snapshot()
    state.set_transient(A, 1, 9)
    assert state.transient(A, 1) == 9
    state.end_transaction()
    assert state.transient(A, 1) == 0
    state.revert(start)
    assert state.transient(A, 1) == 0


def test_touched_empty_accounts_vanish_and_untouched_ones_stay() -> None:
    state = State(MemoryDatabase())
    state.set_account(A, Account())  # an empty account from before EIP-161, as test prestates have them
    state.set_account(B, Account())
    state.freeze()
    state.begin_transaction()
    state.touch(A)
    state.set_balance(C, 0)
    state.end_transaction()
    assert not state.exists(A) and state.exists(B) and not state.exists(C)


def test_a_reverted_touch_removes_nothing() -> None:
    state = State(MemoryDatabase())
    state.set_account(A, Account())
    state.freeze()
    mark = state.snapshot()
    state.touch(A)
    state.revert(mark)
    state.end_transaction()
    assert state.exists(A)


def test_destruction_in_the_creating_transaction_takes_balance_code_and_storage() -> None:
    state = State(MemoryDatabase())
    state.set_balance(A, 3)
    state.create_account(A)
    assert state.account(A) == Account(1, 3)
    state.set_code(A, b"\x00")
    state.set_storage(A, 1, 2)
    state.destroy(A)
    assert state.code(A) == b"\x00" and state.storage(A, 1) == 2  # alive until the end
    state.end_transaction()
    assert not state.exists(A) and state.storage(A, 1) == 0 and not state.has_storage(A)


def test_creation_wipes_storage_that_lies_on_disk() -> None:
    database = MemoryDatabase()
    first = State(database)
    first.set_storage(A, 5, 50)
    first.set_balance(A, 1)
    database.write(flat_changes(first.freeze()))
    state = State(database)
    assert state.has_storage(A)
    mark = state.snapshot()
    state.create_account(A)
    assert state.storage(A, 5) == 0 and state.original_storage(A, 5) == 0 and not state.has_storage(A)
    state.revert(mark)
    assert state.storage(A, 5) == 50 and state.has_storage(A)


def test_code_of_a_popped_layer_is_recorded_again_when_it_is_deployed_again() -> None:
    state = State(MemoryDatabase())
    state.set_code(A, b"\x01\x02")
    first = state.freeze()
    state.pop()
    state.set_code(B, b"\x01\x02")
    second = state.freeze()
    assert first.code == second.code == {keccak256(b"\x01\x02"): b"\x01\x02"}


def test_code_of_a_lower_layer_survives_the_pop_of_a_layer_that_also_holds_it() -> None:
    donor = State(MemoryDatabase())
    donor.set_code(B, b"\x09")
    foreign = donor.freeze()
    state = State(MemoryDatabase())
    state.set_code(A, b"\x09")
    state.freeze()
    state.push(foreign)
    state.pop()
    assert state.code(A) == b"\x09"


def test_a_code_whose_creation_was_reverted_is_not_in_the_layer() -> None:
    state = State(MemoryDatabase())
    mark = state.snapshot()
    state.set_code(A, b"\x05")
    state.revert(mark)
    assert state.freeze().is_empty


operation = st.one_of(
    st.tuples(st.just("balance"), st.sampled_from([A, B, C]), st.integers(0, 3)),
    st.tuples(st.just("nonce"), st.sampled_from([A, B, C]), st.integers(0, 3)),
    st.tuples(st.just("code"), st.sampled_from([A, B, C]), st.sampled_from([b"", b"\x01", b"\x02"])),
    st.tuples(st.just("slot"), st.sampled_from([A, B, C]), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("create"), st.sampled_from([A, B, C])),
    st.tuples(st.just("destroy"), st.sampled_from([A, B, C])),
    st.tuples(st.sampled_from(["snapshot", "revert", "transaction", "freeze", "pop", "commit"])),
)


class Model:
    """One dictionary of everything, copied whole at each mark."""

    def __init__(self) -> None:
        self.now: dict[Any, Any] = {}
        self.marks: list[tuple[int, dict[Any, Any], dict[Any, Any]]] = []
        self.frozen: list[dict[Any, Any]] = [{}]  # before the first pending layer, after it, ...
        self.destroyed: dict[bytes, None] = {}

    def account(self, address: bytes) -> tuple[int, int, bytes]:
        return self.now.get(address, (0, 0, b""))

    def wipe(self, address: bytes) -> None:
        self.now = {k: v for k, v in self.now.items() if not (isinstance(k, tuple) and k[0] == address)}

    def end_transaction(self) -> None:
        for address in self.destroyed:
            self.wipe(address)
            self.now.pop(address, None)
        for address in [k for k, v in self.now.items() if v == (0, 0, b"")]:
            self.wipe(address)
            del self.now[address]
        self.destroyed = {}
        self.marks = []


def check(state: State, model: Model) -> None:
    for address in (A, B, C):
        nonce, balance, code = model.account(address)
        assert (state.nonce(address), state.balance(address), state.code(address)) == (nonce, balance, code)
        for slot in range(3):
            assert state.storage(address, slot) == model.now.get((address, slot), 0)
        assert state.has_storage(address) == any((address, slot) in model.now for slot in range(3))


def step(state: State, model: Model, database: MemoryDatabase, op: tuple[Any, ...]) -> None:
    kind, *rest = op
    if kind in ("balance", "nonce", "code"):
        address, value = rest
        fields = list(model.account(address))
        fields[("nonce", "balance", "code").index(kind)] = value
        model.now[address] = tuple(fields)
        getattr(state, f"set_{kind}")(address, value)
    elif kind == "slot":
        address, slot, value = rest
        state.set_storage(address, slot, value)
        model.now[address, slot] = value
        if not value:
            del model.now[address, slot]
    elif kind == "create":
        model.wipe(rest[0])
        model.now[rest[0]] = (1, model.account(rest[0])[1], b"")
        state.create_account(rest[0])
    elif kind == "destroy":
        state.destroy(rest[0])
        model.destroyed[rest[0]] = None
    elif kind == "snapshot":
        model.marks.append((state.snapshot(), dict(model.now), dict(model.destroyed)))
    elif kind == "revert" and model.marks:
        mark, model.now, model.destroyed = model.marks.pop()
        state.revert(mark)
    elif kind in ("transaction", "freeze", "pop", "commit"):
        state.end_transaction()
        model.end_transaction()
        if kind != "transaction":
            state.freeze()
            model.frozen.append(dict(model.now))
        if kind == "pop":
            layer = state.pop()
            if len(model.frozen) % 2:  # sometimes put it back: a reorg that returns
                state.push(layer)
            else:
                model.frozen.pop()
                model.now = dict(model.frozen[-1])
        if kind == "commit":
            count = (len(state.layers) + 1) // 2
            database.write(flat_changes(merge(state.layers[:count])))
            state.committed(count)
            del model.frozen[:count]


@settings(max_examples=100)
@given(st.lists(operation, max_size=60))
def test_state_equals_a_model_that_copies_everything(operations: list[tuple[Any, ...]]) -> None:
    database = MemoryDatabase()
    state, model = State(database), Model()
    for op in operations:
        step(state, model, database, op)
        check(state, model)
    state.end_transaction()
    model.end_transaction()
    state.freeze()
    check(State(database, list(state.layers)), model)
    database.write(flat_changes(merge(state.layers)))
    check(State(database), model)
    state.committed(len(state.layers))
    state.forget()
    check(state, model)


def test_transient_slots_whose_integers_collide_are_no_slower_than_others() -> None:
    # Python hashes an int modulo 2^61 - 1: as keys of a dictionary these would all lie in one chain.
    state = State(MemoryDatabase())
    state.begin_transaction()
    colliding = [index * (2**61 - 1) for index in range(20_000)]
    assert len({hash(slot) for slot in colliding}) == 1
    for slot in colliding:
        state.set_transient(b"\x01" * 20, slot, slot + 1)
    assert all(state.transient(b"\x01" * 20, slot) == slot + 1 for slot in colliding)


def test_slots_chosen_to_collide_as_integers_hash_apart() -> None:
    # Python hashes integers modulo 2^61 - 1: all these hash to 0, and a dictionary of them would be a list.
    slots = [n * (2**61 - 1) for n in range(1_000)]
    assert {hash(slot) for slot in slots} == {0}
    state, substate = State(MemoryDatabase()), Substate()
    for slot in slots:
        state.set_storage(A, slot, 1)
        state.set_transient(A, slot, 1)
        substate.warm_slot(A, slot)
    tables = [state._storage[A], state._original, state._transient, substate.warm]
    layer = state.freeze()
    tables += [layer.storage, layer.storage_before, merge([layer]).storage]  # type: ignore[list-item]
    for table in tables:
        assert len({hash(key) for key in table}) == len(slots)
