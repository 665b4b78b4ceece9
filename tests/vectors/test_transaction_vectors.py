"""Transaction vectors of github.com/ethereum/tests: which bytes are a transaction, whose, and at what price.

They need COINONE_DATA (evm-tests/basic.tar.xz).
"""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.base.forms.ethereum import decode_transaction, encode_transaction
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.chain.ethereum.execution import check_stateless
from coinone.rules.chain.ethereum.intrinsic import intrinsic_gas
from coinone.rules.vm import FORKS

NEEDS = (
    "set COINONE_DATA to a folder with evm-tests/basic.tar.xz (TransactionTests of github.com/ethereum/tests)"
)
FILLED_FOR = ("Cancun", "Shanghai", "London")  # newest first; what is checked did not change between them
CHAIN_ID = 1


def transaction_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    with tarfile.open(Path(os.environ["COINONE_DATA"], "evm-tests", "basic.tar.xz")) as archive:
        for member in archive:
            if member.name.startswith("TransactionTests/") and member.name.endswith(".json"):
                stream = archive.extractfile(member)
                assert stream is not None
                for name, test in json.load(stream).items():
                    yield f"{member.name}::{name}", test


def outcome(data: bytes) -> dict[str, str]:
    tx = decode_transaction(data)
    check_stateless(tx, CHAIN_ID, FORKS["Cancun"])
    assert encode_transaction(tx) == data
    gas = intrinsic_gas(tx, FORKS["Cancun"]).cost
    return {"hash": "0x" + tx.hash.hex(), "sender": "0x" + tx.sender.hex(), "intrinsicGas": hex(gas)}


def test_every_transaction_vector_is_accepted_or_refused_as_it_says() -> None:
    accepted = refused = 0
    failures = []
    for name, test in transaction_tests():
        want = next(test["result"][fork] for fork in FILLED_FOR if fork in test["result"])
        try:
            have = outcome(bytes.fromhex(test["txbytes"][2:]))
        except InvalidInput as error:
            if "exception" not in want:
                failures.append(f"{name}: refused: {error}")
            refused += 1
            continue
        accepted += 1
        expected = {key: want.get(key) for key in have}
        if "exception" in want or int(want["intrinsicGas"], 16) != int(have["intrinsicGas"], 16):
            failures.append(f"{name}: accepted {have}, expected {want}")
        elif (expected["hash"], expected["sender"]) != (have["hash"], have["sender"]):
            failures.append(f"{name}: {have} is not {expected}")
    assert failures == []
    assert accepted >= 30 and refused >= 80
