"""Receipts and bloom filters, beside those of the executable specification."""

from ethereum.forks.osaka.blocks import Log as SpecLog
from ethereum.forks.osaka.blocks import Receipt as SpecReceipt
from ethereum.forks.osaka.bloom import logs_bloom
from ethereum_rlp import rlp as spec_rlp
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import Uint
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.rules.chain.ethereum.receipts import Receipt, bloom, encode_receipt
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
