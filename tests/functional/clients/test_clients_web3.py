"""web3.py, unmodified, against Ethereum JSON-RPC: transactions, contracts, logs, the way onto the exchange."""

import pytest
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import RPCEndpoint

from coinone.interfaces.client.local import LocalNode
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
ACCOUNT = 3
CHAIN_ID = 926002
SYSTEM_ADDRESS = "0x2000000000000000000000000000000000000000"
TOKEN = "0x00000000000000000000000000000000c0110001"

# A counter, assembled by hand: any call adds 1 to slot 0, logs the new value under topic 0x2a, returns it;
# a call with value reverts with the four bytes de ad be ef.
#   CALLVALUE PUSH1 1a JUMPI  PUSH0 SLOAD PUSH1 01 ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE
#   PUSH1 2a PUSH1 20 PUSH0 LOG1  PUSH1 20 PUSH0 RETURN  INVALID.. JUMPDEST(1a) PUSH4 deadbeef PUSH1 e0 SHL PUSH0
#   MSTORE PUSH1 04 PUSH0 REVERT
_RUNTIME = "34601a575f5460010180" + "5f555f52602a60205fa160205ff3fe" + "fe5b63deadbeef60e01b5f5260045ffd"
_ABI = [
    {"type": "function", "name": "balanceOf", "stateMutability": "view",
     "inputs": [{"name": "owner", "type": "address"}], "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "function", "name": "transfer", "stateMutability": "nonpayable",
     "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
     "outputs": [{"name": "", "type": "bool"}]},
    {"type": "event", "name": "Transfer", "anonymous": False,
     "inputs": [{"name": "from", "type": "address", "indexed": True},
                {"name": "to", "type": "address", "indexed": True},
                {"name": "value", "type": "uint256", "indexed": False}]},
]  # fmt: skip


def initcode() -> str:
    """PUSH1 size DUP1 PUSH1 09 PUSH0 CODECOPY PUSH0 RETURN: nine bytes, then the runtime code."""
    return f"0x60{len(_RUNTIME) // 2:02x}8060095f395ff3{_RUNTIME}"


@pytest.fixture
def web3(market_node: LocalNode, wallet: LocalAccount) -> Web3:
    made = Web3(Web3.HTTPProvider(market_node.rpc_url))
    made.eth.default_account = wallet.address
    return made


def send(web3: Web3, wallet: LocalAccount, **fields: object) -> object:
    """Fill in, sign, send, wait: as web3.py's own documentation does it."""
    draft = {
        "from": wallet.address,
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(wallet.address, "pending"),
        "maxFeePerGas": 2 * web3.eth.gas_price,
        "maxPriorityFeePerGas": 0,
        **fields,
    }
    if "gas" not in draft:
        draft["gas"] = web3.eth.estimate_gas(draft)
    raw = wallet.sign_transaction(draft).raw_transaction
    name = web3.eth.send_raw_transaction(raw)
    assert web3.eth.get_raw_transaction(name) == raw, "in the pool or in a block"
    return web3.eth.wait_for_transaction_receipt(name, timeout=20)


def test_the_chain_introduces_itself(web3: Web3) -> None:
    assert web3.is_connected()
    assert web3.eth.chain_id == CHAIN_ID and web3.net.version == str(CHAIN_ID)
    assert "oinone" in web3.client_version
    assert web3.eth.syncing is False


def test_blocks_grow_and_are_linked(web3: Web3) -> None:
    first = web3.eth.block_number
    wait_for(lambda: web3.eth.block_number >= first + 2, "two blocks")
    newer = web3.eth.get_block(first + 1)
    assert newer["parentHash"] == web3.eth.get_block(first)["hash"]
    assert newer["timestamp"] >= web3.eth.get_block(first)["timestamp"]
    assert web3.eth.get_block(newer["hash"])["number"] == first + 1
    history = web3.eth.fee_history(2, "latest", [50.0])
    assert len(history["baseFeePerGas"]) == 3


@pytest.mark.parametrize("fees", ["dynamic", "legacy", "access list"])
def test_coins_are_sent_with_each_kind_of_transaction(web3: Web3, wallet: LocalAccount, fees: str) -> None:
    receiver = web3.eth.account.create().address
    price = 2 * web3.eth.gas_price
    draft = {
        "to": receiver, "value": 10**15, "gas": 30_000, "chainId": CHAIN_ID,
        "nonce": web3.eth.get_transaction_count(wallet.address),
    }  # fmt: skip
    if fees == "dynamic":
        draft |= {"maxFeePerGas": price, "maxPriorityFeePerGas": 1}
    else:
        draft |= {"gasPrice": price}
    if fees == "access list":
        draft |= {"accessList": [{"address": receiver, "storageKeys": ["0x" + "00" * 32]}], "type": 1}
    before = web3.eth.get_balance(wallet.address)
    name = web3.eth.send_raw_transaction(wallet.sign_transaction(draft).raw_transaction)
    receipt = web3.eth.wait_for_transaction_receipt(name, timeout=20)
    assert receipt["status"] == 1
    assert web3.eth.get_balance(receiver) == 10**15
    spent = before - web3.eth.get_balance(wallet.address)
    assert spent == 10**15 + receipt["gasUsed"] * receipt["effectiveGasPrice"]
    # Yellow Paper: 21,000 for a transfer; EIP-2930: 2,400 an address and 1,900 a key.
    assert receipt["gasUsed"] == (21_000 + 2_400 + 1_900 if fees == "access list" else 21_000)
    found = web3.eth.get_transaction(name)
    assert (found["from"], found["value"], found["blockNumber"]) == (
        wallet.address,
        10**15,
        receipt["blockNumber"],
    )


