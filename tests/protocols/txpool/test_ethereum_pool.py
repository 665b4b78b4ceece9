"""The pool of Ethereum transactions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidTransaction, LimitExceeded
from coinone.protocols.txpool.ethereum import Candidate, EthereumPool
from coinone.protocols.txpool.limits import POOL_ACCOUNT_TRANSACTIONS_MAX, POOL_OVERHEAD_BYTES
from coinone.rules.state.account import Account

BASE_FEE = 10
GAS_MAX = 1_000_000  # of a wide batch
SMALL = 600_000  # of the batches between
RICH = 10**18
ALICE, BOB, CAROL = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
SIZE = 100 + POOL_OVERHEAD_BYTES  # of one transaction in the pool


def tx(sender=ALICE, nonce=0, max_fee=100, tip=5, gas=21_000, value=0, size=100, tag=b"") -> Candidate:
    name = sender + bytes([nonce]) + max_fee.to_bytes(4, "big") + tip.to_bytes(4, "big") + tag
    raw = name.ljust(size, b"\0")
    return Candidate(raw, name.ljust(32, b"\0")[:32], sender, nonce, gas, max_fee, tip, value)


def pool(bytes_max: int = 100 * SIZE) -> EthereumPool:
    return EthereumPool(BASE_FEE, SMALL, GAS_MAX, bytes_max)


def take(some: EthereumPool, gas: int = GAS_MAX, size: int = 10**6) -> list[bytes]:
    return some.take(gas, size)


def test_a_sender_s_transactions_are_taken_in_nonce_order_whatever_they_pay():
    some = pool()
    cheap, dear = tx(nonce=0, tip=1), tx(nonce=1, tip=50)
    some.add(dear, 0, RICH)
    some.add(cheap, 0, RICH)
    assert take(some) == [cheap.raw, dear.raw]


def test_a_gap_holds_back_what_follows():
    some = pool()
    first, third = tx(nonce=0), tx(nonce=2)
    for item in (first, third):
        some.add(item, 0, RICH)
    assert take(some) == [first.raw]
    assert some.next_nonce(ALICE, 0) == 1


def test_who_pays_more_goes_first():
    some = pool()
    low, high = tx(ALICE, tip=1), tx(BOB, tip=2)
    some.add(low, 0, RICH)
    some.add(high, 0, RICH)
    assert take(some) == [high.raw, low.raw]


def test_what_fits_in_no_small_batch_waits_for_a_wide_one_and_goes_first_there():
    some = pool()
    wide, rich = tx(ALICE, tip=1, gas=700_000), tx(BOB, tip=90, gas=400_000)
    some.add(wide, 0, RICH)
    some.add(rich, 0, RICH)
    assert take(some, SMALL) == [rich.raw]
    assert take(some, GAS_MAX) == [wide.raw], "700,000 of 1,000,000 leave no room for 400,000"


def test_among_the_large_ones_who_pays_more_goes_first():
    some = pool()
    low, high = tx(ALICE, tip=1, gas=700_000), tx(BOB, tip=2, gas=700_000)
    some.add(low, 0, RICH)
    some.add(high, 0, RICH)
    assert take(some, GAS_MAX) == [high.raw]


def test_the_suggested_tip_is_one_wei_above_what_leaves_less_than_an_eighth_of_a_batch():
    some = pool()
    assert some.tip_to_enter() == 1
    some.add(tx(ALICE, tip=9, gas=500_000), 0, RICH)
    assert some.tip_to_enter() == 1, "600,000 - 500,000 leave 100,000, and an eighth is 75,000"
    some.add(tx(BOB, tip=7, gas=200_000), 0, RICH)
    assert some.tip_to_enter() == 1, "200,000 do not fit beside the first and hold nobody up"
    some.add(tx(CAROL, tip=4, gas=30_000), 0, RICH)
    assert some.tip_to_enter() == 5, "70,000 are left, so one must come before the third"


def test_who_holds_a_whole_batch_for_little_is_outbid_by_the_suggested_tip():
    some = pool()
    holder = tx(ALICE, tip=3, gas=SMALL)
    some.add(holder, 0, RICH)
    polite = tx(BOB, tip=some.tip_to_enter(), gas=75_000)
    some.add(polite, 0, RICH)
    assert polite.max_tip == 4 and take(some, SMALL) == [polite.raw]


def test_an_offer_of_much_makes_no_wallet_pay_more_than_eight_base_fees():
    some = pool()
    some.add(tx(ALICE, max_fee=10**6, tip=10**6 - BASE_FEE, gas=SMALL), 0, RICH)
    assert some.tip_to_enter() == 8 * BASE_FEE


def test_what_follows_a_large_transaction_waits_with_it():
    some = pool()
    wide, after = tx(ALICE, nonce=0, gas=700_000), tx(ALICE, nonce=1)
    some.add(wide, 0, RICH)
    some.add(after, 0, RICH)
    assert take(some, SMALL) == []
    assert take(some, GAS_MAX) == [wide.raw, after.raw]


def test_what_does_not_fit_the_gas_leaves_room_for_others():
    some = pool()
    big, small = tx(ALICE, tip=9, gas=500_000), tx(BOB, tip=1)
    some.add(big, 0, RICH)
    some.add(small, 0, RICH)
    assert take(some, gas=100_000) == [small.raw]


def test_a_replacement_must_pay_a_tenth_more_in_both_fees():
    some = pool()
    some.add(tx(max_fee=100, tip=10), 0, RICH)
    for max_fee, tip in ((109, 11), (110, 10)):
        with pytest.raises(InvalidTransaction, match="underpriced"):
            some.add(tx(max_fee=max_fee, tip=tip), 0, RICH)
    better = tx(max_fee=110, tip=11)
    some.add(better, 0, RICH)
    assert take(some) == [better.raw] and len(some) == 1


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (tx(nonce=0), "nonce too low"),
        (tx(nonce=1 + POOL_ACCOUNT_TRANSACTIONS_MAX), "nonce too high"),
        (tx(nonce=1, max_fee=9, tip=0), "less than block base fee"),
        (tx(nonce=1, gas=GAS_MAX + 1), "exceeds block gas limit"),
        (tx(nonce=1, value=RICH), "insufficient funds"),
    ],
)
def test_what_can_never_run_is_refused(item, reason):
    with pytest.raises(InvalidTransaction, match=reason):
        pool().add(item, 1, RICH)


def test_all_that_waits_must_be_payable_together():
    some = pool()
    balance = 3 * 21_000 * 100
    for nonce in range(3):
        some.add(tx(nonce=nonce), 0, balance)
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        some.add(tx(nonce=3), 0, balance)


def test_a_full_pool_drops_who_tips_least_for_a_better_tip_only():
    some = pool(bytes_max=3 * SIZE)
    for nonce in range(3):
        some.add(tx(BOB, nonce=nonce, tip=5 + nonce), 0, RICH)
    with pytest.raises(LimitExceeded, match="full"):
        some.add(tx(ALICE, tip=5, max_fee=10**6), 0, RICH)  # whatever it could pay
    better = tx(ALICE, tip=6)
    some.add(better, 0, RICH)
    assert len(some) == 3 and some.get(tx(BOB, nonce=0, tip=5).hash) is None
    assert some.get(better.hash) == better


def test_what_cannot_run_makes_room_first_the_oldest_of_it_and_takes_it_from_nothing_that_can():
    some = pool(bytes_max=4 * SIZE)
    older, newer = tx(BOB, nonce=1, tip=90), tx(CAROL, nonce=1, tip=90)
    first, second = tx(ALICE, nonce=0, tip=2), tx(ALICE, nonce=1, tip=2)
    for item in (older, newer, first, second):
        some.add(item, 0, RICH)
    third = tx(ALICE, nonce=2, tip=1)
    some.add(third, 0, RICH)  # the older goes
    some.add(tx(BOB, nonce=2, tip=90), 0, RICH)  # the newer goes
    some.add(tx(ALICE, nonce=3, tip=1), 0, RICH)  # and that again
    assert [(item.sender, item.nonce) for item in some.pending()] == [(ALICE, nonce) for nonce in range(4)]
    with pytest.raises(LimitExceeded, match="full"):
        some.add(tx(BOB, nonce=1, tip=90), 0, RICH)
    some.add(tx(BOB, nonce=0, tip=90), 0, RICH)
    assert some.ready_count == 4, "that one can run, and tips more than Alice's third and fourth"


def test_a_pool_filled_with_what_cannot_run_lets_everybody_in():
    some = pool(bytes_max=8 * SIZE)
    for nonce in range(1, 9):
        some.add(tx(BOB, nonce=nonce, max_fee=10**9, tip=10**9), 0, RICH)
    for nonce in range(8):
        some.add(tx(ALICE, nonce=nonce, max_fee=10, tip=0), 0, RICH)
    assert (some.ready_count, len(some)) == (8, 8)


def test_an_emptied_place_makes_what_follows_wait_and_filled_again_run():
    some = pool(bytes_max=3 * SIZE)
    low, follows = tx(BOB, nonce=0, tip=1), tx(BOB, nonce=1, tip=50)
    some.add(follows, 0, RICH)
    assert some.ready_count == 0
    some.add(low, 0, RICH)
    assert some.ready_count == 2
    some.add(tx(ALICE, tip=9), 0, RICH)
    some.add(tx(CAROL, tip=9), 0, RICH)  # Bob's first goes
    assert (some.ready_count, len(some)) == (2, 3) and some.next_nonce(BOB, 0) == 0
    some.add(tx(CAROL, nonce=1, tip=2), 0, RICH)  # and his second
    assert some.of(BOB) == [] and some.next_nonce(BOB, 0) == 0


def test_an_account_may_keep_a_mebibyte_waiting_and_replace_within_it():
    some = pool(bytes_max=10**7)
    for nonce in range(8):  # 8 * 131,072 bytes are 1 MiB
        some.add(tx(nonce=nonce, size=131_072), 0, RICH)
    with pytest.raises(LimitExceeded, match=r"too many bytes waiting.*most=1048576"):
        some.add(tx(nonce=8), 0, RICH)
    some.add(tx(nonce=3, max_fee=200, tip=10, size=131_072), 0, RICH)
    some.add(tx(BOB), 0, RICH)
    assert len(some) == 9


def test_one_that_is_dropped_is_gone_and_an_unknown_one_is_nothing():
    some = pool()
    first, second = tx(nonce=0), tx(nonce=1)
    some.add(first, 0, RICH)
    some.add(second, 0, RICH)
    some.drop(first.hash)
    some.drop(first.hash)
    assert some.get(first.hash) is None and list(some.pending()) == [second]
    assert take(some) == [], "the second waits for another first"
    some.add(first, 0, RICH)
    assert take(some) == [first.raw, second.raw]


def test_executed_nonces_leave_the_pool():
    some = pool()
    for nonce in range(3):
        some.add(tx(nonce=nonce), 0, RICH)
    some.settle({ALICE: Account(2, RICH), BOB: Account(7, RICH)})
    assert [item.nonce for item in some.pending()] == [2] and take(some) == [tx(nonce=2).raw]


def test_what_another_did_to_an_account_ends_what_waits_of_it():
    some = pool()
    each = 21_000 * 100
    for nonce in (0, 1, 2, 4):
        some.add(tx(nonce=nonce), 0, RICH)
    some.settle(
        {ALICE: Account(1, 2 * each)}
    )  # its delegate's authorization used a nonce, a call took its money
    assert [item.nonce for item in some.pending()] == [1, 2], "two are payable, the third is not"
    some.settle({ALICE: Account(1, each - 1)})
    assert (len(some), some.ready_count, take(some)) == (0, 0, [])
    some.add(tx(nonce=3), 1, RICH)
    some.settle({ALICE: None})
    assert len(some) == 0


def test_what_waited_behind_a_missing_nonce_runs_when_the_nonce_was_used_otherwise():
    some = pool()
    some.add(tx(nonce=2), 0, RICH)
    some.settle({ALICE: Account(2, RICH)})
    assert take(some) == [tx(nonce=2).raw]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([ALICE, BOB]), st.integers(0, 5), st.integers(10, 200)), max_size=40)
)
def test_the_pool_never_passes_its_bound_and_what_it_gives_is_runnable(entries):
    some = pool(bytes_max=6 * SIZE)
    for place, (sender, nonce, fee) in enumerate(entries):
        try:
            some.add(tx(sender, nonce, fee, fee // 2, tag=bytes([place])), 0, RICH)
        except (InvalidTransaction, LimitExceeded):
            continue
        assert sum(item.size for item in some.pending()) <= 6 * SIZE
    taken = take(some)
    by_raw = {item.raw: item for item in some.pending()}
    for sender in (ALICE, BOB):
        nonces = [by_raw[raw].nonce for raw in taken if by_raw[raw].sender == sender]
        assert nonces == list(range(len(nonces)))
