"""Signing against the unmodified hyperliquid-python-sdk: same digests, same signers, for every action we know."""

import json

import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk
from hyperliquid.utils.types import Cloid

from coinone.base.forms.exchange import l1_digest
from coinone.base.forms.user_signed import USER_SIGNED
from coinone.base.primitives.errors import DecodeError
from coinone.rules.exchange.actions.decode import decode_l1
from coinone.rules.exchange.actions.from_json import envelopes_from_json
from coinone.rules.exchange.actions.verify import verify_action, verify_raw
from coinone.rules.exchange.wire import (
    DomainRules,
    L1Envelope,
    decode_envelope,
    encode_envelope,
    pack,
    unpack,
)
from coinone.rules.exchange.wire.operations import operations_of
from tests.rules.exchange import words as t

RULES = DomainRules(chain_id=926002, accept_foreign_user_signed=True, accept_foreign_l1=True)
WALLET = Account.from_key("0x0123456789012345678901234567890123456789012345678901234567890123")
SIGNER = bytes.fromhex(WALLET.address[2:])
NONCE = 1677777606040


def order_wire(tif: str = "Ioc", cloid: Cloid | None = None) -> dict[str, object]:
    request = {
        "coin": "ETH",
        "is_buy": True,
        "sz": 0.0147,
        "limit_px": 1670.1,
        "reduce_only": False,
        "order_type": {"limit": {"tif": tif}},
        "cloid": cloid,
    }
    return sdk.order_request_to_order_wire(request, 4)  # type: ignore[arg-type]


L1_ACTIONS: dict[str, dict[str, object]] = {
    "order": sdk.order_wires_to_order_action([order_wire(), order_wire("Alo", Cloid.from_int(7))]),
    "order with builder": sdk.order_wires_to_order_action(
        [order_wire("Gtc")], {"b": "0x" + "8c" * 20, "f": 10}
    ),
    "cancel": {"type": "cancel", "cancels": [{"a": 4, "o": 2**40}]},
    "cancelByCloid": {
        "type": "cancelByCloid",
        "cancels": [{"asset": 4, "cloid": Cloid.from_int(9).to_raw()}],
    },
    "batchModify": {"type": "batchModify", "modifies": [{"oid": 300, "order": order_wire("Gtc")}]},
    "modify": {"type": "modify", "oid": Cloid.from_int(3).to_raw(), "order": order_wire("Alo")},
    "scheduleCancel": {"type": "scheduleCancel", "time": 1700000000000},
    "scheduleCancel off": {"type": "scheduleCancel"},
    "updateLeverage": {"type": "updateLeverage", "asset": 4, "isCross": True, "leverage": 21},
    "setReferrer": {"type": "setReferrer", "code": "CCXT1"},
    "noop": {"type": "noop"},
}


def test_phantom_agent_is_that_of_the_sdk_tests() -> None:
    """Vector of hyperliquid-python-sdk tests/signing_test.py (MIT): order of ETH, asset 4, mainnet."""
    action = sdk.order_wires_to_order_action([order_wire()])
    agent = sdk.construct_phantom_agent(sdk.action_hash(action, None, NONCE, None), True)
    assert agent["connectionId"].hex() == "0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908"
    signature = sdk.sign_l1_action(WALLET, action, None, NONCE, None, True)
    digest = l1_digest(pack(action), NONCE, None, None, "a")
    signed = Account._recover_hash(digest, vrs=(signature["v"], signature["r"], signature["s"]))
    assert signed == WALLET.address


@pytest.mark.parametrize("name", L1_ACTIONS)
@pytest.mark.parametrize("mainnet", [True, False])
@pytest.mark.parametrize("expires", [None, 0, 1700000000000])
def test_an_l1_action_signed_by_the_sdk_has_its_signer(name: str, mainnet: bool, expires: int | None) -> None:
    action = L1_ACTIONS[name]
    signature = sdk.sign_l1_action(WALLET, action, None, NONCE, expires, mainnet)
    body = {
        "action": action,
        "nonce": NONCE,
        "signature": signature,
        "vaultAddress": None,
        "expiresAfter": expires,
    }
    candidates = envelopes_from_json(json.loads(json.dumps(body)), RULES)
    mine = [tx for tx in candidates if verify_action(tx, RULES).signer == SIGNER]
    assert [tx.source for tx in mine if isinstance(tx, L1Envelope)] == ["a" if mainnet else "b"]
    verified = verify_raw(encode_envelope(mine[0]), RULES)
    assert (verified.signer, verified.nonce, verified.expires_after) == (SIGNER, NONCE, expires)
    assert verified.action.type.name == action["type"] and verified.foreign and not verified.user_signed


