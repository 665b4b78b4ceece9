"""The fast decoder says exactly what the full one says, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidInput
from coinone.rules.exchange.actions.decode import decode_l1
from coinone.rules.exchange.rows.status import Status
from coinone.rules.exchange.rows.tables import OP
from coinone.rules.exchange.trading.ops import to_market_units
from coinone.rules.exchange.wire import pack, unpack
from coinone.rules.exchange.wire.fast_decode import decode_operations
from coinone.rules.exchange.wire.operations import op_rows

ASSETS = st.sampled_from([0, 1, 127, 128, 255, 256, 10_000, 65_535, 65_536, 2**31 - 1, 2**31, 2**32])
NUMBERS = st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,8})?", fullmatch=True) | st.sampled_from(
    [
        "",
        ".",
        "0",
        "00",
        "01",
        "1.",
        ".5",
        "1.0",
        "1..2",
        "-1",
        "+1",
        "1e5",
        " 1",
        "1 ",
        "1.123456789",
        "92233720368.54775807",
        "92233720368.54775808",
        "9999999999.99999999",
        "99999999999.9",
        "9" * 31,
    ]
)
CLOIDS = st.binary(min_size=16, max_size=16).map(lambda raw: "0x" + raw.hex()) | st.sampled_from(
    [
        "0x" + "0" * 32,
        "0x" + "F" * 32,
        "0x" + "g" * 32,
        "0x",
        "0x" + "1" * 31,
        "0X" + "1" * 32,
        "0x" + "@" * 32,
    ]
)
ORDERS = st.builds(
    lambda a, b, p, s, r, tif, c: (
        {"a": a, "b": b, "p": p, "s": s, "r": r, "t": {"limit": {"tif": tif}}} | ({"c": c} if c else {})
    ),
    ASSETS,
    st.booleans(),
    NUMBERS,
    NUMBERS,
    st.booleans(),
    st.sampled_from(["Gtc", "Ioc", "Alo", "gtc", "FrontendMarket"]),
    st.none() | CLOIDS,
)
OIDS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 127, 128, 2**16, 2**32, 2**63 - 1, 2**63])
MODIFIES = st.builds(lambda oid, changed: {"oid": oid, "order": changed}, OIDS | CLOIDS, ORDERS)


def turned(fields: dict[str, Any], turn: bool) -> dict[str, Any]:
    """The same map with its keys in the other order."""
    return dict(reversed(fields.items())) if turn else fields


def cancels(name: str, items: list[dict[str, Any]], turns: list[bool], last: bool) -> dict[str, Any]:
    """A cancel whose items have their keys in these orders, and whose type may come last."""
    listed = [turned(item, turn) for item, turn in zip(items, turns, strict=False)]
    return turned({"type": name, "cancels": listed}, last)


BY_OID = st.builds(lambda a, o: {"a": a, "o": o}, ASSETS, OIDS)
BY_CLOID = st.builds(lambda a, c: {"asset": a, "cloid": c}, ASSETS, CLOIDS)
TURNS = st.lists(st.booleans(), min_size=4, max_size=4)
CANCELS = st.builds(
    cancels, st.just("cancel"), st.lists(BY_OID, max_size=4), TURNS, st.booleans()
) | st.builds(cancels, st.just("cancelByCloid"), st.lists(BY_CLOID, max_size=4), TURNS, st.booleans())
ACTIONS = (
    st.builds(lambda m: {"type": "batchModify", "modifies": m}, st.lists(MODIFIES, max_size=20))
    | st.builds(lambda o: {"type": "order", "orders": o, "grouping": "na"}, st.lists(ORDERS, max_size=20))
    | CANCELS
)


def full(data: bytes) -> Any:
    try:
        action = decode_l1(unpack(data))
    except InvalidInput:
        return None
    return action.type.name, action.says


def order(**changes: Any) -> dict[str, Any]:
    fields = {"a": 0, "b": True, "p": "50000.5", "s": "0.1", "r": False, "t": {"limit": {"tif": "Gtc"}}}
    return fields | changes


def action(*orders: dict[str, Any], **changes: Any) -> bytes:
    return pack({"type": "order", "orders": list(orders), "grouping": "na"} | changes)


def modifies(*changes: tuple[int | str, dict[str, Any]]) -> bytes:
    items = [{"oid": oid, "order": changed} for oid, changed in changes]
    return pack({"type": "batchModify", "modifies": items})


@given(value=ACTIONS)
@settings(max_examples=100)
def test_whatever_the_fast_decoder_takes_the_full_one_takes_alike(value: dict[str, Any]) -> None:
    data = pack(value)
    fast = decode_operations(data)
    assert fast is None or fast == full(data)


@given(value=CANCELS)
@settings(max_examples=100)
def test_every_cancel_that_the_full_decoder_takes_is_taken(value: dict[str, Any]) -> None:
    """Nobody pays for a cancel, so there must be no slow spelling of it."""
    data = pack(value)
    assert decode_operations(data) == full(data)


@given(
    value=ACTIONS,
    place=st.integers(0, 10**6),
    byte=st.integers(0, 255),
    kind=st.sampled_from(["set", "cut", "add"]),
)
@settings(max_examples=100)
@example(value={"type": "cancel", "cancels": [{"a": 0, "o": 5}]}, place=0, byte=0, kind="add")
def test_a_damaged_action_is_never_taken_for_another(
    value: dict[str, Any], place: int, byte: int, kind: str
) -> None:
    data = bytearray(pack(value))
    place %= len(data)
    if kind == "set":
        data[place] = byte
    elif kind == "cut":
        del data[place]
    else:
        data.insert(place, byte)
    fast = decode_operations(bytes(data))
    assert fast is None or fast == full(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        action(order()),
        action(order(c="0x" + "0f" * 16), order(a=70_000, b=False, r=True)),
        action(*[order(t={"limit": {"tif": tif}}) for tif in ("Gtc", "Ioc", "Alo") * 6]),
        action(order(p="0.00000001", s="9999999999.99999999")),
        pack({"type": "cancel", "cancels": [{"a": 3, "o": 2**63 - 1}, {"a": 0, "o": 0}]}),
        pack({"type": "cancelByCloid", "cancels": [{"asset": 300, "cloid": "0x" + "A1" * 16}]}),
        pack({"type": "cancel", "cancels": [{"a": 0, "o": n % 100} for n in range(1000)]}),
        pack({"cancels": [{"o": 2**64 - 1, "a": 2**31 - 1}, {"a": 0, "o": 2**63}] * 500, "type": "cancel"}),
        pack({"cancels": [{"cloid": "0x" + "A1" * 16, "asset": 300}], "type": "cancelByCloid"}),
        modifies((1, order())),
        modifies((2**63 - 1, order(c="0x" + "0f" * 16)), ("0x" + "A1" * 16, order(b=False, r=True))),
        modifies(*[(n, order(t={"limit": {"tif": "Alo"}})) for n in range(1, 1001)]),
    ],
)
def test_the_common_spellings_are_taken(data: bytes) -> None:
    fast = decode_operations(data)
    assert fast is not None and fast == full(data)


@pytest.mark.parametrize(
    "data",
    [
        action(),
        action(order(), grouping="normalTpsl"),
        action(order(), builder={"b": "0x" + "11" * 20, "f": 10}),
        action(order(t={"trigger": {"isMarket": True, "triggerPx": "5", "tpsl": "tp"}})),
        action({"b": True} | order()),
        action(order()) + b"\x00",
        action(order())[:-1],
        pack({"orders": [order()], "type": "order", "grouping": "na"}),
        modifies((0, order())),
        modifies((2**63, order())),
        modifies(("0x" + "0" * 32, order())),
        modifies((1, order(t={"trigger": {"isMarket": True, "triggerPx": "5", "tpsl": "tp"}}))),
        pack({"type": "batchModify", "modifies": [{"order": order(), "oid": 1}]}),
        pack({"type": "modify", "oid": 1, "order": order()}),
        pack({"type": "noop"}),
        b"",
    ],
)
def test_everything_else_is_left_to_the_full_decoder(data: bytes) -> None:
    assert decode_operations(data) is None


def test_prices_and_sizes_come_into_the_units_of_their_market() -> None:
    orders = [order(a=0), order(a=1), order(a=0, p="1.23"), order(a=0, s="0.000001"), order(a=2)]
    ops = np.frombuffer(bytearray(full(action(*orders))[1].rows), OP)
    status = np.zeros(len(ops), np.int32)
    to_market_units(ops, np.array([5, 2]), status)  # prices 0.1 and 0.0001, sizes 0.00001 and 0.01
    assert status.tolist() == [0, 0, Status.BAD_PRICE, Status.BAD_SIZE, Status.BAD_MARKET]
    assert ops["px"].tolist()[:3] == [500_005, 500_005_000, 12]
    assert ops["sz"].tolist() == [10_000, 10, 0, 0, 0]


def test_rows_made_of_columns_say_what_was_named_and_else_0() -> None:
    rows = np.frombuffer(op_rows([{"oid": 7}, {"market": 2, "px": 5}, {"oid": 9, "px": 6}]), OP)
    assert rows["oid"].tolist() == [7, 0, 9] and rows["px"].tolist() == [0, 5, 6]
    assert rows["market"].tolist() == [0, 2, 0] and not rows["kind"].any()
    assert op_rows([]) == b""
