"""Real data of Bitcoin and Rootstock, which is not ours to ship: read from COINONE_DATA, or the test skips."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ORIGINS = {
    "btc_headers_741793_741990.txt": "Bitcoin headers 741793 to 741990 and 739872, as in keep-network/tbtc-v2,"
    " solidity/test/relay/longHeaders.json",
    "btc_mainnet_retarget_headers.txt": "the first Bitcoin header of each period, as in rsksmart/rskj,"
    " rskj-core/src/test/resources/checkpoints",
    "btc_spv_proofs.json": "proofs of Bitcoin transactions, as in keep-network/tbtc-v2,"
    " solidity/test/data/deposit-sweep.ts and typescript/test/data/proof.ts",
    "rsk_mainnet_headers_4479841_4480943.txt": "Rootstock headers 4479841 to 4480943, as in rsksmart/rsk-powhsm,"
    " firmware/test/resources/nvm/12-advance-mainnet.json",
    "rsk_peg_transactions.json": "transactions of Rootstock's peg, as in rsksmart/rskj, BitcoinUtilsTest.java",
}


@cache
def text(name: str) -> str:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(f"set COINONE_DATA to a folder with bitcoin/{name}: {ORIGINS[name]}")
    return Path(os.environ["COINONE_DATA"], "bitcoin", name).read_text()


def rows(name: str) -> list[list[str]]:
    return [line.split() for line in text(name).splitlines() if not line.startswith("#")]


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text(name))
    return found
