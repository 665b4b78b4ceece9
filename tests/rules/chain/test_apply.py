"""Applying batches: transfers, orders, deposits and withdrawals, and taking everything back."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from chain_world import KEYS, World, account, order, transfer


def test_an_ethereum_transfer_moves_coins_in_the_next_evm_batch():
    world = World()
    result = world.evm_batch(transfer(KEYS[0], 0, account(1), 5 * 10**18))
    assert result.records[0].succeeded and result.records[0].gas_used == 21_000
    assert world.chain.state.balance(account(1)) == 1005 * 10**18


def test_two_orders_that_cross_trade_at_the_maker_s_price():
    world = World()
    world.batch()
    world.batch(order(KEYS[0], world.now_ms, 0, False, "97000", "0.01"))
    result = world.batch(order(KEYS[1], world.now_ms + 1, 0, True, "97010", "0.01", "Ioc"))
    print(result.exchange.outcomes)
    status = result.exchange.outcomes[0].response["data"]["statuses"][0]
    assert status["filled"]["avgPx"] == "97000.0" or status["filled"]["avgPx"] == "97000"
