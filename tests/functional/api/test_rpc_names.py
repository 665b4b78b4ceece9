"""Methods that current clients call by name, on a node of its own."""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from tests.functional.contracts.contracts import TOKEN, Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
RECEIVER = Web3.to_checksum_address("0x" + "7b" * 20)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with LocalNode() as node:
        yield Chain(node.rpc_url, Account.from_key(dev_keys()[6]))


def answer(chain: Chain, method: str, *params: Any) -> Any:
    return chain.web3.provider.make_request(RPCEndpoint(method), params)


def ask(chain: Chain, method: str, *params: Any) -> Any:
    found = answer(chain, method, *params)
    assert "result" in found, found
    return found["result"]


def signed(chain: Chain, **fields: Any) -> str:
    draft = {
        "to": RECEIVER,
        "value": 7,
        "gas": 21_000,
        "gasPrice": 2 * 10**9,
        "nonce": 0,
        "chainId": 0,
    } | fields
    draft["chainId"] = chain.web3.eth.chain_id
    if "nonce" not in fields:
        draft["nonce"] = chain.web3.eth.get_transaction_count(chain.address, "pending")
    return Web3.to_hex(chain.wallet.sign_transaction(draft).raw_transaction)


def test_a_transaction_is_sent_and_its_receipt_is_the_answer(chain: Chain) -> None:
    raw = signed(chain)
    receipt = ask(chain, "eth_sendRawTransactionSync", raw)
    assert receipt["status"] == "0x1" and receipt["to"] == RECEIVER.lower()
    assert receipt == ask(chain, "eth_getTransactionReceipt", receipt["transactionHash"])
    assert answer(chain, "eth_sendRawTransactionSync", raw)["error"]["message"].startswith("nonce too low")


def test_who_waits_in_vain_gets_the_hash_and_code_4(chain: Chain) -> None:
    nonce = chain.web3.eth.get_transaction_count(chain.address)
    late = signed(chain, nonce=nonce + 1)  # waits for the nonce before it
    error = answer(chain, "eth_sendRawTransactionSync", late, 50)["error"]
    assert error["code"] == 4 and error["data"] == Web3.to_hex(Web3.keccak(hexstr=late))
    assert "wasn't processed in 0.05s" in error["message"]
    [queued] = ask(chain, "eth_pendingTransactions")
    assert queued["hash"] == error["data"]
    shown = ask(chain, "txpool_inspect")["queued"][chain.address]
    # geth's form: to, value, gas, price, with the sign of multiplication
    assert shown == {str(nonce + 1): f"{RECEIVER}: 7 wei + 21000 gas \u00d7 2000000000 wei"}
    ask(chain, "eth_sendRawTransaction", signed(chain, nonce=nonce))
    wait_for(lambda: ask(chain, "eth_pendingTransactions") == [], "an empty pool")


def test_a_filled_transaction_needs_a_signature_only(chain: Chain) -> None:
    transfer = "0xa9059cbb" + "00" * 12 + "7b" * 20 + f"{3:064x}"
    filled = ask(chain, "eth_fillTransaction", {"from": chain.address, "to": TOKEN, "input": transfer})
    tx = filled["tx"]
    assert tx["type"] == "0x2" and tx["v"] == tx["r"] == tx["s"] == "0x0"
    assert int(tx["maxFeePerGas"], 16) == 2 * int(ask(chain, "eth_baseFee"), 16) + 1
    assert filled["raw"].startswith("0x02") and tx["hash"] == Web3.to_hex(Web3.keccak(hexstr=filled["raw"]))
    names = ("nonce", "to", "gas", "value", "maxFeePerGas", "maxPriorityFeePerGas", "chainId")
    draft = {name: tx[name] for name in names} | {"data": tx["input"], "type": 2, "to": TOKEN}
    raw = Web3.to_hex(chain.wallet.sign_transaction(draft).raw_transaction)
    assert ask(chain, "eth_sendRawTransactionSync", raw)["status"] == "0x1"