def test_a_contract_is_deployed_called_and_logs(web3: Web3, wallet: LocalAccount) -> None:
    created = send(web3, wallet, data=initcode())
    counter = created["contractAddress"]
    assert web3.eth.get_code(counter).hex().removeprefix("0x") == _RUNTIME
    assert int.from_bytes(web3.eth.call({"to": counter}), "big") == 1
    for expected in (1, 2):
        receipt = send(web3, wallet, to=counter, data="0x")
        assert receipt["status"] == 1 and int.from_bytes(receipt["logs"][0]["data"], "big") == expected
    assert int.from_bytes(web3.eth.get_storage_at(counter, 0), "big") == 2
    logs = web3.eth.get_logs({"address": counter, "fromBlock": created["blockNumber"], "toBlock": "latest"})
    assert [int.from_bytes(log["data"], "big") for log in logs] == [1, 2]
    topic = "0x" + "00" * 31 + "2a"
    wanted = {"fromBlock": created["blockNumber"], "toBlock": "latest", "topics": [topic], "address": counter}
    assert len(web3.eth.get_logs(wanted)) == 2
    proof = web3.eth.get_proof(counter, [0], "latest")
    assert int.from_bytes(proof["storageProof"][0]["value"], "big") == 2


def test_a_revert_reaches_the_caller_with_its_data(web3: Web3, wallet: LocalAccount) -> None:
    counter = send(web3, wallet, data=initcode())["contractAddress"]
    with pytest.raises((ContractLogicError, Web3RPCError)) as caught:
        web3.eth.call({"to": counter, "value": 1})
    assert "deadbeef" in str(caught.value.data if hasattr(caught.value, "data") else caught.value)
    assert send(web3, wallet, to=counter, value=1, gas=100_000)["status"] == 0


def test_a_transaction_that_may_not_be_is_refused_in_the_words_that_clients_match(
    web3: Web3, wallet: LocalAccount
) -> None:
    draft = {
        "to": wallet.address, "value": 0, "gas": 21_000, "chainId": CHAIN_ID, "nonce": 0,
        "maxFeePerGas": 2 * web3.eth.gas_price, "maxPriorityFeePerGas": 0,
    }  # fmt: skip
    if web3.eth.get_transaction_count(wallet.address) == 0:
        send(web3, wallet, to=wallet.address, value=0)
    with pytest.raises(Web3RPCError, match="nonce too low"):
        web3.eth.send_raw_transaction(wallet.sign_transaction(draft).raw_transaction)
    poor = web3.eth.account.create()
    with pytest.raises(Web3RPCError, match="insufficient funds"):
        web3.eth.send_raw_transaction(poor.sign_transaction(draft).raw_transaction)
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction("0x" + "ab" * 32)


def test_filters_and_new_blocks(web3: Web3) -> None:
    fresh = web3.eth.filter("latest")
    assert wait_for(fresh.get_new_entries, "a new block in the filter")


def test_tokens_sent_to_the_system_address_can_be_traded_at_once_and_come_back(
    web3: Web3, wallet: LocalAccount, market_node: LocalNode
) -> None:
    from coinone.interfaces.client import Client

    token = web3.eth.contract(Web3.to_checksum_address(TOKEN), abi=_ABI)
    held = token.functions.balanceOf(wallet.address).call()
    with Client(market_node.url, key=bytes(wallet.key)) as client:
        before = float(client.summary()["withdrawable"])
        data = token.encode_abi("transfer", [SYSTEM_ADDRESS, 250_000_000])
        receipt = send(web3, wallet, to=token.address, data=data)
        assert receipt["status"] == 1
        (moved,) = token.events.Transfer().process_receipt(receipt)
        assert moved["args"]["value"] == 250_000_000
        wait_for(lambda: float(client.summary()["withdrawable"]) == before + 250, "the deposit")
        client.withdraw(250)
        wait_for(lambda: token.functions.balanceOf(wallet.address).call() == held, "the withdrawal")
        assert float(client.summary()["withdrawable"]) == before


def test_a_batch_of_requests_is_answered_in_order(web3: Web3) -> None:
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block("latest"))
        batch.add(web3.eth.get_block(0))
        newest, genesis = batch.execute()
    assert genesis["number"] == 0 and newest["number"] > 0


def test_unknown_methods_are_named_as_such(web3: Web3) -> None:
    answer = web3.provider.make_request(RPCEndpoint("eth_noSuchThing"), [])
    assert answer["error"]["code"] == -32601
