"""Applying batches: transfers, orders, deposits and withdrawals, what is refused, and taking everything
back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidBatch, NotSupported
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.bridge.system_calls import HISTORY_ADDRESS, TRANSFER_TOPIC
from coinone.rules.chain.genesis import token_balance
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.consensus.federation import Federation
from coinone.rules.exchange.actions import transfers
from coinone.rules.exchange.invariants import conserved_sum
from coinone.rules.exchange.state.leaves import all_leaves
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    SYSTEM,
    TOKEN,
    World,
    account,
    erc20_transfer,
    l1_action,
    order,
    spot_send,
    transfer,
)

POOR = (99).to_bytes(32, "big")
UNIT = 10**6  # micro-quote in one quote unit


def cash(world: World, address: bytes) -> int:
    rows = world.chain.exchange.rows
    return int(rows.accounts[rows.slot_of(address)]["cash"])


def tokens(world: World, address: bytes) -> int:
    return token_balance(world.chain.state, NETWORK.quote_token, address)


def test_an_ethereum_transfer_moves_coins_in_the_next_evm_batch():
    world = World()
    result = world.evm_batch(transfer(KEYS[0], 0, account(1), 5 * 10**18))
    assert result.records[0].succeeded and result.records[0].gas_used == 21_000
    assert world.chain.state.balance(account(1)) == 1005 * 10**18


def test_the_whole_fee_goes_to_the_reward_pool_and_nothing_is_burnt():
    world = World()
    before = sum(row.gas_coin for row in NETWORK.allocations)
    world.evm_batch(transfer(KEYS[0], 0, account(1), 5 * 10**18))
    state = world.chain.state
    assert state.balance(NETWORK.reward_pool) == 21_000 * NETWORK.base_fee  # the tip was zero
    after = sum(state.balance(row.address) for row in NETWORK.allocations) + state.balance(
        NETWORK.reward_pool
    )
    assert after == before


def test_two_orders_that_cross_trade_at_the_maker_s_price():
    world = World()
    world.batch(order(KEYS[0], world.now_ms, 0, False, "97000", "0.01"))
    result = world.batch(order(KEYS[1], world.now_ms, 0, True, "97010", "0.01", "Ioc"))
    status = result.exchange.outcomes[0].response["data"]["statuses"][0]
    assert status["filled"]["totalSz"] == "0.01"
    assert float(status["filled"]["avgPx"]) == 97000


def test_a_deposit_can_be_traded_from_the_next_batch():
    world = World()
    before = cash(world, account(0))
    world.evm_batch(transfer(KEYS[0], 0, TOKEN, 0, erc20_transfer(SYSTEM, 500 * UNIT)))
    assert cash(world, account(0)) == before, "credits belong to segment 2 of the next batch"
    assert world.chain.cursor.effects.amount == 500 * UNIT
    check_solvency(world.chain)
    world.batch()
    assert cash(world, account(0)) == before + 500 * UNIT
    check_solvency(world.chain)


def test_a_withdrawal_is_an_erc20_transfer_that_logs_show():
    world = World()
    held = tokens(world, account(0))
    world.batch(spot_send(KEYS[0], world.now_ms, SYSTEM, "250"))
    assert world.chain.cursor.effects.amount == 250 * UNIT
    result = world.evm_batch()
    assert tokens(world, account(0)) == held + 250 * UNIT
    record = result.records[0]
    assert record.is_system and record.succeeded and record.sender == SYSTEM
    log = record.logs[0]
    assert log.address == TOKEN and log.topics[0] == TRANSFER_TOPIC
    assert log.topics[1][12:] == SYSTEM and log.topics[2][12:] == account(0)
    assert int.from_bytes(log.data, "big") == 250 * UNIT
    check_solvency(world.chain)


def test_withdrawals_beyond_the_cap_wait_for_the_next_evm_batch():
    world = World()
    world.chain.network = replace(NETWORK, batches=replace(NETWORK.batches, withdrawals_max=1))
    world.batch(*[spot_send(KEYS[index], world.now_ms, SYSTEM, "5") for index in range(3)])
    assert [len(world.evm_batch().records) for _ in range(4)] == [1, 1, 1, 0]
    check_solvency(world.chain)


def test_those_that_wait_count_against_the_queue_until_they_are_paid(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transfers, "WITHDRAWALS_WAITING_MAX", 1)
    world = World()
    statuses = []
    for index, batch in enumerate((world.batch, world.batch, world.evm_batch, world.batch)):
        result = batch(spot_send(KEYS[index], world.now_ms, SYSTEM, "5"))
        statuses.append(result.exchange.outcomes[0].status)
        waiting = len(world.chain.cursor.effects.withdrawals)
        assert waiting == (0 if batch == world.evm_batch else 1)
    assert statuses == ["executed", "failed", "failed", "executed"]
    check_solvency(world.chain)


def test_a_transaction_that_cannot_pay_is_skipped_and_invalidates_nothing():
    world = World()
    poor = (99).to_bytes(32, "big")
    result = world.evm_batch(transfer(poor, 0, account(1), 1), transfer(KEYS[0], 0, account(1), 1))
    assert [reason.split(" (")[0] for _, reason in result.skipped] == [
        "insufficient funds for gas * price + value"
    ]
    assert len(result.records) == 1


def test_hashes_of_confirmed_blocks_are_where_contracts_look_for_them():
    world = World()
    world.batch()
    head = world.chain.head
    stored = world.chain.state.storage(HISTORY_ADDRESS, head.number % 8191)
    assert stored.to_bytes(32, "big") == head.hash


def test_the_same_action_does_not_take_effect_twice():
    world = World()
    once = order(KEYS[0], world.now_ms, 0, True, "90000", "0.01")
    world.batch(once)
    with pytest.raises(InvalidBatch, match="duplicate nonce"):
        world.batch(once)


# What a batch may not do


def refuse(world: World, match: str, **changes) -> None:
    proposal = forged(world, **changes)
    before = snapshot(world)
    with pytest.raises(InvalidBatch, match=match):
        apply_batch(world.chain, proposal)
    assert snapshot(world) == before, "a refused batch changes nothing"


def forged(world: World, **changes):
    """The next batch as the leader would make it, changed."""
    world.batch()
    return replace(undo_batch(world.chain).batch, **changes)


def snapshot(world: World):
    """All that a later batch may depend on."""
    chain = world.chain
    state = chain.state
    accounts = [state.account(row.address) for row in NETWORK.allocations]
    return (
        chain.cursor,
        accounts,
        tokens(world, SYSTEM),
        [tokens(world, row.address) for row in NETWORK.allocations],
        sorted(all_leaves(chain.exchange)),
        [chain.exchange.rows.book.side_levels(0, side) for side in (0, 1)],
        len(state.layers),
    )


def rubbish(world: World) -> dict[str, tuple[str, list[bytes]]]:
    """What the state before a batch excludes, by what is wrong with it."""
    now = world.now_ms
    used = order(KEYS[0], now, 0, True, "90000", "0.01")
    world.batch(used)
    world.chain.exchange.rows.accounts["credits_used"][1] = 10**9 - 3  # dev's grant, but for three
    return {
        "an unknown signer": ("does not exist", [order(POOR, now, 0, True, "90000", "0.01")]),
        "a used nonce": ("duplicate nonce", [used]),
        "an old nonce": (
            "outside the window",
            [order(KEYS[0], now - 3 * 86_400_000, 0, True, "90000", "0.01")],
        ),
        "expired": ("expired", [l1_action(KEYS[0], now + 1, {"type": "noop"}, expires_after=now - 1)]),
        "one nonce twice": (
            "duplicate nonce",
            [
                l1_action(KEYS[0], now + 2, {"type": "noop"}),
                order(KEYS[0], now + 2, 0, True, "90000", "0.01"),
            ],
        ),
        "no credits for all of them": (
            "Too many cumulative requests",
            [l1_action(KEYS[1], now + n, {"type": "noop"}) for n in range(4)],
        ),
    }


@pytest.mark.parametrize("kind", rubbish(World()))
def test_a_batch_that_holds_what_its_parent_state_excludes_is_the_leaders_fault(kind):
    world = World()
    problem, transactions = rubbish(world)[kind]
    refuse(world, problem, transactions=tuple(transactions))


def test_a_gap_in_the_sequence_is_refused():
    refuse(World(), "does not follow", seq=7)


def test_another_parent_is_refused():
    refuse(World(), "does not follow", parent_hash=bytes(32))


def test_time_that_does_not_rise_is_refused():
    refuse(World(), "time does not rise", time_ms=NETWORK.chain_id)


def test_a_base_that_nobody_knows_is_refused():
    refuse(World(), "unknown base", base_hash=bytes(32))


def test_a_transaction_that_does_not_decode_is_refused():
    refuse(World(), "invalid transaction", transactions=(b"\x70junk",))


def test_a_transaction_twice_is_refused():
    world = World()
    raw = order(KEYS[0], world.now_ms, 0, True, "90000", "0.01")
    refuse(world, "a transaction twice", transactions=(raw, raw))


def test_contracts_do_not_run_in_other_than_evm_batches():
    world = World()
    refuse(world, "too much gas", transactions=(transfer(KEYS[0], 0, account(1), 1),))


def test_more_transactions_than_the_network_allows_are_refused():
    world = World()
    batch = forged(world)
    world.chain.network = replace(NETWORK, batches=replace(NETWORK.batches, actions_max=0))
    with pytest.raises(InvalidBatch, match="too many transactions"):
        apply_batch(world.chain, batch)


def test_time_travel_is_refused_outside_dev():
    world = World()
    batch = forged(world, evm_offset_s=5)
    world.chain.network = replace(NETWORK, kind="test")
    with pytest.raises(InvalidBatch, match="time travel"):
        apply_batch(world.chain, batch)


def test_a_batch_without_a_federation_is_refused_by_name():
    world = World()
    batch = forged(world)
    world.chain.genesis = replace(world.chain.genesis, federation=Federation(()))
    with pytest.raises(NotSupported, match="mode B"):
        apply_batch(world.chain, batch)


# Taking back


def step(world: World, choice: int, amount: int) -> tuple[bytes, ...]:
    """A transaction for the next batch, of one of the kinds that cross between contracts and exchange."""
    key, nonce = KEYS[amount % 5], world.now_ms + amount
    if choice == 0:
        return (order(key, nonce, 0, amount % 2 == 0, str(96_990 + amount % 20), "0.02"),)
    if choice == 1:
        return (spot_send(key, nonce, SYSTEM, str(1 + amount)),)
    if choice == 2:
        return (l1_action(key, nonce, {"type": "cancel", "cancels": [{"a": 0, "o": 1 + amount % 7}]}),)
    if choice == 3 and NETWORK.batches.is_evm(world.chain.cursor.seq + 1):
        sender = amount % 5
        number = world.chain.state.nonce(account(sender))
        return (transfer(KEYS[sender], number, TOKEN, 0, erc20_transfer(SYSTEM, amount + 1)),)
    return ()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), min_size=1, max_size=12))
def test_undoing_batches_leaves_no_trace_and_applying_them_again_gives_the_same(steps):
    world = World()
    world.batch()
    before, batches, after = [], [], []
    for choice, amount in steps:
        before.append(snapshot(world))
        batches.append(world.batch(*step(world, choice, amount)))
        after.append(snapshot(world))
    for want in reversed(before):
        undo_batch(world.chain)
        assert snapshot(world) == want
    for made, want in zip(batches, after, strict=True):
        again = apply_batch(world.chain, made.batch)
        assert (again.digest, again.records, again.layer) == (made.digest, made.records, made.layer)
        assert snapshot(world) == want
    check_solvency(world.chain)
    owed = conserved_sum(world.chain.exchange) + world.chain.cursor.effects.amount
    assert owed == tokens(world, SYSTEM)
