"""States other than the newest through JSON-RPC: older blocks with proofs, overridden ones, the pool."""

import json
import time
from collections.abc import Iterator

import pytest
from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3RPCError
from web3.types import RPCEndpoint
from websockets.sync.client import connect

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from coinone.rules.state.proofs import verify_proof
from tests.functional.contracts.contracts import TOKEN, Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
RECEIVER = Web3.to_checksum_address("0x" + "7a" * 20)
# balanceOf(0x7a..7a) of an ERC-20
BALANCE_OF = "0x70a08231" + "00" * 12 + "7a" * 20


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    with LocalNode() as made:
        yield made


@pytest.fixture(scope="module")
def chain(node: LocalNode) -> Chain:
    return Chain(node.rpc_url, Account.from_key(dev_keys()[5]))


def ask(chain: Chain, method: str, *params: object) -> object:
    answer = chain.web3.provider.make_request(RPCEndpoint(method), params)
    if "error" in answer:
        raise Web3RPCError(answer["error"]["message"])
    return answer["result"]


def test_the_state_at_each_block_is_what_its_own_root_proves(chain: Chain) -> None:
    blocks = [chain.send({"to": RECEIVER, "value": 1000})["blockNumber"] for _ in range(3)]
    for count, number in enumerate(blocks, 1):
        assert chain.web3.eth.get_balance(RECEIVER, number) == 1000 * count
        assert chain.web3.eth.get_transaction_count(chain.address, number) == count
        proof = ask(chain, "eth_getProof", RECEIVER, [], hex(number))
        root = bytes(chain.web3.eth.get_block(number)["stateRoot"])
        nodes = [bytes.fromhex(item[2:]) for item in proof["accountProof"]]
        leaf = verify_proof(root, keccak256(bytes.fromhex(RECEIVER[2:])), nodes)
        assert leaf is not None and rlp.decode_int(rlp.decode_list(rlp.decode(leaf))[1]) == 1000 * count
    assert chain.web3.eth.get_balance(RECEIVER, "earliest") == 0
    assert chain.web3.eth.get_code(TOKEN, "earliest") == chain.web3.eth.get_code(TOKEN)


def test_a_call_runs_at_an_older_block(chain: Chain) -> None:
    transfer = "0xa9059cbb" + BALANCE_OF[10:] + f"{5_000_000:064x}"
    number = chain.send({"to": TOKEN, "data": transfer, "value": 0})["blockNumber"]
    call = {"to": TOKEN, "data": BALANCE_OF}
    assert int.from_bytes(chain.web3.eth.call(call, number), "big") == 5_000_000
    assert int.from_bytes(chain.web3.eth.call(call, number - 1), "big") == 0


def test_a_block_that_is_not_there_is_named(chain: Chain) -> None:
    with pytest.raises(Web3RPCError, match="header not found"):
        ask(chain, "eth_getBalance", RECEIVER, hex(10**6))


def test_a_call_sees_what_it_is_told_to_pretend_at_the_newest_and_the_pending_block(chain: Chain) -> None:
    broke = Web3.to_checksum_address("0x" + "b0" * 20)
    for block in ("latest", "pending"):
        call = {"from": broke, "to": RECEIVER, "value": "0xde0b6b3a7640000"}
        with pytest.raises(Web3RPCError, match="insufficient funds"):
            ask(chain, "eth_call", call, block)
        rich = {broke: {"balance": "0xde0b6b3a7640000"}}
        assert ask(chain, "eth_call", call, block, rich) == "0x"
        assert ask(chain, "eth_estimateGas", call, block, rich) == hex(21_000)
        # NUMBER PUSH0 MSTORE PUSH1 20 PUSH0 RETURN
        code = {RECEIVER: {"code": "0x435f5260205ff3"}}
        answer = ask(chain, "eth_call", {"to": RECEIVER}, block, code, {"number": "0x3039"})
        assert int(answer, 16) == 12345
    assert chain.web3.eth.get_code(RECEIVER) == b""  # nothing of it is kept


def test_an_estimate_is_enough_in_the_next_second_too(chain: Chain) -> None:
    """A contract that writes once a second: a new slot if the time is later than that of its last call. The least gas
    for its next call asked for at once, in the same second, is used in a later one."""
    # PUSH0 SLOAD DUP1 TIMESTAMP GT SWAP1 SSTORE TIMESTAMP PUSH0 SSTORE STOP, returned by the code that creates it
    code = "0x6a" + "5f548042119055425f5500" + "5f52600b6015f3"
    made = chain.send({"data": code, "value": 0, "to": b""})
    call = {"from": chain.address, "to": made["contractAddress"]}
    for _ in range(3):
        # the batches of the next block, and so the call, have the time of that block
        ask(chain, "evm_setNextBlockTimestamp", chain.web3.eth.get_block("latest")["timestamp"] + 10)
        chain.send(call | {"value": 0, "gas": 100_000})
        least = int(ask(chain, "eth_estimateGas", call), 16)
        time.sleep(1)
        assert chain.send(call | {"value": 0, "gas": least})["status"] == 1


def test_a_transaction_with_its_access_list_uses_the_gas_that_was_foretold(chain: Chain) -> None:
    transfer = "0xa9059cbb" + BALANCE_OF[10:] + f"{1:064x}"
    draft = {"from": chain.address, "to": TOKEN, "data": transfer}
    found = ask(chain, "eth_createAccessList", draft, "latest")
    [entry] = found["accessList"]
    assert entry["address"] == TOKEN.lower() and len(entry["storageKeys"]) == 2  # two balances
    receipt = chain.send(
        {"to": TOKEN, "data": transfer, "value": 0, "gas": 100_000, "accessList": found["accessList"]}
    )
    assert hex(receipt["gasUsed"]) == found["gasUsed"]


