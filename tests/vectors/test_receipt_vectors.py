"""Blocks of ethereum/execution-spec-tests: the receipts of their transactions, as the block headers commit to them.

Only execution is checked (receipts root, bloom filter, gas used). What Ethereum's block processing does around
it is done here just as far as contracts can see it: block hashes and beacon roots in storage, withdrawals. Tests
with blobs are left out. They need COINONE_DATA (evm-tests/blockchain_eip.tar.xz, blockchain_legacy.tar.xz).
"""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.ethereum.receipts import Receipt, bloom, encode_receipt
from coinone.rules.chain.ethereum.transaction import decode_transaction
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv

NEEDS = "set COINONE_DATA to a folder with evm-tests/blockchain_*.tar.xz (ethereum/execution-spec-tests)"
GWEI = 10**9
BLOCK_HASHES = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
BEACON_ROOTS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")  # EIP-4788
RING = 8_191  # slots of each


def blockchain_tests(archive: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    with tarfile.open(Path(os.environ["COINONE_DATA"], "evm-tests", f"{archive}.tar.xz")) as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                for name, test in json.load(stream).items():
                    yield f"{member.name}::{name.split('::')[-1]}", test


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:].rjust(len(text[2:]) + len(text) % 2, "0"))


def transactions_of(block: dict[str, Any]) -> list[bytes]:
    items = rlp.decode_list(rlp.decode_list(rlp.decode(unhex(block["rlp"])))[1])
    return [item if isinstance(item, bytes) else rlp.encode(item) for item in items]


def wrong_in(test: dict[str, Any]) -> str | None:
    """What our execution of the test's valid blocks gets wrong, if anything."""
    state = State(MemoryDatabase())
    for address, account in test["pre"].items():
        where = unhex(address)
        state.set_account(where, Account(int(account["nonce"], 16), int(account["balance"], 16)))
        state.set_code(where, unhex(account["code"]))
        for slot, value in account["storage"].items():
            state.set_storage(where, int(slot, 16), int(value, 16))
    state.freeze()
    hashes = {0: unhex(test["genesisBlockHeader"]["hash"])}
    for block in test["blocks"]:
        if "blockHeader" not in block:
            continue  # an invalid block
        header = block["blockHeader"]
        if (problem := wrong_in_block(state, test["network"], header, block, hashes)) is not None:
            return f"block {header['number']}: {problem}"
        hashes[int(header["number"], 16)] = unhex(header["hash"])
        for withdrawal in block.get("withdrawals", []):
            where, amount = unhex(withdrawal["address"]), int(withdrawal["amount"], 16) * GWEI
            state.set_balance(where, state.balance(where) + amount)
        state.freeze()
    return None


def wrong_in_block(
    state: State, network: str, header: dict[str, Any], block: dict[str, Any], hashes: dict[int, bytes]
) -> str | None:
    env = BlockEnv(
        chain_id=1,
        number=int(header["number"], 16),
        timestamp=int(header["timestamp"], 16),
        coinbase=unhex(header["coinbase"]),
        gas_limit=int(header["gasLimit"], 16),
        base_fee=int(header["baseFeePerGas"], 16),
        prevrandao=unhex(header["mixHash"]),
        block_hash=hashes.__getitem__,
    )
    gas_used, receipts = 0, []
    note_history(state, env, header)
    for raw in transactions_of(block):
        tx = decode_transaction(raw)
        try:
            result = apply_transaction(
                state,
                env,
                tx,
                FORKS[network],
                fee_policy=FeePolicy.BURN,
                gas_available=env.gas_limit - gas_used,
            )
        except InvalidInput as error:
            return f"refused a transaction: {error}"
        gas_used += result.gas_used
        receipts.append(Receipt(tx.type, result.success, gas_used, result.logs))
    if gas_used != int(header["gasUsed"], 16):
        return f"gas used {gas_used}, header says {int(header['gasUsed'], 16)}"
    if bloom([log for receipt in receipts for log in receipt.logs]) != unhex(header["bloom"]):
        return "bloom differs"
    if ordered_root([encode_receipt(receipt) for receipt in receipts]) != unhex(header["receiptTrie"]):
        return "receipts root differs"
    return None


def note_history(state: State, env: BlockEnv, header: dict[str, Any]) -> None:
    """What the system calls at the start of a block write."""
    if state.code(BLOCK_HASHES):
        parent = int(header["parentHash"], 16)
        state.set_storage(BLOCK_HASHES, (env.number - 1) % RING, parent)
    if state.code(BEACON_ROOTS) and "parentBeaconBlockRoot" in header:
        state.set_storage(BEACON_ROOTS, env.timestamp % RING, env.timestamp)
        state.set_storage(BEACON_ROOTS, env.timestamp % RING + RING, int(header["parentBeaconBlockRoot"], 16))
    state.freeze()


def has_blobs(test: dict[str, Any]) -> bool:
    return any(
        raw[0] == 3 for block in test["blocks"] if "blockHeader" in block for raw in transactions_of(block)
    )


def run(archive: str, least: int, one_in: int = 1) -> None:
    failures, passed = [], 0
    for number, (name, test) in enumerate(blockchain_tests(archive)):
        if number % one_in or test["network"] not in FORKS or has_blobs(test):
            continue
        problem = wrong_in(test)
        if problem is None:
            passed += 1
        else:
            failures.append(f"{name}: {problem}")
    assert failures == []
    assert passed >= least, "the archive holds fewer cases than it should"


def test_receipts_of_a_sample_of_blocks_have_the_roots_of_their_headers() -> None:
    run("blockchain_eip", 60, one_in=10)


@pytest.mark.slow
@pytest.mark.parametrize(("archive", "least"), [("blockchain_eip", 1_200), ("blockchain_legacy", 380)])
def test_receipts_of_every_block_have_the_root_of_its_header(archive: str, least: int) -> None:
    run(archive, least)