def test_order_fields_arrive_scaled() -> None:
    action = sdk.order_wires_to_order_action([order_wire("Alo", Cloid.from_int(7))])
    signature = sdk.sign_l1_action(WALLET, action, None, NONCE, None, False)
    body = {"action": action, "nonce": NONCE, "signature": signature}
    tx = next(tx for tx in envelopes_from_json(body, RULES) if verify_action(tx, RULES).signer == SIGNER)
    order = verify_action(tx, RULES).action.says
    said = t.PlaceOrders(
        orders=(
            t.OrderSpec(
                asset=4,
                is_buy=True,
                px=167_010_000_000,  # 1670.1 x 10^8
                sz=1_470_000,  # 0.0147 x 10^8
                reduce_only=False,
                tif=t.Tif.ALO,
                trigger=None,
                cloid=7,
            ),
        ),
        grouping="na",
        builder=None,
    )
    assert order == operations_of(said)


DESTINATION = "0x" + "5e" * 20


def sign_leave_agency(wallet: object, action: dict[str, object], mainnet: bool) -> object:
    """As a client of the SDK's own library would sign a type that the SDK does not know."""
    fields = [{"name": "hyperliquidChain", "type": "string"}, {"name": "nonce", "type": "uint64"}]
    return sdk.sign_user_signed_action(wallet, action, fields, "HyperliquidTransaction:LeaveAgency", mainnet)


USER_ACTIONS = {
    "usdSend": (sdk.sign_usd_transfer_action, {"destination": DESTINATION, "amount": "1.5", "time": NONCE}),
    "spotSend": (
        sdk.sign_spot_transfer_action,
        {"destination": DESTINATION, "token": "USDC:0x00", "amount": "2", "time": NONCE},
    ),
    "sendAsset": (
        sdk.sign_send_asset_action,
        {
            "destination": DESTINATION,
            "sourceDex": "",
            "destinationDex": "spot",
            "token": "USDC",
            "amount": "3.000001",
            "fromSubAccount": "",
            "nonce": NONCE,
        },
    ),
    "usdClassTransfer": (
        sdk.sign_usd_class_transfer_action,
        {"amount": "4", "toPerp": False, "nonce": NONCE},
    ),
    "approveAgent": (
        sdk.sign_agent,
        {"agentAddress": DESTINATION, "agentName": "bot valid_until 1800000000000", "nonce": NONCE},
    ),
    "leaveAgency": (sign_leave_agency, {"nonce": NONCE}),
    "approveBuilderFee": (
        sdk.sign_approve_builder_fee,
        {"maxFeeRate": "0.01%", "builder": DESTINATION, "nonce": NONCE},
    ),
}


@pytest.mark.parametrize("kind", USER_ACTIONS)
@pytest.mark.parametrize("mainnet", [True, False])
def test_a_user_signed_action_of_the_sdk_has_its_signer(kind: str, mainnet: bool) -> None:
    sign, fields = USER_ACTIONS[kind]
    action = {"type": kind, **fields}
    signature = sign(WALLET, action, mainnet)  # adds signatureChainId and hyperliquidChain, as the SDK does
    body = {"action": action, "nonce": NONCE, "signature": signature, "vaultAddress": None}
    (tx,) = envelopes_from_json(json.loads(json.dumps(body)), RULES)
    verified = verify_raw(encode_envelope(tx), RULES)
    assert (verified.signer, verified.action.type.name, verified.nonce) == (SIGNER, kind, NONCE)
    assert verified.user_signed and verified.foreign