def test_what_enters_the_pool_is_announced_and_listed(chain: Chain, node: LocalNode) -> None:
    with connect(f"ws://127.0.0.1:{node.rpc_port}/") as socket:
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newPendingTransactions"]}
        socket.send(json.dumps(request))
        assert "result" in json.loads(socket.recv(5))
        polled = ask(chain, "eth_newPendingTransactionFilter")
        nonce = chain.web3.eth.get_transaction_count(chain.address)
        draft = {
            "to": RECEIVER,
            "value": 1,
            "nonce": nonce + 1,
            "gas": 21_000,
            "gasPrice": 10**9,
            "chainId": chain.web3.eth.chain_id,
        }
        names = []
        for number in (nonce + 1, nonce):  # the second first: it must wait in the queue
            signed = chain.wallet.sign_transaction({**draft, "nonce": number})
            names.append(Web3.to_hex(chain.web3.eth.send_raw_transaction(signed.raw_transaction)))
            if number == nonce + 1:
                queued = ask(chain, "txpool_content")["queued"][chain.address]
                assert [row["hash"] for row in queued.values()] == names
                assert ask(chain, "txpool_status") == {"pending": "0x0", "queued": "0x1"}
        heard = [json.loads(socket.recv(5))["params"]["result"] for _ in names]
        assert heard == names
        assert ask(chain, "eth_getFilterChanges", polled) == names
        assert ask(chain, "eth_getFilterChanges", polled) == []
    wait_for(lambda: ask(chain, "txpool_status") == {"pending": "0x0", "queued": "0x0"}, "an empty pool")


def test_whole_transactions_are_told_of_where_they_are_asked_for(chain: Chain, node: LocalNode) -> None:
    with connect(f"ws://127.0.0.1:{node.rpc_port}/") as socket:
        for kind in ([True], [None]):
            params = ["newPendingTransactions", *kind]
            request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": params}
            socket.send(json.dumps(request))
            assert "result" in json.loads(socket.recv(5))
        polled = ask(chain, "eth_newPendingTransactionFilter", True)
        sent = Web3.to_hex(chain.send({"to": RECEIVER, "value": 5})["transactionHash"])
        heard = [json.loads(socket.recv(5))["params"]["result"] for _ in range(2)]
    [whole] = [each for each in heard if isinstance(each, dict)]
    assert (whole["hash"], whole["value"], whole["from"]) == (sent, "0x5", chain.address.lower())
    assert whole["blockHash"] is None and sent in heard
    assert ask(chain, "eth_getFilterChanges", polled) == [whole]


def test_a_filter_tells_of_blocks_within_its_bounds_only(chain: Chain) -> None:
    transfer = "0xa9059cbb" + BALANCE_OF[10:] + f"{1:064x}"
    head = chain.web3.eth.block_number
    bounds = {"all": {}, "none yet": {"fromBlock": hex(head + 1000)}, "over": {"toBlock": hex(head)}}
    open_filters = {
        name: ask(chain, "eth_newFilter", {"address": TOKEN, **each}) for name, each in bounds.items()
    }
    chain.send({"to": TOKEN, "data": transfer, "value": 0})
    found = {name: ask(chain, "eth_getFilterChanges", each) for name, each in open_filters.items()}
    assert [len(logs) for logs in found.values()] == [1, 0, 0]
    with pytest.raises(Web3RPCError, match="invalid block range params"):
        ask(chain, "eth_newFilter", {"fromBlock": "0x2", "toBlock": "0x1"})


def test_a_call_with_fees_is_judged_and_charged_as_a_transaction_would_be(chain: Chain) -> None:
    base_fee = int(ask(chain, "eth_baseFee"), 16)
    code = {RECEIVER: {"code": "0x3a5f5260205ff3"}}  # returns GASPRICE
    for block in ("latest", "pending"):
        call = {"from": chain.address, "to": RECEIVER, "gas": "0x186a0"}
        offer = {"maxFeePerGas": hex(base_fee * 2), "maxPriorityFeePerGas": "0x5"}
        assert int(ask(chain, "eth_call", call | offer, block, code), 16) == base_fee + 5
        assert int(ask(chain, "eth_call", call, block, code), 16) == 0
        with pytest.raises(Web3RPCError, match=r"err: max fee per gas less than block base fee: address 0x"):
            ask(chain, "eth_call", call | {"maxFeePerGas": hex(base_fee - 1)}, block)
        with pytest.raises(Web3RPCError, match=r"failed with \d+ gas: max priority fee per gas higher"):
            ask(chain, "eth_estimateGas", call | {"maxPriorityFeePerGas": "0x5"}, block)
        with pytest.raises(Web3RPCError, match="chainId does not match node's"):
            ask(chain, "eth_call", call | {"chainId": "0x1"}, block)


def test_proofs_repeat_the_keys_as_they_were_asked_for(chain: Chain) -> None:
    keys = ["0x" + "00" * 31 + "2a", "0x2a"]
    assert [row["key"] for row in ask(chain, "eth_getProof", TOKEN, keys)["storageProof"]] == keys


def test_a_node_without_peers_says_so(chain: Chain) -> None:
    assert chain.web3.net.peer_count == 0
