"""P-256 against Google's Wycheproof cases (C2SP/wycheproof, ecdsa_secp256r1_sha256_p1363_test.json)."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from coinone.base.crypto import p256

NAME = "wallet/wycheproof-ecdsa_secp256r1_sha256_p1363.json"


def test_every_wycheproof_case_has_its_verdict() -> None:
    if "COINONE_DATA" not in os.environ:
        pytest.skip("set COINONE_DATA to a folder with the Wycheproof vectors of github.com/C2SP/wycheproof")
    cases = 0
    for group in json.loads(Path(os.environ["COINONE_DATA"], NAME).read_text())["testGroups"]:
        x, y = (int(group["publicKey"][axis], 16) for axis in ("wx", "wy"))
        for case in group["tests"]:
            signature = bytes.fromhex(case["sig"])
            digest = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            verdict = len(signature) == 64 and p256.verify(digest, r, s, x, y)
            assert verdict == (case["result"] == "valid"), case
            cases += 1
    assert cases == 262


def test_points_off_the_curve_and_the_point_at_infinity_are_refused() -> None:
    assert not p256.verify(bytes(32), 1, 1, 0, 0)
    assert not p256.verify(bytes(32), 1, 1, 5, 5)
    assert not p256.verify(bytes(32), 1, 1, p256.FIELD_PRIME, 1)
