"""Signatures against hyperliquid-python-sdk's: in its domain ours are the same, in ours they are others."""

from typing import Any

import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk

from coinone.interfaces.client import Domain, Order, Signer, Trigger, actions, signing

KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
SDK_DOMAIN = Domain(source="b", chain_name="Testnet", signature_chain_id=0x66EEE)
OTHER = "0x5e9ee1089755c3435139848e47e6635505d5a13a"

L1_ACTIONS = [
    actions.order([Order(1, True, "100", "100", "Gtc")]),
    actions.order([Order(1, True, "100", "100", "Gtc", cloid="0x00000000000000000000000000000001")]),
    actions.order([Order(0, False, "0.5", "97000.5", "Alo", True), Order(2, True, 7, 190, "Ioc")]),
    actions.order([Order(1, True, "100", "100", trigger=Trigger("103", "sl"))]),
    actions.cancel([(0, 77738308), (1, 2**40)]),
    actions.cancel_by_cloid([(0, "0x000000000000000000000000000000ff")]),
    actions.cancel_all_by_market(1),
    actions.modify([(5, Order(1, False, "0.1", "3400.1"))]),
    actions.schedule_cancel(None),
    actions.schedule_cancel(123456789),
    actions.update_leverage(0, 20, is_cross=False),
    actions.update_isolated_margin(1, -250_000),
    actions.noop(),
]
USER_ACTIONS: list[tuple[dict[str, Any], Any]] = [
    ({"type": "usdSend", "destination": OTHER, "amount": "1"}, sdk.sign_usd_transfer_action),
    (
        {"type": "spotSend", "destination": OTHER, "token": "USDC:0xc0110001", "amount": "1.5"},
        sdk.sign_spot_transfer_action,
    ),
    ({"type": "usdClassTransfer", "amount": "2", "toPerp": True}, sdk.sign_usd_class_transfer_action),
    (
        {
            "type": "sendAsset",
            "destination": OTHER,
            "sourceDex": "",
            "destinationDex": "spot",
            "token": "USDC:0xc0110001",
            "amount": "3",
            "fromSubAccount": "",
        },
        sdk.sign_send_asset_action,
    ),
    ({"type": "approveAgent", "agentAddress": OTHER, "agentName": "bot"}, sdk.sign_agent),
    ({"type": "approveBuilderFee", "maxFeeRate": "0.001%", "builder": OTHER}, sdk.sign_approve_builder_fee),
]


def signature_of(body: dict[str, Any]) -> dict[str, Any]:
    return as_numbers(body["signature"])


def as_numbers(found: dict[str, Any]) -> dict[str, Any]:
    return {"r": int(found["r"], 16), "s": int(found["s"], 16), "v": found["v"]}


@pytest.mark.parametrize("vault", [None, OTHER])
@pytest.mark.parametrize("expires_after", [None, 1_700_000_000_000])
@pytest.mark.parametrize("action", L1_ACTIONS, ids=lambda action: action["type"])
def test_an_l1_action_in_the_sdks_domain_has_the_sdks_signature(
    action: dict[str, Any], vault: str | None, expires_after: int | None
) -> None:
    body = signing.sign_action(Signer(KEY), SDK_DOMAIN, action, vault, expires_after)
    wallet = Account.from_key(KEY)
    theirs = sdk.sign_l1_action(wallet, action, vault, body["nonce"], expires_after, False)
    assert signature_of(body) == as_numbers(theirs)


@pytest.mark.parametrize(("action", "sign"), USER_ACTIONS, ids=[each[0]["type"] for each in USER_ACTIONS])
def test_a_user_signed_action_in_the_sdks_domain_has_the_sdks_signature(
    action: dict[str, Any], sign: Any
) -> None:
    body = signing.sign_action(Signer(KEY), SDK_DOMAIN, action)
    theirs = sign(Account.from_key(KEY), dict(body["action"]), False)
    assert signature_of(body) == as_numbers(theirs)
    assert body["action"]["hyperliquidChain"] == "Testnet" and body["action"]["signatureChainId"] == "0x66eee"


def test_an_agent_without_a_name_is_signed_with_the_empty_one_and_sent_without() -> None:
    body = signing.sign_action(Signer(KEY), SDK_DOMAIN, {"type": "approveAgent", "agentAddress": OTHER})
    assert "agentName" not in body["action"]
    theirs = sdk.sign_agent(Account.from_key(KEY), {**body["action"], "agentName": ""}, False)
    assert signature_of(body) == as_numbers(theirs)


def test_leaving_an_agency_is_signed_as_the_sdk_signs_a_type_of_these_fields() -> None:
    body = signing.sign_action(Signer(KEY), SDK_DOMAIN, {"type": "leaveAgency"})
    fields = [{"name": "hyperliquidChain", "type": "string"}, {"name": "nonce", "type": "uint64"}]
    theirs = sdk.sign_user_signed_action(
        Account.from_key(KEY), dict(body["action"]), fields, "HyperliquidTransaction:LeaveAgency", False
    )
    assert signature_of(body) == as_numbers(theirs)


@pytest.mark.parametrize("chain_id", [926000, 926001, 926002])
def test_a_signature_is_for_one_chain_only(chain_id: int) -> None:
    action = actions.noop()
    digests = {
        signing.l1_action_digest(action, 1, source)
        for source in ("a", "b", "coinone:926000", "coinone:926001", "coinone:926002")
    }
    assert len(digests) == 5
    assert signing.l1_action_digest(action, 1, Domain.coinone(chain_id).source) in digests


def test_the_sdks_own_published_vector_holds() -> None:
    # hyperliquid-python-sdk, tests/signing_test.py, test_l1_action_signing_matches: dummy action, mainnet.
    action = {"type": "dummy", "num": 100000000000}
    r, s, v = (
        signing.Signer(KEY).sign_digest(signing.l1_action_digest(action, 0, "a"))[part] for part in "rsv"
    )
    assert r == "0x53749d5b30552aeb2fca34b530185976545bb22d0b3ce6f62e31be961a59298"
    assert s == "0x755c40ba9bf05223521753995abb2f73ab3229be8ec921f350cb447e384d8ed8"
    assert v == 27


def test_nonces_of_one_signer_never_repeat() -> None:
    signer = Signer(KEY)
    nonces = [signer.nonce() for _ in range(5000)]
    assert nonces == sorted(set(nonces))


def test_a_key_does_not_show_in_its_signers_text() -> None:
    assert KEY[2:].lower() not in repr(Signer(KEY)).lower()


@pytest.mark.parametrize("key", [b"\0" * 32, b"\xff" * 32, b"short", "0x" + "00" * 32])
def test_a_number_that_is_no_private_key_is_refused(key: bytes | str) -> None:
    with pytest.raises(ValueError, match="private key"):
        Signer(key)
