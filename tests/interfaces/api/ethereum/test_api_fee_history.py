"""Long reads of blocks and of the pool pause after each part, and are charged however they end."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account

from coinone.base.primitives import rlp
from coinone.interfaces.api.admission.sender import NOBODY
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.chain import parts
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.filters import Filter
from coinone.interfaces.api.ethereum.json.blocks import hex_bytes, log_json, receipt_steps
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.methods import fee_history
from coinone.interfaces.api.ethereum.methods import logs as log_methods
from coinone.interfaces.api.http import jsonio
from coinone.node.views.archive import Archive, EthereumPlace
from coinone.rules.ledger.placed import place_rows
from coinone.rules.ledger.receipts import bloom
from coinone.rules.ledger.records import StoredRecord, TransactionRecord, encode_records
from coinone.rules.state.steps import finished
from coinone.rules.vm import Log

BASE_FEE = 100


def record(tip: int, gas: int, is_system: bool = False, raw: bytes = b"") -> bytes:
    """As it is on disk; its logs, which are many, are none that could be decoded."""
    of = TransactionRecord(raw, bytes(32), 0, bytes(20), None, is_system, True, gas, BASE_FEE + tip, None, ())
    parts = list(rlp.parts(of.encoded))
    return rlp.encode_joined([*parts[:-1], rlp.encode([b"no log"])])


class Asked:
    """A call to a chain whose blocks all have these records; `threads` counts the parts."""

    def __init__(self, records: list[bytes], pool: Any = None, size: int = 0) -> None:
        self.threads = 0
        self.split: list[int] = []  # blocks whose records were looked through
        self.purse = TokenBucket(100_000, lambda: 0.0)
        self._records = records
        archive = SimpleNamespace(
            headers=lambda first, last: (
                SimpleNamespace(number=n, base_fee=BASE_FEE, gas_used=10, hash=bytes([n]) * 32)
                for n in range(first, last + 1)
            ),
            records_size=lambda number: size,
            stored=lambda number: map(StoredRecord, records),
            encoded_records=self._encoded,
            place_of=lambda tx_hash: EthereumPlace(7, tx_hash[0]),
        )
        reads = SimpleNamespace(archive=archive, in_thread=self._in_thread, query=self._query)
        self.backend = SimpleNamespace(reads=reads)
        self.sender = NOBODY
        self._pool = pool

    in_parts = Context.in_parts

    @property
    def spent(self) -> int:
        return round(100_000 - self.purse._held)

    def _encoded(self, number: int) -> list[bytes]:
        self.split.append(number)
        return self._records

    async def _in_thread(self, work: Any) -> Any:
        self.threads += 1
        return work()

    async def _query(self, read: Any) -> Any:
        return read(SimpleNamespace(pool=self._pool))


def fees(asked: Asked, last: int, percentiles: list[float]) -> Any:
    return asyncio.run(fee_history._fees_of(asked, 1, last, percentiles))  # type: ignore[arg-type]


def test_a_fee_history_gives_the_tips_with_which_so_much_gas_is_passed() -> None:
    """Of 10 gas the tip 5 has 2, the tip 7 has 3 and the tip 9 has 5: a fifth is passed by 5, up to half by 7. The
    system's own call pays no tip."""
    asked = Asked([record(9, 5), record(5, 2), record(0, 0, is_system=True), record(7, 3)])
    _, rewards = fees(asked, 1, [0, 20, 20.1, 50, 50.1, 100])
    assert rewards == [["0x5", "0x5", "0x7", "0x7", "0x9", "0x9"]]
    assert fees(Asked([]), 1, [50.0])[1] == [["0x0"]]


def test_a_fee_history_does_not_decode_the_logs_of_its_blocks() -> None:
    """14 blocks of 40,500 logs, 0.001 coins each, took more than 5 s of a thread; the logs here would be refused."""
    assert fees(Asked([record(5, 2)]), 3, [50.0])[1] == [["0x5"]] * 3


def test_a_fee_history_lets_others_have_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two blocks, and after 64 transactions of one."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    asked = Asked([record(5, 2)] * 256)
    fees(asked, 10, [50.0])
    assert asked.threads > 10 * 256 // 64


def test_a_fee_history_that_runs_out_of_time_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends after its first part, 64 transactions: one, and two for the 4 MiB in which they stand. It was free."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", 0.0)
    asked = Asked([record(5, 2)] * 256, size=4 * 1024**2)
    with pytest.raises(RpcError, match="query timeout exceeded"):
        fees(asked, 10, [50.0])
    assert asked.spent == 3


def test_a_fee_history_whose_asker_leaves_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 64 of its transactions."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    asked = Asked([record(5, 2)] * 256)

    async def leave(work: Any) -> Any:
        asked.threads += 1
        if asked.threads == 2:
            raise asyncio.CancelledError
        return work()

    asked.backend.reads.in_thread = leave
    with pytest.raises(asyncio.CancelledError):
        fees(asked, 10, [50.0])
    assert asked.spent == 1


class Blocks:
    """Of a chain on disk, all with the same records."""

    def __init__(self, records: list[TransactionRecord]) -> None:
        self._data = encode_records(records)

    def receipts(self, number: int) -> bytes:
        return self._data


def with_logs(gas: int, logs: int) -> TransactionRecord:
    made = tuple(Log(bytes(19) + bytes([n % 256]), (bytes(32),), bytes([n % 7])) for n in range(logs))
    return TransactionRecord(b"", bytes(32), 0, bytes(20), None, False, True, gas, BASE_FEE, None, made)


