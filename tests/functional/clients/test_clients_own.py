"""Our own client against a started node: trading, agents, funds, streams, and what must not work."""

import asyncio
import json
import subprocess
import sys
from decimal import Decimal

import pytest
from eth_account.signers.local import LocalAccount

from coinone.interfaces.client import AsyncClient, Client, Domain, Refused, actions, new_cloid, round_price
from coinone.interfaces.client.actions import Order
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from coinone.interfaces.client.signing import Signer, sign_action
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 5


@pytest.fixture
def client(market_node: LocalNode, wallet: LocalAccount) -> Client:
    return Client(market_node.url, key=bytes(wallet.key))


def below(client: Client, coin: str, part: str = "0.95") -> Decimal:
    market = client.markets()[coin]
    return round_price(Decimal(client.mids()[coin]) * Decimal(part), market.size_decimals)


def test_an_order_is_placed_found_and_cancelled(client: Client) -> None:
    cloid = new_cloid()
    status = client.order("ETH", True, "0.2", below(client, "ETH"), cloid=cloid)
    oid = status["resting"]["oid"]
    assert client.order_status(cloid)["order"]["order"]["oid"] == oid
    assert client.cancel_by_cloid([(1, cloid)]) == ["success"]
    assert client.order_status(oid)["order"]["status"] == "canceled"


def test_all_orders_of_one_market_are_cancelled_by_naming_it(client: Client) -> None:
    for coin in ("ETH", "ETH", "BTC"):
        client.order(coin, True, "0.2", below(client, coin))
    assert client.cancel_all("ETH") == 2
    assert [order["coin"] for order in client.open_orders()] == ["BTC"]
    assert (client.cancel_all("ETH"), client.cancel_all("BTC")) == (0, 1)


def test_the_same_signed_bytes_take_effect_once(
    client: Client, market_node: LocalNode, wallet: LocalAccount
) -> None:
    wanted = Order(1, True, "0.2", below(client, "ETH"), cloid=new_cloid())
    body = sign_action(Signer(bytes(wallet.key)), Domain.coinone(926002), actions.order([wanted]))

    async def thrice() -> list[object]:
        async with AsyncClient(market_node.url) as other:
            from coinone.interfaces.client.steps import Request

            return await asyncio.gather(
                *(other._perform(Request("/exchange", body)) for _ in range(3)), return_exceptions=True
            )

    asyncio.run(thrice())
    mine = [each for each in client.open_orders() if each.get("cloid") == wanted.cloid]
    assert len(mine) == 1
    assert client.cancel_all() >= 1 and client.open_orders() == []


def test_a_signature_for_another_chain_is_refused(market_node: LocalNode, wallet: LocalAccount) -> None:
    stranger = Client(market_node.url, key=bytes(wallet.key), domain=Domain.coinone(926000))
    with pytest.raises(Refused):
        stranger.order("ETH", True, "0.2", below(stranger, "ETH"))
    with pytest.raises(Refused):
        stranger.send("0x" + "12" * 20, 10)


def test_an_agent_trades_and_cannot_move_funds(client: Client, market_node: LocalNode) -> None:
    key = Signer("0x" + "a7" * 32)
    client.approve_agent("0x" + key.address.hex(), "tester")
    agent = Client(market_node.url, key="0x" + "a7" * 32, account=client.account)
    oid = agent.order("SOL", True, 5, below(agent, "SOL"))["resting"]["oid"]
    assert oid in [each["oid"] for each in client.open_orders()]
    assert agent.cancel([(2, oid)]) == ["success"]
    with pytest.raises(Refused):
        agent.send("0x" + "12" * 20, 10)
    with pytest.raises(Refused):
        agent.withdraw(10)


