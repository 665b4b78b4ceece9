"""Networks: what the files say, and that only dev starts."""

import pytest

from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.node.networks import NAMES, load_network
from coinone.rules.chain.network import parse_network, require_launched


def test_dev_is_launched_and_carries_three_markets():
    network = load_network("dev")
    require_launched(network)
    assert network.chain_id == 926002
    assert [(row.name, row.sz_decimals, row.max_leverage) for row in network.markets] == [
        ("BTC", 5, 50),
        ("ETH", 4, 50),
        ("SOL", 2, 20),
    ]


@pytest.mark.parametrize("name", ["test", "main"])
def test_a_network_without_a_reviewed_genesis_refuses_to_start(name):
    with pytest.raises(NotSupported, match="not launched"):
        require_launched(load_network(name))


@pytest.mark.parametrize("name", ["test", "main"])
def test_a_network_that_is_not_launched_allocates_nothing(name):
    assert load_network(name).allocations == ()


def test_every_network_has_its_own_chain_id():
    assert len({load_network(name).chain_id for name in NAMES}) == len(NAMES)


def test_the_first_account_is_the_one_every_tool_knows():
    first = load_network("dev").allocations[0]
    # Hardhat's and Anvil's account 0: 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
    assert first.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert first.gas_coin == 1000 * 10**18
    assert first.exchange == 1_000_000 * 10**6


def test_the_system_address_of_token_zero_is_the_field_s():
    # Hyperliquid: 0x20, zeros, token index
    assert load_network("dev").quote_token.system_address.hex() == "20" + "00" * 19


def test_every_fourth_batch_runs_contracts():
    cadence = load_network("main").batches
    assert [seq for seq in range(1, 13) if cadence.is_evm(seq)] == [4, 8, 12]
    assert cadence.gas_limit(5) == 0
    assert cadence.gas_limit(4) == 2_000_000
    assert cadence.gas_limit(40) == 16_777_216


def test_the_block_gas_limit_is_the_most_that_its_batches_can_use():
    # main: 160 batches in a row hold 40 EVM batches, of which 4 are wide: 36 * 2 M + 4 * 16,777,216
    assert load_network("main").block_gas_limit == 36 * 2_000_000 + 4 * 16_777_216


def test_an_unknown_kind_is_refused():
    with pytest.raises(InvalidInput):
        parse_network('kind = "prod"', lambda file: "")
