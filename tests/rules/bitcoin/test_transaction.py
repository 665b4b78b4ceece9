"""Transactions: real ones of Rootstock's peg, and every rule that needs nothing but the transaction."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from coinone.base.primitives.errors import DecodeError, InvalidInput, LimitExceeded
from coinone.base.primitives.types import ZERO_HASH
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.transaction import (
    BLOCK_WEIGHT_MAX,
    MONEY_MAX,
    BitcoinTransaction,
    TxInput,
    TxOutput,
    decode_transaction,
)
from tests.rules.bitcoin import samples
from tests.rules.bitcoin.blocks import coinbase, spend

SPENT = TxInput(b"\x11" * 32, 0, witness=(b"\x51",))
PAID = TxOutput(1, b"\x51")
PLAIN = BitcoinTransaction((SPENT._replace(witness=()),), (PAID,))
SEGWIT = BitcoinTransaction((SPENT,), (PAID,))

GENESIS = bytes.fromhex(  # Bitcoin's first transaction
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054"
    "696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420"
    "666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61"
    "deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)


def test_the_first_transaction_of_bitcoin() -> None:
    transaction = decode_transaction(GENESIS)
    assert transaction.txid[::-1].hex() == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert transaction.wtxid == transaction.txid
    assert (transaction.is_coinbase, transaction.outputs[0].value) == (True, 50 * 10**8)
    assert transaction.weight == 4 * 204


def test_real_transactions_of_a_peg_have_their_ids_and_come_back_byte_by_byte() -> None:
    cases = samples.cases("rsk_peg_transactions.json")
    for case in cases:
        transaction = decode_transaction(bytes.fromhex(case["raw"]))
        assert transaction.txid[::-1].hex() == case["txid"]
        assert transaction.encode().hex() == case["raw"]
        without = decode_transaction(transaction.base())
        assert (without.txid, without.has_witness) == (transaction.txid, False)
    assert len(cases) == 17
    assert sum(decode_transaction(bytes.fromhex(case["raw"])).has_witness for case in cases) == 6
    assert sum(decode_transaction(bytes.fromhex(case["raw"])).is_coinbase for case in cases) == 3


def test_a_weight_counts_witnesses_once_and_all_else_four_times() -> None:
    """By hand: 4 + (1 + 41) + (1 + 32 + 36 + 31) + 4 = 150 bytes; 2 for the marker, 1 + (1 + 72) + (1 + 33) = 108."""
    (case,) = [each for each in samples.cases("rsk_peg_transactions.json") if each["label"] == "PEGIN BECH32"]
    assert decode_transaction(bytes.fromhex(case["raw"])).weight == 4 * 150 + 110


def test_real_transactions_cut_short_or_extended_are_refused() -> None:
    for case in samples.cases("rsk_peg_transactions.json"):
        raw = bytes.fromhex(case["raw"])
        for at in range(0, len(raw), max(1, len(raw) // 200)):
            with pytest.raises(InvalidInput):
                decode_transaction(raw[:at])
        with pytest.raises(DecodeError, match="behind the end"):
            decode_transaction(raw + b"\0")


def test_no_flip_of_a_bit_leaves_the_wtxid_as_it_was() -> None:
    """A flip either refuses, or is another transaction that comes back as its own bytes: one spelling for each."""
    refused = changed = 0
    for original in (SEGWIT, coinbase(7), spend(b"\x22" * 32, 10**8)):
        raw = original.encode()
        for bit in range(8 * len(raw)):
            other = bytearray(raw)
            other[bit // 8] ^= 1 << bit % 8
            try:
                transaction = decode_transaction(bytes(other))
            except InvalidInput:
                refused += 1
                continue
            assert transaction.encode() == bytes(other)
            assert transaction.wtxid != original.wtxid
            changed += 1
    assert refused > 200
    assert changed > 1_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SEGWIT.encode()[:5] + b"\x00" + SEGWIT.encode()[6:], "without inputs"),  # flag 0
        (SEGWIT.encode()[:5] + b"\x02" + SEGWIT.encode()[6:], "unknown kind"),
        (PLAIN._head() + b"\x00\x01" + PLAIN._body() + b"\x00" + PLAIN._tail(), "has none"),
        (PLAIN._head() + b"\x00\x01\x00" + bytes(5), "has none"),  # nor inputs
        (PLAIN._head() + b"\x00\x00" + bytes(4), "without inputs"),
        (bytes(BLOCK_WEIGHT_MAX + 1), "too large"),
    ],
)
def test_what_is_marked_wrongly_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        decode_transaction(data)


RULES: list[tuple[str, Callable[[], BitcoinTransaction], str | None]] = [
    ("no outputs", lambda: replace(SEGWIT, outputs=()), "without inputs or outputs"),
    ("value below zero", lambda: replace(SEGWIT, outputs=(TxOutput(-1, b""),)), "value out of range"),
    ("value of all coins", lambda: replace(SEGWIT, outputs=(TxOutput(MONEY_MAX, b""),)), None),
    (
        "value above all coins",
        lambda: replace(SEGWIT, outputs=(TxOutput(MONEY_MAX + 1, b""),)),
        "value out of range",
    ),
    (
        "sum above all coins",
        lambda: replace(SEGWIT, outputs=(TxOutput(MONEY_MAX, b""), PAID)),
        "sum out of range",
    ),
    (
        "one output spent twice",
        lambda: replace(SEGWIT, inputs=(SPENT, SPENT._replace(sequence=0))),
        "spent twice",
    ),
    ("two outputs of one", lambda: replace(SEGWIT, inputs=(SPENT, SPENT._replace(output=1))), None),
    (
        "spends nothing",
        lambda: replace(SEGWIT, inputs=(SPENT, TxInput(ZERO_HASH, 0xFFFFFFFF))),
        "spends nothing",
    ),
    ("zeros alone are no coinbase", lambda: replace(SEGWIT, inputs=(SPENT._replace(txid=ZERO_HASH),)), None),
    (
        "index alone is no coinbase",
        lambda: replace(SEGWIT, inputs=(SPENT._replace(output=0xFFFFFFFF),)),
        None,
    ),
    ("coinbase script of 1", lambda: _coinbase_script(1), "coinbase's script"),
    ("coinbase script of 2", lambda: _coinbase_script(2), None),
    ("coinbase script of 100", lambda: _coinbase_script(100), None),
    ("coinbase script of 101", lambda: _coinbase_script(101), "coinbase's script"),
    ("as heavy as a block", lambda: _heavy(0), None),
    ("heavier than a block", lambda: _heavy(1), "too heavy"),
]


def _coinbase_script(size: int) -> BitcoinTransaction:
    return BitcoinTransaction((TxInput(ZERO_HASH, 0xFFFFFFFF, bytes(size)),), (PAID,))


def _heavy(above: int) -> BitcoinTransaction:
    """By hand: 4 * (4 + 1 + 41 + 1 + 10 + 4) = 244, marker 2, 1 item, 5 for its length: 252 and the item."""
    return BitcoinTransaction((SPENT._replace(witness=(bytes(BLOCK_WEIGHT_MAX - 252 + above),)),), (PAID,))


@pytest.mark.parametrize(("make", "reason"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_a_transaction_keeps_core_s_rules(make: Callable[[], BitcoinTransaction], reason: str | None) -> None:
    transaction = make()
    if reason is None:
        assert decode_transaction(transaction.encode()) == transaction
    else:
        with pytest.raises(InvalidBitcoin, match=reason):
            decode_transaction(transaction.encode())


def test_a_count_that_no_transaction_could_hold_is_refused_early() -> None:
    data = PLAIN._head() + b"\xfe\xff\xff\xff\x01" + bytes(100)
    with pytest.raises(DecodeError, match="more items than bytes"):
        decode_transaction(data)
    with pytest.raises(LimitExceeded):
        decode_transaction(PLAIN._head() + b"\xff" * 9 + bytes(100))