def test_records_are_read_in_short_steps_as_they_are_at_once() -> None:
    """1,000 logs are 15 steps of 64 and what is left; of those before a transaction the logs are counted only."""
    archive = Archive(Blocks([with_logs(5, 1_000), with_logs(7, 0), with_logs(9, 130)]))  # type: ignore[arg-type]
    rows = archive.records(7)
    assert finished(archive.record_steps(7)) == rows
    assert [finished(archive.placed_steps(7, index)) for index in range(3)] == list(rows)
    assert (rows[2].cumulative_gas, rows[2].first_log_index) == (21, 1_000)
    assert len(list(archive.record_steps(7))) > 15


def test_a_receipt_made_in_short_steps_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt of 40,500 logs was one job of a second: twelve addresses with one request each made others'
    `userFills` take 20 to 34 s."""
    row = place_rows([with_logs(5, 3), with_logs(5, 1_000)])[1]
    header = SimpleNamespace(hash=bytes(32), number=7, timestamp=8)
    monkeypatch.setattr(parts, "PART_S", 0.0)
    asked = Asked([])
    made = asyncio.run(parts.in_parts(asked.backend.reads.in_thread, receipt_steps(row, header)))  # type: ignore[arg-type]
    first, logs = row.first_log_index, row.record.logs
    plain = [log_json(log, header, row.record.hash, row.index, first + n) for n, log in enumerate(logs)]  # type: ignore[arg-type]
    whole = {**made, "logs": plain, "logsBloom": hex_bytes(bloom(logs))}
    assert jsonio.encode(made) == jsonio.encode(whole)
    assert asked.threads > 15


def test_what_is_paid_for_already_may_take_longer_than_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", 0.0)
    row, header = place_rows([with_logs(5, 1_000)])[0], SimpleNamespace(hash=bytes(32), number=7, timestamp=8)

    async def make(is_paid: bool) -> Any:
        steps = receipt_steps(row, header)  # type: ignore[arg-type]
        return await parts.in_parts(Asked([]).backend.reads.in_thread, steps, is_paid)

    assert asyncio.run(make(True))["blockNumber"] == "0x7"
    with pytest.raises(RpcError, match="query timeout exceeded"):
        asyncio.run(make(False))


def transactions(count: int) -> list[bytes]:
    """Of the oldest form: nonce, price, gas, receiver, value, data, and a signature."""
    signed = [
        Account.sign_transaction(
            {
                "nonce": n,
                "gasPrice": 1,
                "gas": 21_000,
                "to": "0x" + "11" * 20,
                "value": n,
                "data": b"",
                "chainId": 1,
            },
            "0x" + "22" * 32,
        )
        for n in range(count)
    ]
    return [bytes(one.raw_transaction) for one in signed]


def whole(asked: Asked, waiting: deque[bytes], told: list[bytes]) -> Any:
    return asyncio.run(log_methods._whole(asked, waiting, told))  # type: ignore[arg-type]


def test_whole_transactions_that_are_in_a_block_by_now_are_told_without_its_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A poll decoded the whole block anew for each of them: a hundred in one of 40,500 logs were 40 s of a thread, for
    a weight of 20. Now it is looked through once; 128 of them cost two, and its 2 MiB one."""
    monkeypatch.setattr(parts, "PART_S", 0.0)
    asked = Asked(
        [record(0, 0, raw=raw) for raw in transactions(128)], SimpleNamespace(get=lambda _: None), 2 * 1024**2
    )
    found = whole(asked, deque(), [bytes([n]) for n in range(128)])
    assert [int(tx["value"], 16) for tx in found] == list(range(128))
    assert (asked.split, asked.spent) == ([7], 3) and asked.threads > 100


def test_a_poll_that_runs_out_of_time_loses_no_transaction_and_is_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "PART_S", 0.0)
    monkeypatch.setattr(parts, "CALL_TIMEOUT_S", 0.0)
    asked = Asked(
        [record(0, 0, raw=raw) for raw in transactions(4)], SimpleNamespace(get=lambda _: None), 2 * 1024**2
    )
    told, waiting = [bytes([n]) for n in range(4)], deque([b"newer"])
    with pytest.raises(RpcError, match="query timeout exceeded"):
        whole(asked, waiting, told)
    assert list(waiting) == [*told, b"newer"]
    assert asked.spent == 1


def test_a_poll_for_blocks_that_fails_is_told_of_them_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six hours of blocks that nobody polled were decoded by the thread that answers everybody: 0.3 s."""
    asked = Asked([])
    block_filter = Filter(None, 3, 0)
    asked.backend.filters = SimpleNamespace(poll=lambda _: block_filter)
    asked.backend.reads.head_number = lambda: 9
    monkeypatch.setattr(parts, "PART_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(parts, "CALL_TIMEOUT_S", 0.0)
        with pytest.raises(RpcError, match="query timeout exceeded"):
            asyncio.run(log_methods.get_filter_changes(asked, "0x1"))  # type: ignore[arg-type]
    told = asyncio.run(log_methods.get_filter_changes(asked, "0x1"))  # type: ignore[arg-type]
    assert told == ["0x" + bytes([n]).hex() * 32 for n in range(3, 10)]
    assert block_filter.next_block == 10 and asked.threads > 7