def test_null_is_no_value_as_hyperliquid_reads_it() -> None:
    """Clients sign what has a value; some send the rest as null."""
    action = sdk.order_wires_to_order_action([order_wire("Gtc", None)])
    signature = sdk.sign_l1_action(WALLET, action, None, NONCE, None, False)
    sent = {**action, "builder": None, "orders": [{**action["orders"][0], "c": None}]}
    body = {
        "action": sent,
        "nonce": NONCE,
        "signature": signature,
        "vaultAddress": None,
        "expiresAfter": None,
    }
    signers = [verify_action(tx, RULES).signer for tx in envelopes_from_json(body, RULES)]
    assert SIGNER in signers


def test_a_field_that_must_be_there_is_missing_when_it_is_null() -> None:
    action = {"type": "usdSend", "destination": DESTINATION, "amount": None, "time": NONCE}
    body = {
        "action": action | {"signatureChainId": "0x1"},
        "nonce": NONCE,
        "signature": {"r": "0x1", "s": "0x1", "v": 27},
    }
    with pytest.raises(DecodeError, match="signed fields"):
        envelopes_from_json(body, RULES)


@pytest.mark.parametrize("tif", ["FrontendMarket", "LiquidationMarket"])
def test_a_market_order_of_the_page_and_wallets_is_one_that_fills_now_or_vanishes(tif: str) -> None:
    action = sdk.order_wires_to_order_action([order_wire("Ioc", None)])
    ioc = decode_l1(action).says
    action["orders"][0]["t"]["limit"]["tif"] = tif
    assert decode_l1(action).says == ioc


def test_an_unnamed_agent_is_signed_with_an_empty_name_and_sent_without_one() -> None:
    action = {"type": "approveAgent", "agentAddress": DESTINATION, "agentName": "", "nonce": NONCE}
    signature = sdk.sign_agent(WALLET, action, False)
    del action["agentName"]  # what Exchange.approve_agent of the SDK does
    (tx,) = envelopes_from_json({"action": action, "nonce": NONCE, "signature": signature}, RULES)
    verified = verify_action(tx, RULES)
    assert verified.signer == SIGNER
    assert verified.action.says == t.ApproveAgent(bytes.fromhex("5e" * 20), "", 0, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bot", ("bot", 0, False)),
        ("bot valid_until 1800000000000", ("bot", 1800000000000, False)),
        ("bot compat valid_until 5", ("bot", 5, True)),
        ("compat", ("", 0, True)),
        ("", ("", 0, False)),
    ],
)
def test_an_agent_name_carries_expiry_and_compat_flag(text: str, expected: tuple[str, int, bool]) -> None:
    action = {"type": "approveAgent", "agentAddress": DESTINATION, "agentName": text, "nonce": NONCE}
    signature = sdk.sign_agent(WALLET, action, False)
    (tx,) = envelopes_from_json({"action": action, "nonce": NONCE, "signature": signature}, RULES)
    agent = verify_action(tx, RULES).action.says
    assert isinstance(agent, t.ApproveAgent)
    assert (agent.name, agent.valid_until_ms, agent.compat) == expected


@pytest.mark.parametrize("name", L1_ACTIONS)
def test_packing_equals_the_msgpack_library(name: str) -> None:
    import msgpack

    action = L1_ACTIONS[name]
    assert pack(action) == msgpack.packb(action)
    assert unpack(msgpack.packb(action)) == action


def test_the_transaction_hash_names_digest_and_signer_not_the_signature() -> None:
    action = L1_ACTIONS["noop"]
    hashes = []
    for sign in (sdk.sign_l1_action, sdk.sign_l1_action):
        signature = sign(WALLET, action, None, NONCE, None, False)
        body = {"action": action, "nonce": NONCE, "signature": signature}
        tx = next(tx for tx in envelopes_from_json(body, RULES) if verify_action(tx, RULES).signer == SIGNER)
        hashes.append(verify_action(tx, RULES).tx_hash)
        assert decode_envelope(encode_envelope(tx)) == tx
    assert hashes[0] == hashes[1]


def test_every_user_signed_action_begins_with_the_chain_name_and_ends_with_its_nonce() -> None:
    assert all(form.fields[0] == ("string", "hyperliquidChain") for form in USER_SIGNED)
    assert all(form.fields[-1] in (("uint64", "nonce"), ("uint64", "time")) for form in USER_SIGNED)
