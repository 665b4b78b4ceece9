"""A contract that trades: it deposits, reads the exchange, writes orders, is filled, and takes its money home."""

from pathlib import Path

import pytest
from eth_account import Account
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError
from web3.types import RPCEndpoint

from coinone.interfaces.client import Client
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import compiled, installed
from tests.functional.contracts.contracts import SYSTEM_ADDRESS, TOKEN, Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
SOURCE = Path(__file__).parents[3] / "contracts" / "test" / "CoreTrader.sol"
SOLC = "solc@0.8.30"
ETH, SOL = 1, 2  # places in the dev network's list of markets
WIRE = 10**8  # CoreWriter's prices and sizes have 8 decimals
ALO, IOC = 1, 3
READS_POSITION = 0x0800
DEPOSIT = 5_000 * 10**6
CREDITED = DEPOSIT - 10**6  # opening the account costs 1


@pytest.fixture(scope="module")
def chain(market_node: LocalNode) -> Chain:
    return Chain(market_node.rpc_url, Account.from_key(dev_keys()[9]))


@pytest.fixture(scope="module")
def quote(chain: Chain) -> Contract:
    return chain.web3.eth.contract(TOKEN, abi=[
        {"type": "function", "name": name, "stateMutability": "view", "inputs": inputs,
         "outputs": [{"name": "", "type": "uint256"}]}
        for name, inputs in (("totalSupply", []), ("balanceOf", [{"name": "owner", "type": "address"}]))
    ] + [
        {"type": "function", "name": "transfer", "stateMutability": "nonpayable",
         "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
         "outputs": [{"name": "", "type": "bool"}]},
    ])  # fmt: skip


@pytest.fixture(scope="module")
def trader(chain: Chain, quote: Contract) -> Contract:
    """The contract, with money on the exchange and no position."""
    made = chain.deploy(compiled(installed(SOLC), SOURCE, "CoreTrader"))
    assert made.functions.exists(chain.address).call() and not made.functions.exists(made.address).call()
    chain.do(quote.functions.transfer(made.address, DEPOSIT))
    chain.do(made.functions.deposit(DEPOSIT))
    wait_for(lambda: made.functions.withdrawable().call() == CREDITED, "the contract's deposit")
    return made


def test_reads_agree_with_the_exchange_api(trader: Contract, market_node: LocalNode) -> None:
    info = trader.functions.perpAssetInfo(ETH).call()
    assert (info[0], info[2], info[3]) == ("ETH", 4, 50)
    token = trader.functions.tokenInfo(0).call()
    assert (token[0], token[4], token[6]) == ("USDC", TOKEN, 6)
    before = trader.functions.batchNumber().call()
    wait_for(lambda: trader.functions.batchNumber().call() > before, "a later batch")
    with Client(market_node.url) as client:
        mark, oracle, bid, ask = trader.functions.prices(ETH).call()
        book = client.book("ETH")["levels"]
    # ETH has 4 size decimals, so its prices have 6 - 4 = 2.
    assert 0 < bid < ask and abs(mark - oracle) < oracle // 20
    assert abs(bid / 100 - float(book[0][0]["px"])) < 0.02 * mark / 100


def test_a_read_of_no_market_fails(trader: Contract) -> None:
    with pytest.raises(ContractCustomError) as caught:
        trader.functions.prices(99).call()
    selector = Web3.keccak(text="ReadFailed(uint160)")[:4]
    assert caught.value.data == Web3.to_hex(selector + (0x0806).to_bytes(32, "big"))


