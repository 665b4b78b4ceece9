"""HD keys against the tables of BIP-32 and BIP-39, and eth-account for the accounts of `coinone up`."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from coinone.base.crypto.hd import ethereum_keys, master_key, seed_of
from coinone.base.primitives.errors import DecodeError

JUNK = "test test test test test test test test test test test junk"
# BIP-39, English vector 1 (github.com/trezor/python-mnemonic, MIT): retyped so that it runs everywhere.
ABANDON = "abandon " * 11 + "about"
ABANDON_SEED = (
    "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141"
    "630c7a3c4ab7c81b2f001698e7463b04"
)


def wallet_file(name: str) -> Any:
    folder = os.environ.get("COINONE_DATA")
    if folder is None:
        pytest.skip("COINONE_DATA unset; see github.com/bitcoin/bips, github.com/trezor/python-mnemonic")
    return json.loads((Path(folder) / "wallet" / name).read_text())


def private_part(xprv: str) -> tuple[bytes, bytes]:
    """Chain code and key out of Base58Check text, written here independently of the product."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in xprv:
        number = number * 58 + alphabet.index(letter)
    raw = number.to_bytes(82, "big")
    assert hashlib.sha256(hashlib.sha256(raw[:78]).digest()).digest()[:4] == raw[78:]
    return raw[13:45], raw[46:78]


def test_the_first_bip39_vector_gives_its_seed() -> None:
    assert seed_of(ABANDON, "TREZOR").hex() == ABANDON_SEED


def test_every_bip39_vector_gives_its_seed_and_master_key() -> None:
    for _, words, seed, xprv in wallet_file("bip39/vectors.json")["english"]:
        assert seed_of(words, "TREZOR").hex() == seed
        root = master_key(bytes.fromhex(seed))
        assert (root.chain_code, root.key) == private_part(xprv)


def test_japanese_words_are_normalised_before_hashing() -> None:
    for case in wallet_file("bip39/japanese-vectors.json"):
        assert seed_of(case["mnemonic"], case["passphrase"]).hex() == case["seed"]


def test_every_bip32_vector_gives_its_chain_of_keys() -> None:
    for case in wallet_file("bip32/bip32-vectors.json"):
        if "seed" not in case:
            continue
        root = master_key(bytes.fromhex(case["seed"]))
        for link in case["chains"]:
            found = root.derive(link["path"].replace("H", "'"))
            assert (found.chain_code, found.key) == private_part(link["xprv"])


def test_the_junk_mnemonic_gives_the_accounts_that_every_ethereum_tool_prints() -> None:
    Account.enable_unaudited_hdwallet_features()
    for index, key in enumerate(ethereum_keys(JUNK, 3, start=9), start=9):
        assert key == bytes(Account.from_mnemonic(JUNK, account_path=f"m/44'/60'/0'/0/{index}").key)
    # Hardhat's and Anvil's account 0, as their documentation prints it.
    first = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert ethereum_keys(JUNK, 1)[0].hex() == first


@pytest.mark.parametrize("path", ["44'/60'", "m/", "m/x", "m/-1", "m/2147483648", "m/1''", "m/ 1", "m/１"])
def test_a_malformed_path_is_refused_by_name(path: str) -> None:
    with pytest.raises(DecodeError):
        master_key(bytes(16)).derive(path)
