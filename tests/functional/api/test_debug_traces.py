"""debug_trace* of the same transactions on our node and on anvil (Foundry), field by field.

Both chains get the same account, the same contract at the same address and the same transactions, so traces must
agree: program counters, opcodes, gas, stacks, the tree of calls, the accounts touched. What differs by nature
(block fields, base fee) is kept out of the programs.
"""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint

from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode, free_ports
from contracts.anvil import PACKAGE, command, program_in
from tests.functional.clients.npm import artifact, installed
from tests.functional.contracts.contracts import SYSTEM_ADDRESS, TOKEN, Chain
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow
OPEN_ZEPPELIN = "@openzeppelin/contracts@4.9.6"
PRESET = "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json"
SUPPLY = 10**24
RECEIVER = Web3.to_checksum_address("0x" + "5e" * 20)


@pytest.fixture(scope="module")
def anvil() -> Iterator[str]:
    program, (port,) = program_in(installed(PACKAGE)), free_ports(1)
    with subprocess.Popen(command(program, port, chain_id=926002, steps_tracing=True)) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(Web3(Web3.HTTPProvider(url)).is_connected, "anvil")
            yield url
        finally:
            process.terminate()


class Pair:
    """One account on both chains; every transaction is sent to both."""

    def __init__(self, ours: str, theirs: str) -> None:
        wallet = Account.create()
        rich = Chain(ours, Account.from_key(dev_keys()[6]))
        rich.send({"to": wallet.address, "value": 10**18})
        self.ours, self.theirs = Chain(ours, wallet), Chain(theirs, wallet)
        self.theirs.web3.provider.make_request(RPCEndpoint("anvil_setBalance"), [wallet.address, hex(10**18)])

    def send(self, **draft: Any) -> tuple[str, str]:
        """The hash on each chain, and both succeeded alike with the same gas."""
        receipts = [chain.send(dict(draft)) for chain in (self.ours, self.theirs)]
        assert receipts[0]["status"] == receipts[1]["status"]
        assert receipts[0]["gasUsed"] == receipts[1]["gasUsed"]
        return tuple(Web3.to_hex(receipt["transactionHash"]) for receipt in receipts)

    def traces(self, hashes: tuple[str, str], **options: Any) -> tuple[Any, Any]:
        return tuple(
            ask(chain, "debug_traceTransaction", name, options)
            for chain, name in zip((self.ours, self.theirs), hashes, strict=True)
        )


def ask(chain: Chain, method: str, *parameters: Any) -> Any:
    answer = chain.web3.provider.make_request(RPCEndpoint(method), list(parameters))
    assert "error" not in answer, answer
    return answer["result"]


@pytest.fixture(scope="module")
def pair(market_node: LocalNode, anvil: str) -> Pair:
    return Pair(market_node.rpc_url, anvil)


@pytest.fixture(scope="module")
def token(pair: Pair) -> Any:
    preset = artifact(installed(OPEN_ZEPPELIN), PRESET)
    made = [chain.deploy(preset, "Gold", "GLD", SUPPLY, chain.address) for chain in (pair.ours, pair.theirs)]
    assert made[0].address == made[1].address
    return made[0]


def steps(trace: Any) -> list[tuple[Any, ...]]:
    return [
        (step["pc"], step["op"], step["gas"], step["gasCost"], step["depth"], step["stack"])
        for step in trace["structLogs"]
    ]


def test_the_steps_of_a_transfer_agree(pair: Pair, token: Any) -> None:
    data = token.encode_abi("transfer", [RECEIVER, 1000])
    ours, theirs = pair.traces(pair.send(to=token.address, data=data, gas=100_000))
    assert (ours["gas"], ours["failed"]) == (theirs["gas"], theirs["failed"])
    assert ours["returnValue"].removeprefix("0x") == theirs["returnValue"].removeprefix("0x")
    assert len(ours["structLogs"]) > 200
    assert steps(ours) == steps(theirs)


def test_the_steps_of_a_revert_agree(pair: Pair, token: Any) -> None:
    data = token.encode_abi("transfer", [RECEIVER, 2 * SUPPLY])
    ours, theirs = pair.traces(pair.send(to=token.address, data=data, gas=100_000))
    assert ours["failed"] is True and theirs["failed"] is True
    assert steps(ours) == steps(theirs)


