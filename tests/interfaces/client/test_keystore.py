"""Key store files against the published tests and eth-account."""

import json
import os
from pathlib import Path

import pytest
from eth_account import Account

from coinone.interfaces.client.errors import Refused
from coinone.interfaces.client.keystore import lock, unlock

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")
ENTROPY = bytes(range(64))
CHEAP = 2**10  # the tests check the format, not how long a guess takes


def test_the_published_key_stores_open() -> None:
    folder = os.environ.get("COINONE_DATA")
    if folder is None:
        pytest.skip("COINONE_DATA unset; see github.com/ethereum/tests, KeyStoreTests/basic_tests.json")
    cases = json.loads((Path(folder) / "wallet/keystore-v3-tests.json").read_text())
    # The scrypt case has n = 2^18 with r = 1: beyond RFC 7914's bound n < 2^(16 r), so OpenSSL refuses it.
    readable = [case for case in cases.values() if case["json"]["crypto"]["kdfparams"].get("r") != 1]
    assert readable
    for case in readable:
        assert unlock(json.dumps(case["json"]), case["password"]).hex() == case["priv"]


def test_eth_account_opens_our_key_store_and_we_open_its() -> None:
    assert bytes(Account.decrypt(lock(KEY, "a pass phrase", ENTROPY, CHEAP), "a pass phrase")) == KEY
    theirs = Account.encrypt(KEY, "ünïcode", kdf="pbkdf2", iterations=1000)
    assert unlock(json.dumps(theirs), "ünïcode") == KEY
    theirs = Account.encrypt(KEY, "x", kdf="scrypt", iterations=1024)
    assert unlock(json.dumps(theirs), "x") == KEY


def test_a_wrong_password_is_refused() -> None:
    with pytest.raises(Refused, match="wrong password"):
        unlock(json.dumps(lock(KEY, "right", ENTROPY, CHEAP)), "wrong")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"crypto": {}}', '{"crypto": 5}', "null"])
def test_a_foreign_file_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="key store"):
        unlock(text, "x")


def test_a_file_without_a_cipher_is_refused() -> None:
    store = lock(KEY, "x", ENTROPY, CHEAP)
    del store["crypto"]["cipher"]
    with pytest.raises(Refused, match="key store"):
        unlock(json.dumps(store), "x")


def test_a_file_that_asks_for_all_memory_is_refused() -> None:
    store = lock(KEY, "x", ENTROPY, CHEAP)
    store["crypto"]["kdfparams"]["n"] = 2**30
    with pytest.raises(Refused, match="memory"):
        unlock(json.dumps(store), "x")
