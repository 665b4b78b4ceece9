"""What a wallet signs, as vectors for the page's own tests: each form of base/forms with values and its digest.

`python -m tests.vectors.signed_forms` writes web/tests/forms.json again. `test_signed_forms.py` keeps it fresh, and
web/tests/forms.test.ts compares the page's field lists with it.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from coinone.base.forms.domains import OWN_CHAIN, own_source
from coinone.base.forms.exchange import (
    L1_TYPE,
    USER_TYPE,
    l1_connection_id,
    l1_digest,
    transaction_hash,
    user_digest,
)
from coinone.base.forms.user_signed import USER_SIGNED, UserSigned, Value
from coinone.base.primitives.parse import parse_address

FILE = Path(__file__).parents[2] / "web" / "tests" / "forms.json"
CHAIN_ID = 926_002
ADDRESS = "0x" + "5e" * 20
NONCE = 1_764_000_000_000
ACTIONS: tuple[dict[str, Any], ...] = (
    {"type": "noop"},
    {"type": "scheduleCancel", "time": NONCE + 10_000},
    {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 20},
)


def vectors() -> dict[str, Any]:
    l1 = [_l1(action, expires) for action in ACTIONS for expires in (None, NONCE + 60_000)]
    return {"signer": ADDRESS, "l1": l1, "user": [_user(form) for form in USER_SIGNED]}


def _l1(action: dict[str, Any], expires: int | None) -> dict[str, Any]:
    data, source = msgspec.msgpack.encode(action), own_source(CHAIN_ID)
    digest = l1_digest(data, NONCE, None, expires, source)
    return {
        "action": action,
        "nonce": NONCE,
        "expiresAfter": expires,
        "source": source,
        "connectionId": _hex(l1_connection_id(data, NONCE, None, expires)),
        "digest": _hex(digest),
        "hash": _hex(transaction_hash(L1_TYPE, digest, parse_address(ADDRESS))),
    }


def _user(form: UserSigned) -> dict[str, Any]:
    given: dict[str, Any] = {name: _sample(kind, name) for kind, name in form.fields}
    values: dict[str, Value] = {
        name: parse_address(given[name]) if kind == "address" else given[name] for kind, name in form.fields
    }
    digest = user_digest(form, values, CHAIN_ID)
    return {
        "action": {"type": form.json_type, **given, "signatureChainId": hex(CHAIN_ID)},
        "digest": _hex(digest),
        "hash": _hex(transaction_hash(USER_TYPE, digest, parse_address(ADDRESS))),
    }


def _sample(kind: str, name: str) -> str | int | bool:
    if name == "hyperliquidChain":
        return OWN_CHAIN
    if kind == "string":
        return f"{name} of 12.5"
    return {"address": ADDRESS, "uint64": NONCE, "bool": True}[kind]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
