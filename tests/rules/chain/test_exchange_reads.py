"""Contracts and the exchange: what contracts read of it, and how they act on it."""

import pytest
from eth_abi import decode, encode

from coinone.rules.chain.apply import call_env
from coinone.rules.chain.bridge.precompiles import precompiles_over
from coinone.rules.chain.bridge.system_calls import CORE_WRITER
from coinone.rules.chain.ethereum.call import call
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    SYSTEM,
    TOKEN,
    World,
    account,
    erc20_transfer,
    order,
    transfer,
)

NOBODY = b"\xee" * 20
DOLLARS = 10**6


def read(world: World, number: int, types: list[str], *arguments):
    """A static call of a precompile, decoded; None if it failed."""
    chain = world.chain
    request = CallRequest(
        NOBODY, number.to_bytes(20, "big"), encode(types[0].split(",") if types[0] else [], arguments)
    )
    precompiles = precompiles_over(chain.rules, chain.exchange)
    result = call(chain.state, call_env(chain), request, chain.rules, precompiles)
    return decode(types[1].split(","), result.output) if result.success else None


def traded() -> World:
    """Account 0 is short 0.02 BTC at 97,000, account 1 long; account 2 quotes both sides."""
    world = World()
    world.batch(order(KEYS[0], world.now_ms, 0, False, "97000", "0.02"))
    world.batch(order(KEYS[1], world.now_ms, 0, True, "97000", "0.02", "Ioc"))
    world.batch(
        order(KEYS[2], world.now_ms, 0, True, "96900", "0.01"),
        order(KEYS[2], world.now_ms + 1, 0, False, "97100", "0.01"),
    )
    return world


def test_a_position_reads_as_hyperliquid_encodes_it():
    world, types = traded(), ["address,uint16", "int64,uint64,int64,uint32,bool"]
    # 0.02 BTC at 5 decimals is 2,000 lots; 0.02 * 97,000 = 1,940 dollars; who chose none has a
    # leverage of 10
    assert read(world, 0x0800, types, account(1), 0) == (2_000, 1_940 * DOLLARS, 0, 10, False)
    assert read(world, 0x0800, types, account(0), 0) == (-2_000, 1_940 * DOLLARS, 0, 10, False)
    assert read(world, 0x0800, types, NOBODY, 0)[:3] == (0, 0, 0)


def test_prices_are_in_units_of_the_market():
    world = traded()
    # BTC: szDecimals 5, so prices have 6 - 5 = 1 decimal: 97,000 is 970,000
    assert read(world, 0x0807, ["uint32", "uint64"], 0) == (970_000,)
    assert read(world, 0x080E, ["uint32", "uint64,uint64"], 0) == (969_000, 971_000)
    assert read(world, 0x080E, ["uint32", "uint64,uint64"], 2) == (0, 0)


def test_an_account_s_figures_add_up():
    world = traded()
    types = ["uint32,address", "int64,uint64,uint64,int64"]
    value, margin, notional, raw = read(world, 0x080F, types, 0, account(1))
    mark = read(world, 0x0806, ["uint32", "uint64"], 0)[0]
    assert notional == 2_000 * mark and raw + notional == value and 0 < margin < value
    assert read(world, 0x0803, ["address", "uint64"], account(1))[0] <= value - margin
    total, hold, _ = read(world, 0x0801, ["address,uint64", "uint64,uint64,uint64"], account(1), 0)
    assert total == value and total - hold == read(world, 0x0803, ["address", "uint64"], account(1))[0]


def test_markets_accounts_and_batches_can_be_looked_up():
    world = traded()
    info = decode(
        ["(string,uint32,uint8,uint8,bool)"],
        call(
            world.chain.state,
            call_env(world.chain),
            CallRequest(NOBODY, (0x080A).to_bytes(20, "big"), encode(["uint32"], [2])),
            world.chain.rules,
            precompiles_over(world.chain.rules, world.chain.exchange),
        ).output,
    )
    name, _, decimals, leverage, isolated_only = info[0]
    assert (name, decimals, leverage, isolated_only) == ("SOL", 2, 20, False)
    assert read(world, 0x0810, ["address", "bool"], account(3)) == (True,)
    assert read(world, 0x0810, ["address", "bool"], NOBODY) == (False,)
    assert read(world, 0x0809, ["", "uint64"]) == (world.chain.cursor.seq,)


def called(world: World, request: CallRequest):
    chain, env = world.chain, call_env(world.chain)
    return call(chain.state, env, request, chain.rules, precompiles_over(chain.rules, chain.exchange))


@pytest.mark.parametrize(
    ("number", "types", "arguments"),
    [(0x0800, "address,uint16", (NOBODY, 3)), (0x0806, "uint32", (3,)), (0x080A, "uint32", (99,))],
)
def test_a_market_that_is_not_there_takes_all_the_gas(number, types, arguments):
    world = World()
    request = CallRequest(
        NOBODY, number.to_bytes(20, "big"), encode(types.split(","), arguments), gas=100_000
    )
    result = called(world, request)
    assert not result.success and result.gas_used == 100_000


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), b"\xff" * 32])
def test_malformed_arguments_fail(data):
    request = CallRequest(NOBODY, (0x0806).to_bytes(20, "big"), data, gas=100_000)
    result = called(World(), request)
    assert not result.success


def core_order(is_buy: bool, px: str, sz: str) -> bytes:
    """CoreWriter action 1: prices and sizes with eight decimals, tif 2 is Gtc."""
    fields = (0, is_buy, int(float(px) * 10**8), int(float(sz) * 10**8), False, 2, 0)
    action = b"\x01\x00\x00\x01" + encode(
        ["uint32", "bool", "uint64", "uint64", "bool", "uint8", "uint128"], fields
    )
    return bytes.fromhex("17938e13") + encode(["bytes"], [action])  # sendRawAction(bytes)


def test_an_order_written_by_a_contract_call_rests_after_the_next_batch():
    world = World()
    result = world.evm_batch(transfer(KEYS[4], 0, CORE_WRITER, 0, core_order(True, "96000", "0.01")))
    assert result.records[0].succeeded and result.records[0].gas_used > 45_000
    assert (
        world.chain.exchange.rows.book.best(0, 1) is None
        and world.chain.exchange.rows.book.best(0, 0) is None
    )
    world.batch()
    assert read(world, 0x080E, ["uint32", "uint64,uint64"], 0) == (960_000, 0)


def test_a_stranger_s_core_action_changes_nothing():
    world = World()
    world.evm_batch(transfer(KEYS[0], 0, TOKEN, 0, erc20_transfer(NOBODY, 1)))
    poor = (99).to_bytes(32, "big")
    world.evm_batch(transfer(poor, 0, CORE_WRITER, 0, core_order(True, "96000", "0.01")))
    world.batch()
    assert read(world, 0x080E, ["uint32", "uint64,uint64"], 0) == (0, 0)
    assert NETWORK.quote_token.system_address == SYSTEM
