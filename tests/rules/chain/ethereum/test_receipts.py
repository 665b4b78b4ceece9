"""Receipts and bloom filters, beside those of the executable specification."""

from dataclasses import replace

from ethereum.forks.osaka.blocks import Log as SpecLog
from ethereum.forks.osaka.blocks import Receipt as SpecReceipt
from ethereum.forks.osaka.bloom import logs_bloom
from ethereum_rlp import rlp as spec_rlp
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import Uint
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.ledger.placed import place_steps
from coinone.rules.ledger.receipts import Receipt, bloom, encode_receipt, receipt_steps
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.vm import Log

LOGS = st.builds(
    Log,
    st.binary(min_size=20, max_size=20),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple),
    st.binary(max_size=70),
)


@settings(max_examples=50)
@given(st.sampled_from([0, 1, 2, 4]), st.booleans(), st.integers(0, 2**40), st.lists(LOGS, max_size=3))
def test_a_receipt_is_encoded_as_the_specification_does(
    kind: int, success: bool, gas: int, logs: list[Log]
) -> None:
    spec_logs = tuple(
        [SpecLog(Bytes20(a), tuple([Bytes32(t) for t in topics]), Bytes(data)) for a, topics, data in logs]
    )
    spec = SpecReceipt(success, Uint(gas), logs_bloom(spec_logs), spec_logs)
    prefix = bytes([kind]) if kind else b""
    assert encode_receipt(Receipt(kind, success, gas, tuple(logs))) == prefix + spec_rlp.encode(spec)
    assert bloom(logs) == bytes(logs_bloom(spec_logs))


def test_a_receipt_of_very_many_logs_is_encoded_in_short_steps():
    logs = tuple(Log(bytes(20), (n.to_bytes(32, "big"),), b"") for n in range(1_000))
    receipt = Receipt(2, True, 21_000, logs)
    steps = receipt_steps(receipt)
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            encoded, bits = done.value
            break
        pauses += 1
    assert pauses == 3, "1,000 logs are 256 + 256 + 256 + 232"
    assert encoded == encode_receipt(receipt) and bits.to_bytes(256, "big") == bloom(logs)


def test_a_block_pauses_after_so_many_logs_however_few_transactions_they_are_of():
    logs = tuple(Log(bytes(20), (), b"") for _ in range(1_000))
    records = [TransactionRecord(b"\xc0", bytes(32), 2, bytes(20), None, False, True, 1, 1, None, logs)] * 2
    with_logs = sum(1 for _ in place_steps(records))
    without = sum(1 for _ in place_steps([replace(record, logs=()) for record in records]))
    assert with_logs - without == 2 * (3 + 1), "three within each, and one after it"