def test_a_transaction_with_blobs_is_not_filled_without_them(chain: Chain) -> None:
    for name in ("blobs", "commitments", "proofs", "blobVersionedHashes"):
        wanted = {"from": chain.address, "to": RECEIVER, name: ["0x01" + "00" * 31]}
        assert answer(chain, "eth_fillTransaction", wanted)["error"]["code"] == -32004
        assert "raw" in ask(chain, "eth_fillTransaction", wanted | {name: None})


def test_set_code_that_no_transaction_may_be_is_not_filled(chain: Chain) -> None:
    agreed = {"chainId": "0x0", "address": TOKEN, "nonce": "0x0", "yParity": "0x0", "r": "0x1", "s": "0x1"}
    for fields, words in (
        ({"data": "0x00", "authorizationList": [agreed]}, "cannot be used to create contract"),
        ({"to": RECEIVER, "authorizationList": []}, "with empty auth list"),
    ):
        wanted = {"from": chain.address, "gas": "0x30000", **fields}
        assert words in answer(chain, "eth_fillTransaction", wanted)["error"]["message"]


def test_headers_and_raw_transactions_are_found_by_place(chain: Chain) -> None:
    receipt = ask(chain, "eth_sendRawTransactionSync", raw := signed(chain))
    number, block_hash, index = (receipt[name] for name in ("blockNumber", "blockHash", "transactionIndex"))
    assert ask(chain, "eth_getRawTransactionByBlockNumberAndIndex", number, index) == raw
    assert ask(chain, "eth_getRawTransactionByBlockHashAndIndex", block_hash, index) == raw
    assert ask(chain, "eth_getRawTransactionByBlockNumberAndIndex", number, "0x99") == "0x"
    header = ask(chain, "eth_getHeaderByNumber", number)
    assert header == ask(chain, "eth_getHeaderByHash", block_hash)
    block = ask(chain, "eth_getBlockByNumber", number)
    assert header.items() <= block.items() and "transactions" not in header
    assert ask(chain, "eth_getHeaderByNumber", "0xffffff") is None


def test_the_node_says_what_it_runs_and_keeps(chain: Chain) -> None:
    current = ask(chain, "eth_config")["current"]
    genesis = ask(chain, "eth_getBlockByNumber", "0x0")["hash"]
    assert current["forkId"] == f"0x{zlib.crc32(bytes.fromhex(genesis[2:])):08x}"  # EIP-2124 without forks
    assert current["precompiles"]["P256VERIFY"] == "0x" + "00" * 18 + "0100"
    assert int(current["chainId"], 16) == chain.web3.eth.chain_id
    assert {"eth", "net", "web3", "debug", "txpool", "rpc", "evm"} <= set(ask(chain, "rpc_modules"))
    assert ask(chain, "eth_capabilities")["state"]["oldestBlock"] == "0x0"


def test_blocks_are_simulated_after_the_newest_one_and_leave_nothing(chain: Chain) -> None:
    head = ask(chain, "eth_getBlockByNumber", "latest")
    transfer = "0xa9059cbb" + "00" * 12 + "7c" * 20 + f"{5:064x}"
    balance = {"to": TOKEN, "input": "0x70a08231" + "00" * 12 + "7c" * 20}
    blocks = [{"calls": [{"from": chain.address, "to": TOKEN, "input": transfer}]}, {"calls": [balance]}]
    first, second = ask(chain, "eth_simulateV1", {"blockStateCalls": blocks}, head["number"])
    assert (int(first["number"], 16), first["parentHash"]) == (int(head["number"], 16) + 1, head["hash"])
    [log] = first["calls"][0]["logs"]
    assert log["address"] == TOKEN.lower() and int(log["data"], 16) == 5
    assert int(second["calls"][0]["returnData"], 16) == 5
    assert int(ask(chain, "eth_call", balance, "latest"), 16) == 0
