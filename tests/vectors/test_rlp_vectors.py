"""RLP vectors of github.com/ethereum/tests (RLPTests)."""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError

NEEDS = "set COINONE_DATA to a folder with evm-tests/basic.tar.xz (RLPTests of github.com/ethereum/tests)"


def rlp_cases() -> Iterator[tuple[str, dict[str, Any]]]:
    if "COINONE_DATA" not in os.environ:
        pytest.skip(NEEDS)
    with tarfile.open(Path(os.environ["COINONE_DATA"], "evm-tests", "basic.tar.xz")) as archive:
        for member in archive:
            if member.name.startswith("RLPTests/"):
                stream = archive.extractfile(member)
                assert stream is not None
                for name, case in json.load(stream).items():
                    yield f"{member.name} {name}", case


def item(value: Any) -> Any:
    """The vector's value as ours: decimal integers are numbers or '#...' texts, texts are bytes."""
    if isinstance(value, list):
        return [item(part) for part in value]
    if isinstance(value, int):
        return value
    return int(value[1:]) if value.startswith("#") else value.encode()


def test_every_rlp_vector_is_read_and_refused_as_it_says() -> None:
    cases = 0
    for name, case in rlp_cases():
        data = bytes.fromhex(case["out"].removeprefix("0x"))
        if case["in"] == "INVALID":
            with pytest.raises(DecodeError):
                rlp.decode(data)
        elif case["in"] == "VALID":
            assert rlp.encode(rlp.decode(data)) == data, name
        else:
            assert rlp.encode(item(case["in"])) == data, name
        cases += 1
    assert cases >= 25