def test_a_contracts_order_is_filled_and_seen_by_its_next_transaction(
    trader: Contract, chain: Chain, market_node: LocalNode
) -> None:
    ask = trader.functions.prices(ETH).call()[3]
    limit = ask * 102 // 100 // 100 * 100  # whole quote units: any size of number is on the tick
    size = 500  # 0.05 ETH
    order = trader.functions.order(ETH, True, limit * WIRE // 100, size * WIRE // 10**4, IOC, 7)
    chain.do(order, gas=300_000)
    assert trader.functions.sizeSeen().call() == 0  # it runs in the next batch, never in its own
    wait_for(lambda: trader.functions.position(ETH).call()[0] == size, "the contract's position")
    with Client(market_node.url) as client:
        state = client.info("clearinghouseState", user=trader.address)
        fills = client.info("userFills", user=trader.address)
    assert state["assetPositions"][0]["position"]["szi"] == "0.05"
    assert {fill["dir"] for fill in fills} == {"Open Long"} and sum(float(f["sz"]) for f in fills) == 0.05
    paid = sum(round(float(fill["px"]) * float(fill["sz"]) * 10**6) for fill in fills)
    position, summary = trader.functions.position(ETH).call(), trader.functions.summary().call()
    assert position[1] == paid and summary[2] > 0
    fees = sum(round(float(fill["fee"]) * 10**6) for fill in fills)
    assert summary[3] == CREDITED - paid - fees
    # Another order sees, inside the EVM, what the first one brought.
    far = trader.functions.prices(SOL).call()[2] // 2 // 10**4  # half the best bid, in whole quote units
    chain.do(trader.functions.order(SOL, True, far * WIRE, WIRE, ALO, 8), gas=300_000)
    assert trader.functions.sizeSeen().call() == 0  # of SOL, that is
    with Client(market_node.url) as client:
        (resting,) = wait_for(lambda: client.info("openOrders", user=trader.address), "the resting order")
        assert resting["coin"] == "SOL" and int(resting["cloid"], 16) == 8
        chain.do(trader.functions.cancel(SOL, 8), gas=200_000)
        wait_for(lambda: not client.info("openOrders", user=trader.address), "the cancellation")


def test_what_read_the_exchange_is_traced_over_what_it_read(trader: Contract, chain: Chain) -> None:
    """The exchange has moved on by then: it is run again within the block."""
    order = chain.do(trader.functions.order(SOL, True, WIRE, WIRE, ALO, 0), gas=300_000)
    answer = chain.web3.provider.make_request(
        RPCEndpoint("debug_traceTransaction"),
        [Web3.to_hex(order["transactionHash"]), {"tracer": "callTracer"}],
    )
    tree = answer["result"]
    assert int(tree["gasUsed"], 16) == order["gasUsed"]
    reads = {call["to"] for call in tree["calls"]} - {"0x" + "33" * 20}
    assert reads == {"0x" + f"{READS_POSITION:040x}"}


def test_money_makes_the_round_trip_and_none_is_made(
    trader: Contract, chain: Chain, quote: Contract, market_node: LocalNode
) -> None:
    """Whatever the contract and the makers do: the supply stands, and what lies at the system address changes
    by deposits and withdrawals alone (the node itself checks after each batch that this is what it owes)."""
    supply, owed = quote.functions.totalSupply().call(), quote.functions.balanceOf(SYSTEM_ADDRESS).call()
    size = trader.functions.position(ETH).call()[0]
    if size:
        bid = trader.functions.prices(ETH).call()[2]
        limit = bid * 98 // 100 // 100 * 100
        order = trader.functions.order(ETH, False, limit * WIRE // 100, size * WIRE // 10**4, IOC, 9)
        chain.do(order, gas=300_000)
        wait_for(lambda: trader.functions.position(ETH).call()[0] == 0, "the flat position")
    left = trader.functions.withdrawable().call()
    assert 0 < left < DEPOSIT + 100 * 10**6
    chain.do(trader.functions.withdraw(left), gas=200_000)
    wait_for(lambda: quote.functions.balanceOf(trader.address).call() == left, "the withdrawal")
    assert trader.functions.withdrawable().call() == 0
    assert trader.functions.summary().call()[0] == 0
    assert quote.functions.balanceOf(SYSTEM_ADDRESS).call() == owed - left
    assert quote.functions.totalSupply().call() == supply
    # A second way home asks for more than there is: nothing happens.
    chain.do(trader.functions.withdraw(1), gas=200_000)
    chain.do(trader.functions.give(chain.address, left))
    assert quote.functions.balanceOf(trader.address).call() == 0
