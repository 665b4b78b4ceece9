"""Trie vectors of github.com/ethereum/tests (TrieTests), plain and secure."""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.rules.state.nodes import nibbles
from coinone.rules.state.trie import Trie

NEEDS = "set COINONE_DATA to a folder with evm-tests/basic.tar.xz (TrieTests of github.com/ethereum/tests)"


def trie_files() -> Iterator[tuple[str, dict[str, Any]]]:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    with tarfile.open(Path(os.environ["COINONE_DATA"], "evm-tests", "basic.tar.xz")) as archive:
        for member in archive:
            if member.name.startswith("TrieTests/"):
                stream = archive.extractfile(member)
                assert stream is not None
                yield member.name, json.load(stream)


def as_bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def test_every_trie_vector_has_its_root() -> None:
    cases = 0
    for file, tests in trie_files():
        secure = "secure" in file.lower()
        for name, test in tests.items():
            pairs = test["in"].items() if isinstance(test["in"], dict) else test["in"]
            orders = [list(pairs)]
            if isinstance(test["in"], dict):
                orders.append(orders[0][::-1])
            for order in orders:
                trie = Trie(lambda path: None)
                for key, value in order:
                    path = nibbles(keccak256(as_bytes(key)) if secure else as_bytes(key))
                    if value is None:
                        trie.delete(path)
                    else:
                        trie.set(path, as_bytes(value))
                assert trie.commit()[0] == as_bytes(test["root"]), f"{file} {name}"
            cases += 1
    assert cases >= 15
