"""Actions written by contracts, encoded by eth_abi as Hyperliquid's CoreWriterLib encodes them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.exchange.actions.decode import decode_contract
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.ledger.crossings import CoreAction
from tests.rules.exchange import words as t

CONTRACT = (1).to_bytes(20, "big")
OTHER = "0x" + "11" * 20
ORDER = ["uint32", "bool", "uint64", "uint64", "bool", "uint8", "uint128"]


def written(kind: int, types: list[str], values: list[Any], sender: bytes = CONTRACT) -> CoreAction:
    return CoreAction(sender, b"\x01" + kind.to_bytes(3, "big") + encode(types, values))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            written(1, ORDER, [0, True, 50_000 * 10**8, 10**7, False, 1, 77]),
            t.PlaceOrders(
                (t.OrderSpec(0, True, 50_000 * 10**8, 10**7, False, t.Tif.ALO, None, 77),), "na", None
            ),
        ),
        (written(10, ["uint32", "uint64"], [1, 5]), t.Cancel((t.OrderRef(1, 5, 0),), by_cloid=False)),
        (written(11, ["uint32", "uint128"], [1, 9]), t.Cancel((t.OrderRef(1, 0, 9),), by_cloid=True)),
        (
            written(6, ["address", "uint64", "uint64"], [OTHER, 0, 5]),
            t.SendAsset(bytes.fromhex("11" * 20), 5),
        ),
        (
            written(
                13,
                ["address", "address", "uint32", "uint32", "uint64", "uint64"],
                [OTHER, "0x" + "00" * 20, 0, 2**32 - 1, 0, 5],
            ),
            t.SendAsset(bytes.fromhex("11" * 20), 5),
        ),
        (written(7, ["uint64", "bool"], [5, True]), t.UsdClassTransfer(5, True)),
        (
            written(9, ["address", "string"], [OTHER, "bot"]),
            t.ApproveAgent(bytes.fromhex("11" * 20), "bot", 0, False),
        ),
        (written(12, ["uint64", "address"], [10, OTHER]), t.ApproveBuilderFee(bytes.fromhex("11" * 20), 10)),
    ],
)
def test_an_action_reads_as_what_the_contract_meant(action: CoreAction, expected: t.Says) -> None:
    assert decode_contract(action.data).says == t.action_of(expected).says


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02\x00\x00\x01" + bytes(224),  # another version
        b"\x01\x00\x00\x02" + bytes(96),  # vaults are not supported
        b"\x01\x00\x00\x01" + bytes(223),
        b"\x01\x00\x00\x01" + bytes(256),
        written(1, ORDER, [0, True, 1, 1, False, 4, 0]).data,  # no such time in force
        written(6, ["address", "uint64", "uint64"], [OTHER, 5, 5]).data,  # no such token
        written(6, ["address", "uint64", "uint64"], [OTHER, 0, 0]).data,
        b"\x01\x00\x00\x07" + (5).to_bytes(32, "big") + (2).to_bytes(32, "big"),  # a bool of 2
        b"\x01\x00\x00\x09" + bytes(32) + bytes(32) + bytes(32),  # a string that begins nowhere
    ],
)
def test_what_is_no_action_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_contract(data)


@settings(max_examples=100)
@given(st.binary(max_size=300), st.integers(0, 15))
def test_junk_from_a_contract_breaks_nothing(data: bytes, kind: int) -> None:
    with suppress(InvalidInput):
        decode_contract(b"\x01" + kind.to_bytes(3, "big") + data)


def run(w: Any, *written_actions: CoreAction, actions: tuple[t.VerifiedAction, ...] = ()) -> None:
    w.now, w.seq = w.now + 250, w.seq + 1
    ctx = BatchContext(w.seq, w.now, keccak256(b"x"), core_actions=written_actions)
    w.last = apply_exchange(w.ex, ctx, actions)


def test_a_contract_trades_as_itself_before_its_own_signed_actions(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(2, 0.1, 50_000), w.sell(2, 0.1, 50_010))
    run(
        w,
        written(1, ORDER, [0, True, 50_010 * 10**8, 10**7, False, 3, 0]),
        actions=(w.buy(1, 0.1, 50_010, "Ioc"),),
    )
    prices = [fill.px for fill in w.last.events if type(fill).__name__ == "Fill"]
    assert prices == [500_000, 500_100]
    assert w.last.core_outcomes[0].response["data"]["statuses"][0]["filled"]["avgPx"] == "50000.0"
    assert w.position(1) == 20_000


def test_a_contract_without_an_account_is_ignored(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    stranger = written(7, ["uint64", "bool"], [5, True], sender=bytes([9]) * 20)
    run(w, stranger, CoreAction(CONTRACT, b"junk"), written(7, ["uint64", "bool"], [5, True]))
    assert [outcome.status for outcome in w.last.core_outcomes] == ["excluded", "excluded", "executed"]
    assert w.last.core_outcomes[0].error == "the caller has no account"