def test_the_trees_of_calls_agree(pair: Pair, token: Any) -> None:
    """A creation that calls the token, creates with it, and passes a revert on."""
    transfer = bytes.fromhex(token.encode_abi("transfer", [RECEIVER, 7])[2:])
    # CALL token.transfer (reverts: this contract owns nothing), then STATICCALL the identity, then return.
    head = b"".join(
        bytes([0x60, byte, 0x60, place, 0x53]) for place, byte in enumerate(transfer)
    )  # PUSH1 byte PUSH1 place MSTORE8
    call = bytes.fromhex("6020 60c0 6044 5f 5f 73".replace(" ", "")) + bytes.fromhex(token.address[2:])
    tail = bytes.fromhex("62010000 f1 50 6020 60c0 6020 5f 6004 61ffff fa 50 5f5ff3".replace(" ", ""))
    hashes = pair.send(data=head + call + tail, to=b"", gas=1_000_000)
    ours, theirs = pair.traces(hashes, tracer="callTracer", tracerConfig={"withLog": True})
    assert [call["type"] for call in ours["calls"]] == ["CALL", "STATICCALL"]
    assert ours["calls"][0]["error"] == "execution reverted"
    assert tree(ours) == tree(theirs)
    sent = pair.send(to=token.address, data=Web3.to_hex(transfer), gas=100_000)
    ours, theirs = pair.traces(sent, tracer="callTracer", tracerConfig={"withLog": True})
    assert len(ours["logs"]) == 1 and tree(ours) == tree(theirs)


def tree(call: Any, depth: int = 0) -> dict[str, Any]:
    """A call without what one of the two leaves out (empty outputs, places of logs), and without the gas of the
    root: geth shows the transaction's limit there, as we do, anvil what is left of it for the message."""
    kept = {name: call.get(name) for name in ("type", "from", "to", "gasUsed", "input", "error")}
    kept["gas"] = call["gas"] if depth else None
    kept["value"] = int(call.get("value") or "0x0", 16)
    kept["output"] = call.get("output") or "0x"
    kept["logs"] = [(log["address"], log["topics"], log["data"]) for log in call.get("logs") or []]
    kept["calls"] = [tree(below, depth + 1) for below in call.get("calls") or []]
    return kept


def test_the_accounts_touched_agree(pair: Pair, token: Any) -> None:
    other = Account.create().address
    data = token.encode_abi("transfer", [other, 5])
    hashes = pair.send(to=token.address, data=data, gas=100_000)
    ours, theirs = pair.traces(hashes, tracer="prestateTracer")
    for address in (token.address.lower(), pair.ours.address.lower()):
        assert ours[address].get("nonce") == theirs[address].get("nonce")
        assert ours[address].get("code") == theirs[address].get("code")
        mine = {slot: value for slot, value in ours[address].get("storage", {}).items() if int(value, 16)}
        yours = {slot: value for slot, value in theirs[address].get("storage", {}).items() if int(value, 16)}
        assert mine == yours
    ours, theirs = pair.traces(hashes, tracer="prestateTracer", tracerConfig={"diffMode": True})
    address = token.address.lower()
    assert ours["post"][address]["storage"] == theirs["post"][address]["storage"]


def test_calls_are_traced_without_being_sent(pair: Pair, token: Any) -> None:
    """The allowances nobody gave: a call that both chains answer alike, since it reads no block field."""
    data = token.encode_abi("allowance", [RECEIVER, pair.ours.address])
    request = {"from": pair.ours.address, "to": token.address, "data": data, "gas": hex(90_000)}
    ours, theirs = (
        ask(chain, "debug_traceCall", request, "latest", {}) for chain in (pair.ours, pair.theirs)
    )
    assert steps(ours) == steps(theirs)
    ours, theirs = (
        ask(chain, "debug_traceCall", request, "latest", {"tracer": "callTracer"})
        for chain in (pair.ours, pair.theirs)
    )
    assert tree(ours) == tree(theirs)


def test_a_block_is_traced_whole_and_agrees_with_its_receipts(pair: Pair, token: Any) -> None:
    name, _ = pair.send(to=token.address, data=token.encode_abi("transfer", [RECEIVER, 1]), gas=100_000)
    number = pair.ours.web3.eth.get_transaction_receipt(name)["blockNumber"]
    traces = ask(pair.ours, "debug_traceBlockByNumber", hex(number), {"tracer": "callTracer"})
    receipts = pair.ours.web3.eth.get_block_receipts(number)
    assert [trace["txHash"] for trace in traces] == [Web3.to_hex(r["transactionHash"]) for r in receipts]
    for trace, receipt in zip(traces, receipts, strict=True):
        assert int(trace["result"]["gasUsed"], 16) == receipt["gasUsed"]


