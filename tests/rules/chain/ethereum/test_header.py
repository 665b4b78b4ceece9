"""What a header of Ethereum owes to its parent, by the arithmetic of the EIPs."""

import pytest

from coinone.base.forms.ethereum import BLOB, EthereumTransaction
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidBlock, InvalidTransaction
from coinone.rules.chain.ethereum.blobs import (
    GAS_PER_BLOB,
    BlobSchedule,
    blob_base_fee,
    check_blobs,
    next_excess,
)
from coinone.rules.chain.imported.blocks import BLOBS
from coinone.rules.chain.imported.header import (
    EMPTY_OMMERS,
    EthereumHeader,
    check_ethereum_header,
    decode_ethereum_block,
    decode_ethereum_header,
    next_base_fee,
)

GWEI = 10**9


def header(parent: bytes = bytes(32), **values: object) -> EthereumHeader:
    """A header of Prague's 21 fields with what matters here filled in."""
    v = {"number": 1, "limit": 30_000_000, "used": 15_000_000, "time": 12, "fee": GWEI, "extra": b"",
         "difficulty": 0, "ommers": EMPTY_OMMERS} | values  # fmt: skip
    fields = [
        parent, v["ommers"], bytes(20), bytes(32), bytes(32), bytes(32), bytes(256), v["difficulty"], v["number"],
        v["limit"], v["used"], v["time"], v["extra"], bytes(32), bytes(8), v["fee"], bytes(32), 0, 0, bytes(32),
        bytes(32),
    ]  # fmt: skip
    return decode_ethereum_header(rlp.decode_list(rlp.decode(rlp.encode(fields))))


@pytest.mark.parametrize(
    ("used", "fee", "want"),
    [
        (15_000_000, GWEI, GWEI),  # at the target, half of the limit
        (30_000_000, GWEI, GWEI + GWEI // 8),  # twice the target: an eighth up
        (0, GWEI, GWEI - GWEI // 8),
        (15_000_001, 7, 8),  # up by at least 1
        (14_999_999, 7, 7),  # down by 7 * 1 / 15,000,000 / 8, rounded to nothing
    ],
)
def test_the_base_fee_follows_the_parents_gas(used: int, fee: int, want: int) -> None:
    assert next_base_fee(header(used=used, fee=fee)) == want


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 3}, "parent"),
        ({"time": 12}, "timestamp"),
        ({"limit": 30_000_000 + 30_000_000 // 1_024}, "gas limit"),
        ({"used": 30_000_001}, "gas used"),
        ({"fee": GWEI + 1}, "base fee"),
        ({"difficulty": 1}, "proof of work"),
        ({"ommers": bytes(32)}, "proof of work"),
        ({"extra": bytes(33)}, "extra data"),
    ],
)
def test_each_rule_refuses_what_breaks_it(change: dict[str, object], words: str) -> None:
    parent = header()
    follows = {"number": 2, "time": 13}
    check_ethereum_header(header(parent.hash, **follows), parent)
    with pytest.raises(InvalidBlock, match=words):
        check_ethereum_header(header(parent.hash, **(follows | change)), parent)


def test_a_block_may_have_63_bits_of_gas_and_no_more() -> None:
    at_most = 2**63 - 1
    parent = header(limit=at_most, used=0, fee=0)
    check_ethereum_header(header(parent.hash, number=2, time=13, limit=at_most, used=0, fee=0), parent)
    with pytest.raises(InvalidBlock, match=f"gas limit.*most={at_most}"):
        check_ethereum_header(
            header(parent.hash, number=2, time=13, limit=at_most + 1, used=0, fee=0), parent
        )


def test_blob_gas_costs_what_the_series_says() -> None:
    """EIP-4844: fake_exponential(1, excess, 3,338,477), about e^(excess / 3,338,477)."""
    schedule = BLOBS["Cancun"]
    assert blob_base_fee(0, schedule) == 1
    assert blob_base_fee(2_314_057, schedule) == 1  # the EIP's own test: just below e^0.6932 = 2
    assert blob_base_fee(2_314_058, schedule) == 2
    assert blob_base_fee(10 * GAS_PER_BLOB * 3, schedule) == 3  # e^(3,932,160 / 3,338,477) = e^1.178 = 3.24


def test_the_excess_counts_what_is_above_the_target() -> None:
    schedule = BlobSchedule(3, 6, 3_338_477)
    assert next_excess(0, 2 * GAS_PER_BLOB, 7, schedule) == 0
    assert next_excess(5, 6 * GAS_PER_BLOB, 7, schedule) == 5 + 3 * GAS_PER_BLOB
    # EIP-7918: 2^13 * 20 wei for execution is more than 2^17 * 1 for a blob, so used * (6 - 3) / 6 is added.
    reserve = BlobSchedule(3, 6, 3_338_477, reserve=True)
    assert next_excess(5, 6 * GAS_PER_BLOB, 20, reserve) == 5 + 3 * GAS_PER_BLOB
    assert next_excess(5, 3 * GAS_PER_BLOB, 20, reserve) == 5 + 3 * GAS_PER_BLOB // 2


def test_blob_transactions_need_blobs_of_a_known_version() -> None:
    good = b"\x01" + bytes(31)
    for hashes in ((), (good,) * 7, (bytes(32),)):
        tx = EthereumTransaction(BLOB, 1, 0, 1, 1, 21_000, bytes(20), 0, b"", blob_hashes=hashes)
        with pytest.raises(InvalidTransaction):
            check_blobs(tx, BLOBS["Cancun"])


def test_malformed_blocks_are_refused() -> None:
    for data in (rlp.encode([]), rlp.encode([[], [], []]), rlp.encode([[b""] * 21, [], [], []])):
        with pytest.raises(DecodeError):
            decode_ethereum_block(data)
    whole = list(header().fields)
    with pytest.raises(DecodeError, match="withdrawals"):
        decode_ethereum_block(rlp.encode([whole, [], []]))
