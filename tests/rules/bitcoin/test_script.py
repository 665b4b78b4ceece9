"""Scripts: pushes, OP_RETURN, standard outputs."""

import pytest

from coinone.base.primitives.errors import DecodeError
from coinone.rules.bitcoin.script import (
    Destination,
    OutputKind,
    destination_of,
    operations,
    push,
    pushes_only,
    returned,
)
from coinone.rules.bitcoin.transaction import decode_transaction
from tests.rules.bitcoin import samples

STANDARD = [  # scripts of BIP16, 141, 341 and of Bitcoin's first standard form
    (OutputKind.P2PKH, 20, "76a914{}88ac"),
    (OutputKind.P2SH, 20, "a914{}87"),
    (OutputKind.P2WPKH, 20, "0014{}"),
    (OutputKind.P2WSH, 32, "0020{}"),
    (OutputKind.P2TR, 32, "5120{}"),
]


@pytest.mark.parametrize(("kind", "size", "form"), STANDARD)
def test_an_address_and_its_output_are_one_another(kind: OutputKind, size: int, form: str) -> None:
    payload = bytes(range(size))
    script = bytes.fromhex(form.format(payload.hex()))
    assert Destination(kind, payload).script == script
    assert destination_of(script) == Destination(kind, payload)


@pytest.mark.parametrize(("kind", "size", "form"), STANDARD)
def test_what_only_resembles_a_standard_output_is_none(kind: OutputKind, size: int, form: str) -> None:
    script = bytes.fromhex(form.format(bytes(range(size)).hex()))
    for wrong in (script[:-1], script + b"\0", b"\x61" + script, script[1:]):
        assert destination_of(wrong) is None
    payload_at = script.index(bytes(range(size)))
    for at in [*range(payload_at), *range(payload_at + size, len(script))]:
        changed = script[:at] + bytes((script[at] ^ 0xFF,)) + script[at + 1 :]
        assert destination_of(changed) is None
    with pytest.raises(DecodeError):
        _ = Destination(kind, bytes(size + 1)).script


@pytest.mark.parametrize(
    ("script", "pushed"),
    [
        ("", []),
        ("00", [b""]),
        ("4f", [b"\x81"]),
        ("5160", [b"\x01", b"\x10"]),
        ("03616263", [b"abc"]),
        ("4c03616263", [b"abc"]),
        ("4d0300616263", [b"abc"]),
        ("4e03000000616263", [b"abc"]),
        ("6a", [None]),
        ("ac0161", [None, b"a"]),
        ("50", [None]),  # OP_RESERVED pushes nothing
    ],
)
def test_a_script_is_taken_apart(script: str, pushed: list[bytes | None]) -> None:
    assert [operation.data for operation in operations(bytes.fromhex(script))] == pushed


@pytest.mark.parametrize(
    "script", ["01", "4b" + "00" * 74, "4c", "4c02ff", "4d01", "4d0300ffff", "4e010000", "4effffffff00"]
)
def test_a_push_longer_than_the_script_is_refused(script: str) -> None:
    with pytest.raises(DecodeError):
        operations(bytes.fromhex(script))
    assert returned(b"\x6a" + bytes.fromhex(script)) is None


@pytest.mark.parametrize("size", [1, 75, 76, 255, 256, 520, 65_535])
def test_a_push_comes_back(size: int) -> None:
    data = bytes((size % 251,)) * size
    assert pushes_only(push(data)) == (data,)


def test_only_a_script_of_pushes_behind_op_return_is_read_as_data() -> None:
    assert returned(bytes.fromhex("6a03616263")) == (b"abc",)
    assert returned(bytes.fromhex("6a")) == ()
    assert returned(bytes.fromhex("03616263")) is None
    assert returned(bytes.fromhex("6a03616263ac")) is None


def test_the_outputs_of_a_real_deposit_are_recognised() -> None:
    """Rootstock's peg: to the federation's P2SH, where to in OP_RETURN (RSKIP170), change to P2WPKH."""
    (case,) = [each for each in samples.cases("rsk_peg_transactions.json") if each["label"] == "PEGIN BECH32"]
    peg, data, change = decode_transaction(bytes.fromhex(case["raw"])).outputs
    federation = bytes.fromhex("056d0d9c5b14dd720d9f61fdb3f557c074f95cef")
    assert destination_of(peg.script) == Destination(OutputKind.P2SH, federation)
    assert returned(data.script) == (b"RSKT\x01" + bytes.fromhex("a0df67b9589bd0527af41f66294a846da513e1f9"),)
    assert destination_of(data.script) is None
    key_hash = bytes.fromhex("02bd283849dbe761ee7a8e9d902a5dee1f9807f2")
    assert destination_of(change.script) == Destination(OutputKind.P2WPKH, key_hash)