def test_a_withdrawal_in_the_block_is_passed_over(pair: Pair, market_node: LocalNode) -> None:
    from coinone.interfaces.client import Client

    with Client(market_node.url, key=dev_keys()[6]) as client:
        client.withdraw(12)
    eth = pair.ours.web3.eth

    def paid() -> Any:
        filters = {"fromBlock": 0, "address": TOKEN, "topics": [None, "0x" + "00" * 12 + SYSTEM_ADDRESS[2:]]}
        return eth.get_logs(filters)

    log = wait_for(paid, "the withdrawal's log")[-1]
    (row,) = [
        trace
        for trace in ask(
            pair.ours, "debug_traceBlockByNumber", hex(log["blockNumber"]), {"tracer": "callTracer"}
        )
        if trace["txHash"] == Web3.to_hex(log["transactionHash"])
    ]
    assert row["error"] == "made by the chain itself"


def test_what_cannot_be_traced_is_named(pair: Pair) -> None:
    provider = pair.ours.web3.provider
    for method, parameters, words in (
        ("debug_traceTransaction", ["0x" + "ab" * 32], "transaction not found"),
        ("debug_traceBlockByNumber", ["0x0"], "genesis is not traceable"),
        ("debug_traceBlockByNumber", ["0xffffff"], "block not found"),
        ("debug_traceCall", [{"to": RECEIVER}, "latest", {"tracer": "noSuchTracer"}], "unknown tracer"),
        # JUMPDEST PUSH0 JUMP for ever: the list would be too long, or a slow machine's time is over first
        (
            "debug_traceCall",
            [{"data": "0x5b5f56", "gas": "0x2faf080"}, "latest", {}],
            "too many steps|timeout",
        ),
    ):
        answer = provider.make_request(RPCEndpoint(method), parameters)
        assert re.search(words, answer["error"]["message"]), answer


def test_flat_traces_counted_functions_and_trace_transaction_agree(pair: Pair, token: Any) -> None:
    """anvil's trace_* and 4byteTracer; its gas is without what the transaction costs before it runs, ours is geth's."""
    data = token.encode_abi("transfer", [RECEIVER, 3])
    hashes = pair.send(to=token.address, data=data, gas=100_000)
    ours, theirs = pair.traces(hashes, tracer="4byteTracer")
    assert ours == theirs == {f"{data[:10]}-64": 1}
    flat = [ask(chain, "trace_transaction", name) for chain, name in zip(_chains(pair), hashes, strict=True)]
    assert _frames(flat[0]) == _frames(flat[1])
    receipt = pair.ours.web3.eth.get_transaction_receipt(hashes[0])
    assert {frame["transactionPosition"] for frame in flat[0]} == {receipt["transactionIndex"]}
    number = receipt["blockNumber"]
    whole = ask(pair.ours, "trace_block", hex(number))
    assert [frame for frame in whole if frame["transactionHash"] == hashes[0]] == flat[0]
    assert ask(pair.ours, "trace_transaction", "0x" + "00" * 32) is None
    assert ask(pair.ours, "trace_block", "0xffffff") is None


def _chains(pair: Pair) -> tuple[Chain, Chain]:
    return pair.ours, pair.theirs


def _frames(traces: Any) -> list[Any]:
    """What both chains say alike; not the place in the block, where ours may hold the market's transactions too."""
    names = ("from", "to", "callType", "input", "value")
    return [
        (
            frame["type"],
            frame["traceAddress"],
            frame["subtraces"],
            [frame["action"].get(name) for name in names],
            (frame["result"] or {}).get("output"),
        )
        for frame in traces
    ]


def test_options_that_we_know_are_honoured_or_refused_by_name(pair: Pair, token: Any) -> None:
    data = token.encode_abi("transfer", [RECEIVER, 3])
    name, _ = pair.send(to=token.address, data=data, gas=100_000)
    assert len(ask(pair.ours, "debug_traceTransaction", name, {"limit": 3})["structLogs"]) == 3
    for method, params, words in (
        ("debug_traceTransaction", [name, {"timeout": "soon"}], "timeout must be a duration"),
        ("debug_traceTransaction", [name, {"timeout": "1ns"}], "timeout"),
        ("debug_traceTransaction", [name, {"tracer": "{}"}], "unknown tracer"),
        ("debug_traceCall", [{}, "latest", {"txIndex": "0x0"}], "txIndex is not supported"),
    ):
        answer = pair.ours.web3.provider.make_request(RPCEndpoint(method), params)
        assert words in answer["error"]["message"]
