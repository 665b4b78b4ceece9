"""Nothing but the one canonical, rightly signed form gets in."""

from __future__ import annotations

import json
from dataclasses import replace

import msgpack
import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto.secp256k1 import CURVE_ORDER, address_of, sign
from coinone.base.forms.domains import own_source
from coinone.base.forms.exchange import l1_digest, oracle_digest, user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import (
    DecodeError,
    InvalidInput,
    InvalidSignature,
    LimitExceeded,
    NotSupported,
)
from coinone.rules.exchange.actions.from_json import envelopes_from_json
from coinone.rules.exchange.actions.verify import LastRead, verify_action, verify_raw
from coinone.rules.exchange.wire import (
    DomainRules,
    L1Envelope,
    OracleEnvelope,
    UserEnvelope,
    decode_envelope,
    decode_oracle,
    encode_envelope,
    encode_oracle,
    pack,
    verify_oracle,
)

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")
SIGNER = address_of(KEY)
WALLET = Account.from_key(KEY)
DEV = DomainRules(926002, accept_foreign_user_signed=True, accept_foreign_l1=True)
MAIN = DomainRules(926000, accept_foreign_user_signed=False, accept_foreign_l1=False)
NONCE = 1_700_000_000_000
NOOP = pack({"type": "noop"})
ORDER = {
    "type": "order",
    "orders": [{"a": 0, "b": True, "p": "50000", "s": "0.1", "r": False, "t": {"limit": {"tif": "Gtc"}}}],
    "grouping": "na",
}


def l1(action: bytes = NOOP, source: str = own_source(926002), **fields: object) -> L1Envelope:
    envelope = replace(L1Envelope(action, NONCE, None, None, source, 0, 0, 27), **fields)
    digest = l1_digest(action, envelope.nonce, envelope.vault, envelope.expires_after, source)
    r, s, v = sign(digest, KEY)
    return replace(envelope, r=r, s=s, v=v)


def user(chain: str = "Coinone", chain_id: int = 926002, name: str = "UsdClassTransfer") -> UserEnvelope:
    given, form = {"UsdClassTransfer": (chain, "1", True, NONCE)}[name], user_signed(name)
    values = {field: value for (_, field), value in zip(form.fields, given, strict=True)}
    r, s, v = sign(user_digest(form, values, chain_id), KEY)
    return UserEnvelope(name, form.encode(values), chain_id, r, s, v)


def refused(raw: bytes, kind: type[InvalidInput] = DecodeError) -> None:
    with pytest.raises(kind):
        verify_raw(raw, DEV)


def test_our_own_domain_is_accepted_and_is_not_foreign() -> None:
    for tx in (l1(), user()):
        verified = verify_raw(encode_envelope(tx), DEV)
        assert verified.signer == SIGNER and not verified.foreign


ACTIONS = [pack(ORDER), pack({**ORDER, "builder": {"b": "0x" + "11" * 20, "f": 1}}), NOOP]


@pytest.mark.parametrize("first", ACTIONS)
@pytest.mark.parametrize("second", ACTIONS)
def test_what_was_read_before_changes_nothing_of_what_is_verified_next(first: bytes, second: bytes) -> None:
    """Also after bytes that could not be read, and for other sources of the same bytes."""
    last, broken = LastRead(), encode_envelope(l1(b"\xc1"))
    for tx in (
        l1(first),
        l1(second),
        l1(second, source="a"),
        l1(first, source="b"),
        l1(first, nonce=NONCE + 1),
    ):
        raw = encode_envelope(tx)
        assert verify_raw(raw, DEV, last) == verify_raw(raw, DEV)
        with pytest.raises(DecodeError):
            verify_raw(broken, DEV, last)


def test_the_twin_signature_with_high_s_is_refused() -> None:
    tx = l1()
    twin = replace(tx, s=CURVE_ORDER - tx.s, v=55 - tx.v)
    with pytest.raises(InvalidSignature):
        verify_action(twin, DEV)


