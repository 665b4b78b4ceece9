"""Ethereum transactions: bytes made by `eth-account` are understood, and nothing but the one right spelling."""

from typing import Any

import pytest
from eth_account import Account

from coinone.base.crypto.secp256k1 import CURVE_ORDER, address_of
from coinone.base.forms.ethereum import (
    decode_transaction,
    effective_gas_price,
    encode_transaction,
    sign_authorization,
    sign_transaction,
)
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidInput, InvalidSignature, NotSupported

KEY = b"\x46" * 32
TO = b"\x35" * 20
COMMON: dict[str, Any] = {"nonce": 9, "gas": 21_000, "to": TO, "value": 10**18, "data": b"\1\2"}
FEES = {"maxFeePerGas": 30 * 10**9, "maxPriorityFeePerGas": 10**9}
ACCESS = [{"address": "0x" + "11" * 20, "storageKeys": ["0x" + "00" * 31 + "05", "0x" + "ff" * 32]}]


def authorization() -> Any:
    return Account.sign_authorization({"chainId": 1, "address": "0x" + "22" * 20, "nonce": 3}, KEY)


def bodies() -> list[dict[str, Any]]:
    return [
        {**COMMON, "gasPrice": 20 * 10**9},
        {**COMMON, "gasPrice": 20 * 10**9, "chainId": 1},
        {**COMMON, "gasPrice": 20 * 10**9, "chainId": 926_002, "to": ""},
        {**COMMON, "gasPrice": 1, "chainId": 1, "type": 1, "accessList": ACCESS},
        {**COMMON, **FEES, "chainId": 926_002, "type": 2, "accessList": []},
        {**COMMON, **FEES, "chainId": 1, "type": 2, "to": "", "accessList": ACCESS},
        {**COMMON, **FEES, "chainId": 1, "type": 4, "accessList": [], "authorizationList": [authorization()]},
    ]


@pytest.mark.parametrize("index", range(7))
def test_a_transaction_signed_elsewhere_has_the_same_hash_sender_and_bytes_here(index: int) -> None:
    signed = Account.sign_transaction(bodies()[index], KEY)
    raw = bytes(signed.raw_transaction)
    tx = decode_transaction(raw)
    assert encode_transaction(tx) == raw
    assert tx.hash == bytes(signed.hash)
    assert tx.sender == bytes.fromhex(Account.from_key(KEY).address[2:]) == address_of(KEY)
    assert (tx.nonce, tx.gas, tx.value, tx.data) == (9, 21_000, 10**18, b"\1\2")
    assert tx.chain_id == bodies()[index].get("chainId")


@pytest.mark.parametrize("index", range(7))
def test_our_own_signature_is_the_one_made_elsewhere(index: int) -> None:
    raw = bytes(Account.sign_transaction(bodies()[index], KEY).raw_transaction)
    assert encode_transaction(sign_transaction(decode_transaction(raw), KEY)) == raw


def test_an_authorization_names_its_signer() -> None:
    raw = bytes(Account.sign_transaction(bodies()[6], KEY).raw_transaction)
    (found,) = decode_transaction(raw).authorizations
    assert found == sign_authorization(1, b"\x22" * 20, 3, KEY)
    assert found.authority == address_of(KEY)


def fields(index: int) -> list[Any]:
    raw = bytes(Account.sign_transaction(bodies()[index], KEY).raw_transaction)
    return rlp.decode_list(rlp.decode(raw if raw[0] >= 0xC0 else raw[1:]))


def legacy(**changed: bytes) -> bytes:
    names = ("nonce", "gas_price", "gas", "to", "value", "data", "v", "r", "s")
    return rlp.encode([changed.get(name, value) for name, value in zip(names, fields(1), strict=True)])


def test_the_high_s_twin_of_a_signature_is_refused() -> None:
    s = int.from_bytes(fields(1)[8], "big")
    twin = legacy(
        s=rlp.encode_int(CURVE_ORDER - s), v=rlp.encode_int(75 - int.from_bytes(fields(1)[6], "big"))
    )
    with pytest.raises(InvalidSignature):
        _ = decode_transaction(twin).sender


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda: legacy() + b"\0",
        lambda: legacy(nonce=b"\0\x09"),
        lambda: legacy(nonce=b"\1" * 9),
        lambda: legacy(gas=b"\1" * 9),
        lambda: legacy(to=b"\x35" * 19),
        lambda: legacy(value=b"\1" * 33),
        lambda: legacy(v=b"\x1d"),
        lambda: rlp.encode(fields(1)[:8]),
        lambda: rlp.encode([*fields(1), b""]),
        lambda: b"",
        lambda: b"\2" + rlp.encode([*fields(4)[:-3], b"\2", *fields(4)[-2:]]),
        lambda: b"\2" + rlp.encode([*fields(4)[:8], [[b"\1" * 19, []]], *fields(4)[9:]]),
        lambda: b"\2" + rlp.encode([*fields(4)[:8], [[b"\1" * 20, [b"\1"]]], *fields(4)[9:]]),
        lambda: b"\4" + rlp.encode([*fields(6)[:5], b"", *fields(6)[6:]]),
    ],
)
def test_bytes_that_are_not_the_one_spelling_are_refused(spoiled: Any) -> None:
    with pytest.raises((DecodeError, InvalidSignature)):
        decode_transaction(spoiled())


@pytest.mark.parametrize("kind", [3, 0, 5, 0x70, 0x7F])
def test_other_types_and_blobs_are_refused_by_name(kind: int) -> None:
    with pytest.raises(NotSupported) as refused:
        decode_transaction(bytes([kind]) + rlp.encode(fields(4)))
    assert isinstance(refused.value, InvalidInput)
    assert ("blob" in str(refused.value)) == (kind == 3)


def test_the_price_paid_is_base_fee_and_tip_but_never_more_than_the_most() -> None:
    tx = decode_transaction(bytes(Account.sign_transaction(bodies()[4], KEY).raw_transaction))
    assert effective_gas_price(tx, 5 * 10**9) == 6 * 10**9
    assert effective_gas_price(tx, 29_500_000_000) == 30 * 10**9
