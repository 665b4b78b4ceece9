"""The order of a segment: accounts by hash, taking turns."""

from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto.keccak import keccak256
from coinone.rules.consensus.seeds import ordering_seed
from coinone.rules.ledger.turns import round_robin
from tests.rules.chain.chain_world import KEYS, World, account, transfer

SEED = bytes(32)
A, B, C = (bytes([index]) * 20 for index in (1, 2, 3))


def test_accounts_take_turns_in_the_order_of_their_hashes():
    ranked = sorted((A, B, C), key=lambda address: keccak256(SEED + address))
    items = [(address, f"{address[0]}-{turn}") for address in (A, B, C) for turn in range(2)]
    want = [f"{address[0]}-{turn}" for turn in range(2) for address in ranked]
    assert round_robin(SEED, items) == want


def test_sending_more_gains_no_earlier_turn():
    alone = round_robin(SEED, [(A, "a"), (B, "b")])
    crowd = round_robin(SEED, [(A, "a"), (B, "b"), *[(A, f"a{extra}") for extra in range(50)]])
    assert crowd[:2] == alone


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers()), max_size=30),
    st.binary(min_size=32, max_size=32),
)
def test_nothing_is_lost_and_each_account_keeps_its_own_order(items, seed):
    result = round_robin(seed, [(address, (address, value)) for address, value in items])
    assert sorted(result) == sorted(items)
    for address in (A, B, C):
        assert [value for owner, value in result if owner == address] == [
            v for owner, v in items if owner == address
        ]


def test_ethereum_transactions_run_in_the_order_of_the_batch_s_seed():
    world = World()
    sent = [transfer(KEYS[index], nonce, account(9), 1) for index in range(5) for nonce in range(2)]
    result = world.evm_batch(*reversed(sent))
    batch = result.batch
    seed = ordering_seed(batch.seed, batch.parent_hash)
    ranked = sorted((account(index) for index in range(5)), key=lambda address: keccak256(seed + address))
    assert [record.sender for record in result.records] == ranked * 2


def test_the_seed_of_a_batch_depends_on_the_batch_before():
    assert ordering_seed(SEED, b"\x01" * 32) != ordering_seed(SEED, b"\x02" * 32)