@pytest.mark.parametrize("v", [0, 1, 2, 26, 29, 35, 255])
def test_v_is_27_or_28(v: int) -> None:
    with pytest.raises(InvalidSignature):
        verify_action(replace(l1(), v=v), DEV)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (CURVE_ORDER, 1), (1, CURVE_ORDER), (2**256 - 1, 1)])
def test_r_and_s_lie_in_range(r: int, s: int) -> None:
    with pytest.raises(InvalidSignature):
        verify_action(replace(l1(), r=r, s=s), DEV)


@pytest.mark.parametrize("rules", [DEV, MAIN])
@pytest.mark.parametrize(
    "source",
    [
        "",
        "c",
        "A",
        "coinone",
        "coinone:",
        "coinone:1337",
        "coinone:926001",
        "Coinone:926002",
        "coinone:0926002",
    ],
)
def test_an_l1_action_for_another_chain_is_refused(source: str, rules: DomainRules) -> None:
    with pytest.raises(InvalidSignature):
        verify_action(l1(source=source), rules)


def test_an_l1_action_of_one_network_is_refused_by_the_other() -> None:
    with pytest.raises(InvalidSignature):
        verify_action(l1(source=own_source(926002)), MAIN)
    with pytest.raises(InvalidSignature):
        verify_action(l1(source=own_source(926000)), DEV)


@pytest.mark.parametrize("source", ["a", "b"])
@pytest.mark.parametrize("rules", [DEV, MAIN])
def test_a_foreign_l1_action_is_marked_so_that_inclusion_can_ask_for_a_compat_agent(
    source: str, rules: DomainRules
) -> None:
    assert verify_action(l1(source=source), rules).foreign


@pytest.mark.parametrize("chain", ["Mainnet", "Testnet"])
@pytest.mark.parametrize("chain_id", [421614, 42161, 926002, 926000])
def test_a_foreign_user_signed_action_counts_on_dev_only(chain: str, chain_id: int) -> None:
    assert verify_action(user(chain, chain_id), DEV).foreign
    with pytest.raises(InvalidSignature):
        verify_action(user(chain, chain_id), MAIN)


@pytest.mark.parametrize(
    ("chain", "chain_id"),
    [("Coinone", 926001), ("Coinone", 1), ("coinone", 926002), ("", 926002), ("Devnet", 1)],
)
def test_a_user_signed_action_for_another_chain_is_refused(chain: str, chain_id: int) -> None:
    for rules in (DEV, MAIN):
        with pytest.raises(InvalidSignature):
            verify_action(user(chain, chain_id), rules)


@pytest.mark.parametrize(
    "action",
    [
        NOOP + b"\x00",  # bytes after the value
        NOOP[:-1],  # ends early
        b"\x82\xa4type\xa4noop\xa4type\xa4noop",  # key given twice
        b"\xde\x00\x01\xa4type\xa4noop",  # map16 for one entry
        b"\x81\xd9\x04type\xa4noop",  # str8 for four bytes
        b"\x81\xa4type\xda\x00\x04noop",  # str16 for four bytes
        b"\x81\xc4\x04type\xa4noop",  # binary key
        b"\x81\x01\xa4noop",  # integer key
        b"\x81\xa4type\xa4no\xff\xff",  # not UTF-8
        b"\x81\xa4type\xc0",  # nil
        b"\xc7\x00\x01",  # extension
        b"",
        msgpack.packb({"type": "noop", "extra": 1}),  # unknown field
        msgpack.packb({}),
        msgpack.packb([1]),
        msgpack.packb("noop"),
        msgpack.packb({"type": 1}),
    ],
)
def test_msgpack_that_is_not_canonical_or_not_an_action_is_refused(action: bytes) -> None:
    refused(encode_envelope(l1(action)))