def test_funds_go_to_the_exchange_and_back(client: Client) -> None:
    held, free = client.token_balance(), Decimal(client.summary()["withdrawable"])
    client.deposit("150.5")
    assert client.token_balance() == held - Decimal("150.5")
    wait_for(lambda: Decimal(client.summary()["withdrawable"]) == free + Decimal("150.5"), "the deposit")
    client.withdraw("150.5")
    wait_for(lambda: client.token_balance() == held, "the withdrawal")


def test_an_account_is_checked_against_a_block_of_the_chain(client: Client, market_node: LocalNode) -> None:
    client.order("ETH", True, "0.2", below(client, "ETH"), cloid=(cloid := new_cloid()))

    def proven() -> bool:
        return any(row["sz"] == 2000 for row in client.proven_account().orders.values())  # four decimals

    wait_for(proven, "a block with the order")
    shown = client.proven_account()
    assert client.rpc("eth_getBlockByNumber", hex(shown.block_number), False)["hash"] == shown.block_hash
    command = ["account", "check", str(client.account), "--url", market_node.url]
    printed = subprocess.run(
        [sys.executable, "-m", "coinone.interfaces.cli.main", *command],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(client.account) in printed and "buy" in printed and "ETH" in printed
    client.cancel_by_cloid([(1, cloid)])


def test_refusals_are_the_chains_own_words(client: Client) -> None:
    with pytest.raises(Refused, match="no market DOGE"):
        client.order("DOGE", True, 1, 1)
    with pytest.raises(Refused, match=r"(?i)margin"):
        client.order("BTC", True, 1_500, below(client, "BTC"))
    with pytest.raises(Refused, match="could not immediately match"):
        client.order("BTC", True, "0.01", below(client, "BTC"), "Ioc")


def test_a_stream_shows_the_book_and_the_accounts_own_orders(
    market_node: LocalNode, wallet: LocalAccount
) -> None:
    async def scenario() -> None:
        own = AsyncClient(market_node.url, key=bytes(wallet.key))
        async with asyncio.timeout(20), own as client, client.stream() as stream:
            books = await stream.subscribe({"type": "l2Book", "coin": "ETH"})
            orders = await stream.subscribe({"type": "orderUpdates", "user": client.account})
            first = await anext(books)
            bid, ask = (Decimal(side[0]["px"]) for side in first.data["levels"])
            assert bid < ask
            status = await client.order("ETH", True, "0.3", round_price(bid * Decimal("0.95"), 4))
            oid = status["resting"]["oid"]
            while not any(each["order"]["oid"] == oid for each in (await anext(orders)).data):
                continue
            assert "BTC" in json.dumps(await stream.post("info", {"type": "meta"}))
            await client.cancel_all()

    asyncio.run(scenario())


def test_the_demo_makers_keep_both_sides_of_every_book_and_takers_trade(client: Client) -> None:
    for coin in client.markets():
        bids, asks = client.book(coin)["levels"]
        assert len(bids) >= 5 and len(asks) >= 5
        oracle, mid = (Decimal(x) for x in (client.contexts()[coin]["oraclePx"], client.mids()[coin]))
        assert abs(mid / oracle - 1) < Decimal("0.01")
    wait_for(lambda: float(client.contexts()["BTC"]["dayNtlVlm"]) > 0, "a trade of the takers")


def test_the_demo_makers_come_back_after_the_node_was_killed() -> None:
    import signal

    with LocalNode(demo=True) as node, Client(node.url, key=dev_keys()[6]) as client:
        wait_for(lambda: all(client.book("BTC")["levels"]), "quotes")
        oid = client.order("ETH", True, "0.2", below(client, "ETH"))["resting"]["oid"]
        node.restart(signal.SIGKILL)
        assert oid in [each["oid"] for each in client.open_orders()]  # what was answered is on disk
        wait_for(lambda: all(client.book("BTC")["levels"]), "quotes again")
        volume = Decimal(client.contexts()["BTC"]["dayNtlVlm"])
        wait_for(lambda: Decimal(client.contexts()["BTC"]["dayNtlVlm"]) > volume, "trading again", 30)
