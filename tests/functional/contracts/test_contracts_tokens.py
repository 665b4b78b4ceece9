"""OpenZeppelin's ERC-20, as published, and the ways in which contracts answer clients: logs, errors, gas."""

from collections.abc import Iterator

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.clients.npm import artifact, installed
from tests.functional.contracts.contracts import TOKEN, Chain

pytestmark = pytest.mark.slow
OPEN_ZEPPELIN = "@openzeppelin/contracts@4.9.6"
DEPLOYER = Web3.to_checksum_address("0x4e59b44847b379578588920ca78fbf26c0b4956c")
SUPPLY = 1_000_000 * 10**18
_ERRORS = [
    {"type": "function", "name": "transfer", "stateMutability": "nonpayable",
     "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
     "outputs": [{"name": "", "type": "bool"}]},
    {"type": "error", "name": "ERC20InsufficientBalance",
     "inputs": [{"name": "sender", "type": "address"}, {"name": "balance", "type": "uint256"},
                {"name": "needed", "type": "uint256"}]},
]  # fmt: skip


@pytest.fixture(scope="module")
def chain(market_node: LocalNode) -> Chain:
    return Chain(market_node.rpc_url, Account.from_key(dev_keys()[7]))


@pytest.fixture(scope="module")
def token(chain: Chain) -> Iterator[Contract]:
    preset = artifact(
        installed(OPEN_ZEPPELIN), "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json"
    )
    yield chain.deploy(preset, "Test Gold", "TGLD", SUPPLY, chain.address)


@pytest.fixture(scope="module")
def stranger() -> LocalAccount:
    return Account.create()


def test_the_published_token_deploys_and_introduces_itself(token: Contract, chain: Chain) -> None:
    assert (token.functions.name().call(), token.functions.symbol().call()) == ("Test Gold", "TGLD")
    assert token.functions.totalSupply().call() == SUPPLY == token.functions.balanceOf(chain.address).call()


def test_transfers_move_balances_and_are_found_by_any_filter_of_their_topics(
    token: Contract, chain: Chain, stranger: LocalAccount
) -> None:
    other = Account.create().address
    first = chain.do(token.functions.transfer(stranger.address, 5 * 10**18))
    second = chain.do(token.functions.transfer(other, 7 * 10**18))
    chain.do(token.functions.approve(stranger.address, 11))
    assert token.functions.balanceOf(stranger.address).call() == 5 * 10**18
    assert token.functions.allowance(chain.address, stranger.address).call() == 11
    blocks = {"fromBlock": first["blockNumber"], "toBlock": "latest", "address": token.address}

    def values(*topics: object) -> list[int]:
        logs = chain.web3.eth.get_logs({**blocks, "topics": list(topics)})
        return [int.from_bytes(log["data"], "big") for log in logs]

    transfer = Web3.to_hex(Web3.keccak(text="Transfer(address,address,uint256)"))
    approval = Web3.to_hex(Web3.keccak(text="Approval(address,address,uint256)"))
    to_first, to_second = (
        Web3.to_hex(encode(["address"], [address])) for address in (stranger.address, other)
    )
    assert values(transfer) == [5 * 10**18, 7 * 10**18]
    assert values(None, None, to_second) == [7 * 10**18]
    assert values(transfer, None, [to_first, to_second]) == [5 * 10**18, 7 * 10**18]
    assert values([transfer, approval], None, to_first) == [5 * 10**18, 11]
    assert values(approval, None, to_second) == []
    at_hash = {"blockHash": second["blockHash"], "address": [token.address, TOKEN], "topics": [transfer]}
    assert [log["logIndex"] for log in chain.web3.eth.get_logs(at_hash)] == [second["logs"][0]["logIndex"]]
    (decoded,) = token.events.Transfer().process_receipt(second)
    assert decoded["args"]["to"] == other


def test_the_reason_of_a_revert_reaches_web3(token: Contract, chain: Chain, stranger: LocalAccount) -> None:
    too_much = token.functions.transfer(chain.address, 10**30)
    with pytest.raises(ContractLogicError, match="ERC20: transfer amount exceeds balance"):
        too_much.call({"from": stranger.address})
    with pytest.raises(ContractLogicError, match="ERC20: transfer amount exceeds balance"):
        too_much.estimate_gas({"from": stranger.address})
    receipt = chain.send(
        {
            "to": token.address,
            "gas": 100_000,
            "data": token.encode_abi("transfer", [stranger.address, 2**255]),
        }
    )
    assert receipt["status"] == 0 and receipt["logs"] == [] and receipt["gasUsed"] < 100_000


def test_a_custom_error_reaches_web3_with_its_fields(chain: Chain, stranger: LocalAccount) -> None:
    quote = chain.web3.eth.contract(TOKEN, abi=_ERRORS)
    with pytest.raises(ContractCustomError) as caught:
        quote.functions.transfer(chain.address, 9).call({"from": stranger.address})
    selector = Web3.keccak(text="ERC20InsufficientBalance(address,uint256,uint256)")[:4]
    fields = encode(["address", "uint256", "uint256"], [stranger.address, 0, 9])
    assert caught.value.data == Web3.to_hex(selector + fields)


def test_estimated_gas_is_enough_and_hardly_more_than_what_is_used(token: Contract, chain: Chain) -> None:
    """An estimate must succeed (`do` sends with exactly it); above the gas used it may hold only what a refund
    pays back afterwards and what a call keeps back (1/64)."""
    receiver = Account.create().address
    fresh = token.functions.transfer(receiver, 100)
    estimate = fresh.estimate_gas({"from": chain.address})
    used = chain.do(fresh)["gasUsed"]
    assert used == estimate  # no call, no refund
    # EIP-2929, EIP-2200: the second transfer writes a slot that is not zero any more, 17,100 gas less.
    assert chain.do(token.functions.transfer(receiver, 100))["gasUsed"] == used - 17_100
    chain.do(token.functions.approve(receiver, 5))
    cleared = token.functions.approve(receiver, 0)
    estimate = cleared.estimate_gas({"from": chain.address})
    used = chain.do(cleared)["gasUsed"]
    # EIP-3529: clearing a slot refunds 4,800, after the run.
    assert used < estimate <= used + 4_800
    assert chain.web3.eth.estimate_gas({"from": chain.address, "to": receiver, "value": 1}) == 21_000


def test_a_contract_appears_where_the_deterministic_deployer_says(chain: Chain) -> None:
    """The proxy that every tool expects: 32 bytes of salt, then creation code; the address is known before."""
    salt = Account.create().key  # any 32 bytes never used before
    code = bytes.fromhex("602a5f526001601ff3")  # deploys the one byte 2a
    address = Web3.to_checksum_address(
        Web3.keccak(b"\xff" + bytes.fromhex(DEPLOYER[2:]) + salt + Web3.keccak(code))[12:]
    )
    assert chain.web3.eth.get_code(address) == b""
    assert chain.send({"to": DEPLOYER, "data": salt + code})["status"] == 1
    assert chain.web3.eth.get_code(address) == b"\x2a"
    with pytest.raises((ContractLogicError, Web3RPCError), match="execution reverted"):
        chain.web3.eth.estimate_gas({"from": chain.address, "to": DEPLOYER, "data": salt + code})