@pytest.mark.parametrize(
    "change",
    [
        {"a": 0.0},
        {"a": -1},
        {"a": 2**32},
        {"a": True},
        {"b": 1},
        {"p": 50000},
        {"p": 50000.0},
        {"p": "5e4"},
        {"p": "-1"},
        {"p": "+1"},
        {"p": " 1"},
        {"p": "1 "},
        {"p": "١"},  # an Arabic digit
        {"p": "0.123456789"},  # nine decimals
        {"p": "9" * 33},
        {"p": "92233720368.54775808"},  # 2^63 in 1e-8
        {"p": "NaN"},
        {"p": "."},
        {"p": ""},
        {"s": None},
        {"r": "false"},
        {"t": {"limit": {"tif": "Fok"}}},
        {"t": {"limit": {"tif": "Gtc", "x": 1}}},
        {"t": {"limit": {"tif": "Gtc"}, "trigger": {}}},
        {"t": {}},
        {"t": "Gtc"},
        {"c": "0x01"},
        {"c": "0x" + "0" * 32},
        {"c": "0x" + "g" * 32},
        {"c": None},
        {"x": 1},
    ],
)
def test_an_order_with_a_bad_field_is_refused(change: dict[str, object]) -> None:
    order = {**ORDER["orders"][0], **change}  # type: ignore[index]
    action = msgpack.packb({**ORDER, "orders": [order]})
    refused(encode_envelope(l1(action)), InvalidInput)


@pytest.mark.parametrize("field", ["a", "b", "p", "s", "r", "t"])
def test_an_order_with_a_missing_field_is_refused(field: str) -> None:
    order = {name: value for name, value in ORDER["orders"][0].items() if name != field}  # type: ignore[union-attr]
    refused(encode_envelope(l1(msgpack.packb({**ORDER, "orders": [order]}))))


@pytest.mark.parametrize(
    "action",
    [
        {**ORDER, "orders": []},
        {**ORDER, "orders": {}},
        {**ORDER, "grouping": "none"},
        {**ORDER, "builder": {"b": "0x00", "f": 1}},
        {**ORDER, "builder": {"b": "0x" + "11" * 20, "f": -1}},
        {"type": "cancel", "cancels": [{"a": 0, "o": -1}]},
        {"type": "cancel", "cancels": [{"a": 0, "o": 1, "x": 1}]},
        {"type": "cancel", "cancels": [[0, 1]]},
        {"type": "scheduleCancel", "time": -5},
        {"type": "scheduleCancel", "time": "5"},
        {"type": "updateLeverage", "asset": 0, "isCross": 1, "leverage": 5},
        {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5000},
    ],
)
def test_a_malformed_action_is_refused(action: dict[str, object]) -> None:
    refused(encode_envelope(l1(msgpack.packb(action))))


@pytest.mark.parametrize(
    "kind",
    ["twapOrder", "vaultTransfer", "createSubAccount", "spotDeploy", "multiSig", "updateIsolatedMargin", "x"],
)
def test_an_action_we_do_not_have_is_refused_by_name(kind: str) -> None:
    with pytest.raises(NotSupported, match=kind):
        verify_action(l1(msgpack.packb({"type": kind})), DEV)


def test_a_vault_address_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="vault"):
        verify_action(l1(vault=bytes(19) + b"\x01"), DEV)


def test_an_integer_wider_than_needed_is_refused() -> None:
    wide = b"\x82\xa4type\xaescheduleCancel\xa4time\xcf" + (5).to_bytes(8, "big")
    refused(encode_envelope(l1(wide)))


def test_deep_nesting_is_refused_before_the_stack_feels_it() -> None:
    refused(encode_envelope(l1(b"\x91" * 60_000 + b"\x01")))


def test_an_oversize_action_is_refused() -> None:
    refused(encode_envelope(l1(msgpack.packb({"type": "setReferrer", "code": "x" * 70_000}))), LimitExceeded)


def test_bytes_after_the_transaction_are_refused() -> None:
    for tx in (l1(), user()):
        refused(encode_envelope(tx) + b"\x00")
        refused(encode_envelope(tx)[:-1])


def test_a_field_more_or_less_is_refused() -> None:
    fields = rlp.decode(encode_envelope(l1())[1:])
    assert isinstance(fields, list)
    refused(b"\x70" + rlp.encode([*fields, b""]))
    refused(b"\x70" + rlp.encode(fields[:-1]))
    tx = user()
    refused(encode_envelope(replace(tx, values=(*tx.values, b""))))
    refused(encode_envelope(replace(tx, values=tx.values[:-1])))


