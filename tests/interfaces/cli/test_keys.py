"""Where commands take keys from, and what they say when there is none."""

import json
import stat
from pathlib import Path

import pytest

from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.cli.keys import fresh_key, load_key, write_private
from coinone.interfaces.client import keystore
from coinone.interfaces.client.dev import dev_keys

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")


def test_dev_accounts_are_named_by_number() -> None:
    assert load_key(None, 3) == dev_keys()[3]
    with pytest.raises(CoinoneError, match="0 to 9"):
        load_key(None, 10)


def test_exactly_one_source_must_be_named(tmp_path: Path) -> None:
    for key_file, dev in ((None, None), (tmp_path, 1)):
        with pytest.raises(CoinoneError, match="a signing key is needed"):
            load_key(key_file, dev)


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex() + "\n"])
def test_a_key_in_hex_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    assert load_key(file, None) == KEY


@pytest.mark.parametrize("text", ["", "0x12", "g" * 64, "00" * 32])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(CoinoneError, match="neither"):
        load_key(file, None)


def test_a_key_store_asks_for_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(keystore.lock(KEY, "secret", bytes(range(64)), 2**10)))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "secret")
    assert load_key(file, None) == KEY


def test_private_files_are_the_owners_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_private(file, "first")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CoinoneError, match="nothing was overwritten"):
        write_private(file, "second")
    assert file.read_text() == "first"


def test_fresh_keys_differ() -> None:
    assert len({fresh_key() for _ in range(10)}) == 10
