"""Transactions and receipts as JSON, against the conformance cases of ethereum/execution-apis (CC0)."""

import io
import json
import os
import tarfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import decode_any_transaction, effective_gas_price
from coinone.base.primitives import rlp
from coinone.interfaces.api.ethereum.json.blocks import receipt_steps
from coinone.interfaces.api.ethereum.json.transactions import transaction_json
from coinone.interfaces.api.http import jsonio
from coinone.rules.ledger.placed import place
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.steps import finished
from coinone.rules.vm import Log

DATA = os.environ.get("COINONE_DATA")
pytestmark = pytest.mark.skipif(
    DATA is None, reason="COINONE_DATA is unset; cases: github.com/ethereum/execution-apis, tests/"
)


@cache
def cases() -> dict[str, bytes]:
    assert DATA is not None
    with tarfile.open(Path(DATA) / "ethereum-rpc/rpc_tests.tar.xz") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {m.name: io.BytesIO(archive.extractfile(m).read()).getvalue() for m in members}  # type: ignore[union-attr]


def answers(prefix: str) -> list[Any]:
    """Every answer object among the cases of some methods, other than null and errors."""
    found = []
    for name, text in cases().items():
        if name.startswith(f"tests/{prefix}"):
            for line in text.decode().splitlines():
                if line.startswith("<< "):
                    result = json.loads(line[3:]).get("result")
                    if result is not None:
                        found.append(result)
    return found


@cache
def blocks() -> dict[int, tuple[list[Any], list[bytes]]]:
    """Header fields and raw transactions of the cases' chain by number."""
    data, found = cases()["tests/chain.rlp"], {}
    while data:
        size = _length(data)
        header, transactions, *_ = rlp.decode(data[:size])
        raw = [item if isinstance(item, bytes) else rlp.encode(item) for item in transactions]
        found[int.from_bytes(header[8], "big")] = (header, raw)
        data = data[size:]
    return found


def _length(data: bytes) -> int:
    first = data[0]
    if first < 0xF8:
        return 1 + first - 0xC0
    width = first - 0xF7
    return 1 + width + int.from_bytes(data[1 : 1 + width], "big")


def ours(number: int, index: int) -> dict[str, Any]:
    """Our JSON of a transaction of that chain."""
    header, raws = blocks()[number]
    base_fee = int.from_bytes(header[15], "big") if len(header) > 15 else 0
    records = [_record(raw, base_fee) for raw in raws[: index + 1]]
    stub: Any = SimpleNamespace(
        number=number, hash=keccak256(rlp.encode(header)), timestamp=int.from_bytes(header[11], "big")
    )
    return transaction_json(place(records).rows[index], stub)


def _record(raw: bytes, base_fee: int) -> TransactionRecord:
    tx = decode_any_transaction(raw)
    price = effective_gas_price(tx, base_fee)
    return TransactionRecord(raw, tx.hash, tx.type, tx.sender, tx.to, False, True, 21000, price, None, ())


def test_transactions_read_exactly_as_the_cases_say() -> None:
    wanted = answers("eth_getTransactionBy")
    for block in answers("eth_getBlockBy"):
        wanted += [tx for tx in block["transactions"] if isinstance(tx, dict)]
    for want in wanted:
        assert ours(int(want["blockNumber"], 16), int(want["transactionIndex"], 16)) == want
    # the cases show no included transaction of the other types
    assert {want["type"] for want in wanted} == {"0x0", "0x1", "0x3"}


def test_receipts_have_the_fields_of_the_cases() -> None:
    log = Log(bytes(20), (bytes(32),), b"")
    record = TransactionRecord(
        b"\x02", bytes(32), 2, bytes(20), None, False, True, 21000, 7, bytes(20), (log,)
    )
    stub: Any = SimpleNamespace(number=1, hash=bytes(32), timestamp=9)
    have = jsonio.decode(jsonio.encode(finished(receipt_steps(place([record]).rows[0], stub))))
    wanted = [r for r in answers("eth_getTransactionReceipt") if r["type"] == "0x2"]
    assert wanted
    for want in wanted:
        assert set(have) == set(want)
        for theirs in want["logs"]:
            assert set(have["logs"][0]) == set(theirs)