@pytest.mark.parametrize(
    ("place", "value"),
    [(2, b"\x02"), (2, b"\x00\x01"), (3, b"\x00" * 9), (3, b"\x00\x01"), (0, b"\xff\xfe"), (0, b"x" * 200)],
)
def test_a_signed_value_has_one_spelling(place: int, value: bytes) -> None:
    tx = user()
    values = tuple(value if n == place else old for n, old in enumerate(tx.values))
    refused(encode_envelope(replace(tx, values=values)))


def test_a_signed_type_of_another_name_is_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="Withdraw"):
        verify_action(replace(user(), type_name="Withdraw"), DEV)


@settings(max_examples=100)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), own=st.booleans())
def test_a_changed_byte_is_refused_or_is_somebody_elses(place: int, flip: int, own: bool) -> None:
    raw = bytearray(encode_envelope(l1(pack(ORDER)) if own else user()))
    raw[place % len(raw)] ^= flip
    try:
        verified = verify_raw(bytes(raw), DEV)
    except InvalidInput:
        return
    assert verified.signer != SIGNER


@settings(max_examples=100)
@given(raw=st.binary(max_size=200), kind=st.sampled_from([b"\x70", b"\x71", b"\x72", b""]))
def test_junk_is_refused_by_name_and_nothing_else_happens(raw: bytes, kind: bytes) -> None:
    for read in (lambda data: verify_raw(data, DEV), decode_oracle):
        with pytest.raises(InvalidInput):
            read(kind + raw)


def test_the_vault_and_an_expiry_of_zero_are_part_of_what_is_signed() -> None:
    """Absent, and present with the value zero, are different digests in Hyperliquid's scheme."""
    digests = {
        l1_digest(NOOP, 1, None, None, "a"),
        l1_digest(NOOP, 1, None, 0, "a"),
        l1_digest(NOOP, 1, bytes(20), None, "a"),
        l1_digest(NOOP, 1, None, None, "b"),
        l1_digest(NOOP, 2, None, None, "a"),
    }
    assert len(digests) == 5
    tx = l1(expires_after=0)
    decoded = decode_envelope(encode_envelope(tx))
    assert decoded == tx and verify_action(decoded, DEV).expires_after == 0


class TestOracle:
    PRICES = ((0, 500_000), (1, 300_000))

    def report(self, prices: tuple[tuple[int, int], ...] = PRICES) -> OracleEnvelope:
        return OracleEnvelope(NONCE, prices, *sign(oracle_digest(926002, NONCE, prices), KEY))

    def test_a_report_has_its_reporter(self) -> None:
        report = verify_oracle(decode_oracle(encode_oracle(self.report())), 926002)
        assert (report.reporter, report.time_ms, report.prices) == (SIGNER, NONCE, self.PRICES)

    def test_a_report_for_another_chain_has_another_reporter(self) -> None:
        assert verify_oracle(self.report(), 926001).reporter != SIGNER

    @pytest.mark.parametrize(
        "prices",
        [
            (),
            ((0, 0),),
            ((0, 2**63),),
            ((0, 1), (0, 2)),
            ((1, 1), (0, 2)),
            tuple((market, 1) for market in range(257)),
        ],
    )
    def test_senseless_prices_are_refused(self, prices: tuple[tuple[int, int], ...]) -> None:
        with pytest.raises(DecodeError):
            decode_oracle(encode_oracle(self.report(prices)))


