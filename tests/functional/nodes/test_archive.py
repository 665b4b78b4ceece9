"""A node with --archive: states, proofs, traces and reads of the exchange at blocks that others have forgotten."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode
from coinone.node.limits import UNDO_BLOCKS_MAX
from coinone.rules.state.proofs import verify_proof
from tests.functional.contracts.contracts import TOKEN, Chain

pytestmark = pytest.mark.slow
RECEIVER = Web3.to_checksum_address("0x" + "7d" * 20)
TRADER = "0x" + "7e" * 20  # gets gifts from the faucet: 10,000 quote each, in units of 10^-6
GIFT = 10_000 * 10**6
OPENING = 10**6  # of the first
WITHDRAWABLE = "0x" + "00" * 18 + "0803"  # (address) -> uint64
TRANSFER = "0xa9059cbb" + "00" * 12 + RECEIVER[2:].lower() + f"{11:064x}"
BALANCE = {"to": TOKEN, "data": "0x70a08231" + "00" * 12 + RECEIVER[2:].lower()}


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with LocalNode(arguments=("--archive",)) as node:
        yield Chain(node.rpc_url, Account.from_key(dev_keys()[7]))


@pytest.fixture(scope="module")
def old(chain: Chain) -> dict[str, Any]:
    """A transaction between two gifts, with more blocks behind it than undo records reach."""
    ask(chain, "coinone_faucet", TRADER)
    ask(chain, "evm_mine")
    receipt = chain.send({"to": TOKEN, "data": TRANSFER, "value": 0})
    ask(chain, "coinone_faucet", TRADER)
    for _ in range(UNDO_BLOCKS_MAX + 4):
        ask(chain, "evm_mine")
    return {"number": receipt["blockNumber"], "hash": Web3.to_hex(receipt["transactionHash"])}


def ask(chain: Chain, method: str, *params: Any) -> Any:
    answer = chain.web3.provider.make_request(RPCEndpoint(method), params)
    assert "error" not in answer, answer
    return answer["result"]


def test_calls_and_reads_see_the_old_state(chain: Chain, old: dict[str, Any]) -> None:
    assert chain.web3.eth.block_number > old["number"] + UNDO_BLOCKS_MAX
    for number, held in ((old["number"] - 1, 0), (old["number"], 11), (old["number"] + 1, 11)):
        assert int(ask(chain, "eth_call", BALANCE, hex(number)), 16) == held
    before, after = (
        int(ask(chain, "eth_getTransactionCount", chain.address, hex(number)), 16)
        for number in (old["number"] - 1, old["number"])
    )
    assert after == before + 1
    assert ask(chain, "eth_capabilities")["state"]["oldestBlock"] == "0x0"


def test_contracts_read_the_exchange_as_it_was(chain: Chain, old: dict[str, Any]) -> None:
    read = {"to": WITHDRAWABLE, "data": "0x" + "00" * 12 + TRADER[2:]}
    values = [int(ask(chain, "eth_call", read, hex(n)), 16) for n in (0, old["number"])]
    assert values == [0, GIFT - OPENING]
    assert int(ask(chain, "eth_call", read, "latest"), 16) == 2 * GIFT - OPENING


def test_proofs_hold_against_the_old_root(chain: Chain, old: dict[str, Any]) -> None:
    root = bytes(chain.web3.eth.get_block(old["number"])["stateRoot"])
    proof = ask(chain, "eth_getProof", chain.address, [], hex(old["number"]))
    leaf = verify_proof(
        root,
        keccak256(bytes.fromhex(chain.address[2:])),
        [bytes.fromhex(n[2:]) for n in proof["accountProof"]],
    )
    assert leaf is not None and hex(rlp.decode_int(rlp.decode_list(rlp.decode(leaf))[0])) == proof["nonce"]


def test_old_transactions_are_traced_and_blocks_simulated_after_old_ones(
    chain: Chain, old: dict[str, Any]
) -> None:
    traced = ask(chain, "debug_traceTransaction", old["hash"], {"tracer": "callTracer"})
    assert traced["to"] == TOKEN.lower()
    assert int(traced["gasUsed"], 16) == chain.web3.eth.get_transaction_receipt(old["hash"])["gasUsed"]
    assert ask(chain, "trace_transaction", old["hash"])[0]["action"]["to"] == TOKEN.lower()
    blocks = {"blockStateCalls": [{"calls": [{**BALANCE, "from": chain.address}]}]}
    [block] = ask(chain, "eth_simulateV1", blocks, hex(old["number"] - 1))
    assert int(block["calls"][0]["returnData"], 16) == 0
