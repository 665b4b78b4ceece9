"""Uniswap v2 as published (factory, pair, router): pools, swaps and prices, against its own paper's arithmetic.

A pool keeps x * y = k. A swap pays 0.3 %: of `given`, 997/1000 counts, and out = 997 g Y / (1000 X + 997 g),
rounded down (Uniswap v2 Core, 3.2.1). The first deposit mints sqrt(x * y) shares, of which 1,000 are nobody's.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError
from web3.logs import DISCARD

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import artifact, installed
from tests.functional.contracts.contracts import Chain

pytestmark = pytest.mark.slow
OPEN_ZEPPELIN = "@openzeppelin/contracts@4.9.6"
UNISWAP = ("@uniswap/v2-core@1.0.1", "@uniswap/v2-periphery@1.1.0-beta.0")
PRESET = "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json"
UNIT = 10**18
FOREVER = 2**63
# keccak256 of the published pair's creation code; the published router has it built in.
PAIR_CODE_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"


@dataclass(frozen=True)
class Market:
    chain: Chain
    factory: Contract
    router: Contract
    weth: Contract
    gold: Contract
    iron: Contract
    pair_abi: list[dict[str, object]]

    def pair(self, one: Contract, other: Contract) -> Contract:
        address = self.factory.functions.getPair(one.address, other.address).call()
        return self.chain.web3.eth.contract(address, abi=self.pair_abi)

    def reserves(self, one: Contract, other: Contract) -> tuple[int, int]:
        """The pool's holdings in the order of the arguments (the pair keeps them by address)."""
        low, high, _ = self.pair(one, other).functions.getReserves().call()
        return (low, high) if int(one.address, 16) < int(other.address, 16) else (high, low)


@pytest.fixture(scope="module")
def market(market_node: LocalNode) -> Market:
    modules = installed(OPEN_ZEPPELIN, *UNISWAP)
    chain = Chain(market_node.rpc_url, Account.from_key(dev_keys()[8]))
    core, periphery = Path("@uniswap/v2-core/build"), Path("@uniswap/v2-periphery/build")
    preset, pair = artifact(modules, PRESET), artifact(modules, str(core / "UniswapV2Pair.json"))
    factory = chain.deploy(artifact(modules, str(core / "UniswapV2Factory.json")), chain.address)
    weth = chain.deploy(artifact(modules, str(periphery / "WETH9.json")))
    router_build = artifact(modules, str(periphery / "UniswapV2Router02.json"))
    router = chain.deploy(router_build, factory.address, weth.address)
    gold, iron = (chain.deploy(preset, name, name, 10**6 * UNIT, chain.address) for name in ("GOLD", "IRON"))
    for token in (gold, iron):
        chain.do(token.functions.approve(router.address, 2**256 - 1))
    chain.do(
        router.functions.addLiquidity(
            gold.address, iron.address, 10 * UNIT, 40 * UNIT, 0, 0, chain.address, FOREVER
        )
    )
    return Market(chain, factory, router, weth, gold, iron, pair[0])


def test_the_first_deposit_mints_the_root_of_the_product(market: Market) -> None:
    pair = market.pair(market.gold, market.iron)
    # sqrt(10 * 40) = 20
    assert pair.functions.totalSupply().call() >= 20 * UNIT
    assert pair.functions.balanceOf(market.chain.address).call() == 20 * UNIT - 1_000
    assert market.reserves(market.gold, market.iron) == (10 * UNIT, 40 * UNIT)


def test_the_pair_lies_where_create2_puts_it(market: Market) -> None:
    tokens = sorted([market.gold.address, market.iron.address], key=lambda address: int(address, 16))
    salt = Web3.solidity_keccak(["address", "address"], tokens)
    factory = bytes.fromhex(market.factory.address[2:])
    expected = Web3.keccak(b"\xff" + factory + salt + bytes.fromhex(PAIR_CODE_HASH[2:]))[12:]
    assert market.pair(market.gold, market.iron).address == Web3.to_checksum_address(expected)


def test_a_swap_pays_what_the_curve_says(market: Market) -> None:
    swap = market.router.functions.swapExactTokensForTokens(
        UNIT, 0, [market.gold.address, market.iron.address], market.chain.address, FOREVER
    )
    held = market.iron.functions.balanceOf(market.chain.address).call()
    receipt = market.chain.do(swap)
    # 997 * 40 / (1000 * 10 + 997) = 39,880 / 10,997 = 3.626443575520596526...
    paid = 39_880 * UNIT // 10_997
    assert market.iron.functions.balanceOf(market.chain.address).call() - held == paid
    assert market.reserves(market.gold, market.iron) == (11 * UNIT, 40 * UNIT - paid)
    assert 11 * (40 * UNIT - paid) > 400 * UNIT  # the fee stays in the pool: k grew
    pair = market.pair(market.gold, market.iron)
    (told,) = pair.events.Swap().process_receipt(receipt, errors=DISCARD)
    assert {told["args"]["amount0Out"], told["args"]["amount1Out"]} == {0, paid}


def test_a_swap_that_would_pay_too_little_reverts_in_words(market: Market) -> None:
    swap = market.router.functions.swapExactTokensForTokens(
        UNIT, 10 * UNIT, [market.gold.address, market.iron.address], market.chain.address, FOREVER
    )
    with pytest.raises(ContractLogicError, match="UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT"):
        swap.estimate_gas({"from": market.chain.address})
    late = market.router.functions.swapExactTokensForTokens(
        UNIT, 0, [market.gold.address, market.iron.address], market.chain.address, 1
    )
    with pytest.raises(ContractLogicError, match="UniswapV2Router: EXPIRED"):
        late.call({"from": market.chain.address})


def test_coins_are_swapped_for_tokens_and_liquidity_comes_out_again(market: Market) -> None:
    chain, router = market.chain, market.router
    chain.do(
        router.functions.addLiquidityETH(market.gold.address, 5 * UNIT, 0, 0, chain.address, FOREVER),
        value=20 * UNIT,
    )
    assert market.weth.functions.totalSupply().call() == 20 * UNIT
    held = market.gold.functions.balanceOf(chain.address).call()
    path = [market.weth.address, market.gold.address]
    chain.do(router.functions.swapExactETHForTokens(0, path, chain.address, FOREVER), value=2 * UNIT)
    # 997 * 2 * 5 / (1000 * 20 + 997 * 2) = 9,970 / 21,994 = 0.453305446940074565...
    assert market.gold.functions.balanceOf(chain.address).call() - held == 9_970 * UNIT // 21_994
    pair = market.pair(market.weth, market.gold)
    shares = pair.functions.balanceOf(chain.address).call()
    assert shares == 10 * UNIT - 1_000  # sqrt(20 * 5) = 10
    chain.do(pair.functions.approve(router.address, shares))
    coins, gold = market.reserves(market.weth, market.gold)
    chain.do(router.functions.removeLiquidityETH(
        market.gold.address, shares, 0, 0, chain.address, FOREVER))  # fmt: skip
    left = coins - shares * coins // (10 * UNIT), gold - shares * gold // (10 * UNIT)
    assert market.reserves(market.weth, market.gold) == left


def test_estimates_of_a_swap_are_enough_and_close(market: Market) -> None:
    """Deep calls keep 1/64 back at each level, and the reentrancy lock's refund comes after the run."""
    swap = market.router.functions.swapExactTokensForTokens(
        UNIT // 10, 0, [market.iron.address, market.gold.address], market.chain.address, FOREVER
    )
    estimate = swap.estimate_gas({"from": market.chain.address})
    used = market.chain.do(swap)["gasUsed"]
    assert used <= estimate <= used * 5 // 4