class TestRelay:
    def body(self) -> dict[str, object]:
        signature = sdk.sign_l1_action(WALLET, ORDER, None, NONCE, None, False)
        return {"action": ORDER, "nonce": NONCE, "signature": signature, "vaultAddress": None}

    @pytest.mark.parametrize(
        "change",
        [
            {"nonce": -1},
            {"nonce": "5"},
            {"nonce": 1.5},
            {"nonce": True},
            {"nonce": 2**64},
            {"signature": {"r": "0x1", "s": "0x1", "v": 29}},
            {"signature": {"r": "1", "s": "0x1", "v": 27}},
            {"signature": {"r": "0x" + "1" * 65, "s": "0x1", "v": 27}},
            {"signature": {"r": "0x1", "s": "0x1"}},
            {"signature": None},
            {"action": []},
            {"action": {"type": "order", "x": 1.5}},
            {"action": {"type": "order", "x": [None]}},
            {"action": {"type": "order", "x": 2**65}},
            {"action": {"type": "withdraw3", "amount": "1"}},
            {"vaultAddress": "0x12"},
            {"expiresAfter": "now"},
            {"surprise": 1},
        ],
    )
    def test_a_malformed_request_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(InvalidInput):
            envelopes_from_json({**self.body(), **change}, DEV)

    @pytest.mark.parametrize(
        "action",
        [
            ORDER,
            {**ORDER, "grouping": None},
            {**ORDER, "orders": [{**ORDER["orders"][0], "c": None}]},  # type: ignore[dict-item]
            {**ORDER, "builder": {"b": "0x" + "11" * 20, "f": 1}},
            {"type": "cancel", "cancels": [{"a": 0, "o": 2**64 - 1}, {"a": 0, "o": 256}]},
            {"type": "batchModify", "modifies": [{"oid": 300, "order": ORDER["orders"][0]}]},  # type: ignore[index]
            {"type": "noop", "x": ["\u00e9" * 20, -1, True]},
        ],
    )
    def test_the_bytes_of_an_action_are_those_of_our_own_writer(self, action: dict[str, object]) -> None:
        for tx in envelopes_from_json({**self.body(), "action": action}, DEV):
            assert isinstance(tx, L1Envelope) and tx.action == pack(action)

    @pytest.mark.parametrize("value", [1.5, b"x", 2**64, "\ud800"])
    def test_what_is_never_signed_is_not_packed_by_anybody(self, value: object) -> None:
        with pytest.raises(DecodeError):
            envelopes_from_json({**self.body(), "action": {"type": "cancel", "cancels": [value]}}, DEV)

    @pytest.mark.parametrize(
        ("kind", "name"), [("order", "orders"), ("batchModify", "modifies"), ("noop", "x")]
    )
    def test_too_many_items_are_refused_before_they_are_packed(self, kind: str, name: str) -> None:
        """A float is never packed: the refusal names the number, so nothing came to it."""
        body = {**self.body(), "action": {"type": kind, name: [0.5] * 1001}}
        with pytest.raises(DecodeError, match="number of items"):
            envelopes_from_json(body, DEV)
        with pytest.raises(DecodeError, match="never signed"):
            envelopes_from_json({**body, "action": {"type": kind, name: [0.5] * 1000}}, DEV)

    def test_the_clients_key_order_is_kept(self) -> None:
        turned = dict(reversed(ORDER.items()))
        signature = sdk.sign_l1_action(WALLET, turned, None, NONCE, None, True)
        body = json.loads(json.dumps({"action": turned, "nonce": NONCE, "signature": signature}))
        signers = [verify_action(tx, DEV).signer for tx in envelopes_from_json(body, DEV)]
        assert SIGNER in signers

    def test_a_user_signed_nonce_must_be_the_signed_one(self) -> None:
        action = {"type": "usdSend", "destination": "0x" + "11" * 20, "amount": "1", "time": NONCE}
        signature = sdk.sign_usd_transfer_action(WALLET, action, False)
        with pytest.raises(DecodeError):
            envelopes_from_json({"action": action, "nonce": NONCE + 1, "signature": signature}, DEV)

    @pytest.mark.parametrize(
        ("name", "value"), [("vaultAddress", "0x" + "22" * 20), ("expiresAfter", NONCE + 1000)]
    )
    def test_what_a_user_signed_action_does_not_sign_is_refused_by_name(
        self, name: str, value: object
    ) -> None:
        action = {"type": "usdSend", "destination": "0x" + "11" * 20, "amount": "1", "time": NONCE}
        signature = sdk.sign_usd_transfer_action(WALLET, action, False)
        body = {"action": action, "nonce": NONCE, "signature": signature}
        assert len(envelopes_from_json({**body, name: None}, DEV)) == 1
        with pytest.raises(DecodeError, match=name):
            envelopes_from_json({**body, name: value}, DEV)
