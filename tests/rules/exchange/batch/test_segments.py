"""The order inside a batch (D2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.instruments.config import QUOTE_SYSTEM_ADDRESS
from coinone.rules.exchange.wire.action import SYSTEM, Action, Segment
from coinone.rules.exchange.wire.segments import Item, ranked
from tests.rules.exchange import words as t

SEED = keccak256(b"seed")


def item(index: int, who: bytes, nonce: int, signer: bytes = b"", digest: bytes = b"") -> Item:
    return Item(index, SYSTEM, 0, who, nonce, signer or who, digest, b"")


def spec(tif: str) -> t.OrderSpec:
    return t.OrderSpec(0, True, 1, 1, False, t.Tif[tif.upper()], None, 0)


def orders(*tifs: str) -> Action:
    return t.action_of(t.PlaceOrders(tuple(spec(tif) for tif in tifs), "na", None))


def test_an_action_is_classed_by_its_most_aggressive_order() -> None:
    assert orders("Alo", "Alo").segment(QUOTE_SYSTEM_ADDRESS) is Segment.POST_ONLY
    assert orders("Alo", "Gtc").segment(QUOTE_SYSTEM_ADDRESS) is Segment.TAKERS
    assert orders("Ioc").segment(QUOTE_SYSTEM_ADDRESS) is Segment.TAKERS


def test_a_modify_is_classed_by_its_new_order() -> None:
    target = t.OrderRef(0, 1, 0)
    quiet = t.BatchModify((t.Modify(target, spec("Alo")),), single=False)
    loud = t.BatchModify((t.Modify(target, spec("Alo")), t.Modify(target, spec("Gtc"))), single=False)
    assert t.action_of(quiet).segment(QUOTE_SYSTEM_ADDRESS) is Segment.POST_ONLY
    assert t.action_of(loud).segment(QUOTE_SYSTEM_ADDRESS) is Segment.TAKERS


def test_cancels_come_first_and_transfers_to_contracts_last() -> None:
    cancel = t.action_of(t.Cancel((t.OrderRef(0, 1, 0),), by_cloid=False))
    assert cancel.segment(QUOTE_SYSTEM_ADDRESS) is Segment.CANCELS
    assert t.action_of(t.SendAsset(bytes(20), 1)).segment(QUOTE_SYSTEM_ADDRESS) is Segment.ACCOUNT
    withdrawal = t.SendAsset(QUOTE_SYSTEM_ADDRESS, 1)
    assert t.action_of(withdrawal).segment(QUOTE_SYSTEM_ADDRESS) is Segment.TRANSFERS_OUT


def test_accounts_take_turns_in_the_order_of_their_hashes() -> None:
    accounts = [bytes([n]) * 20 for n in range(1, 6)]
    by_hash = sorted(accounts, key=lambda account: keccak256(SEED + account))
    items = [item(n, account, nonce) for n, account in enumerate(accounts) for nonce in (1, 2)]
    order = [(one.address, one.nonce) for one in ranked(items, SEED)]
    assert order == [(account, 1) for account in by_hash] + [(account, 2) for account in by_hash]


def test_who_sends_more_waits_for_the_others_turn() -> None:
    busy, calm = bytes([1]) * 20, bytes([2]) * 20
    items = [item(n, busy, n) for n in range(5)] + [item(9, calm, 1)]
    order = [one.address for one in ranked(items, SEED)]
    assert order.index(calm) <= 1


def test_an_accounts_items_go_by_nonce_then_signer_then_digest_whoever_hands_them_in() -> None:
    account = bytes(20)
    items = [
        item(0, account, 1, b"a", b"x"),
        item(1, account, 1, b"a", b"y"),
        item(2, account, 1, b"b", b"a"),
        item(3, account, 2, b"a", b"a"),
    ]
    for shuffled in permutations(items):
        assert [one.index for one in ranked(shuffled, SEED)] == [0, 1, 2, 3]


def test_another_seed_gives_another_order() -> None:
    accounts = [bytes([n]) * 20 for n in range(1, 9)]
    items = [item(n, account, 1) for n, account in enumerate(accounts)]
    assert len({tuple(one.index for one in ranked(items, bytes([n]) * 32)) for n in range(8)}) > 4


def test_a_maker_can_withdraw_a_quote_in_the_batch_of_its_taker(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.1, 50_000, "Alo", cloid=7))
    w.batch(w.buy(2, 0.1, 50_000, "Ioc"), w.cancel(1, cloid=7))
    assert w.status(0) == {"error": "Order could not immediately match against any resting orders. asset=0"}
    assert w.status(1) == "success"


def test_post_only_orders_rest_before_takers_of_the_same_batch_arrive(world: Callable[..., Any]) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.buy(2, 0.1, 50_000, "Ioc"), w.sell(1, 0.1, 50_000, "Alo"))
    assert w.status(0)["filled"]["totalSz"] == "0.1"


def test_a_cancel_reaches_an_order_placed_earlier_in_its_batch(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    w.batch(w.sell(1, 0.1, 51_000, cloid=7), w.cancel(1, cloid=7))
    assert "resting" in w.status(0)
    assert w.status(1) == "success"
    assert w.ex.rows.live_orders == 0


def test_cancel_then_place_again_keeps_the_new_order(world: Callable[..., Any]) -> None:
    """Both are found under the cloid; only what ranks before the cancel may be reached by its second try."""
    w = world({1: 100_000})
    w.batch(w.cancel(1, cloid=7), w.sell(1, 0.1, 51_000, cloid=7))
    assert w.status(0) == {"error": "Order was never placed, already canceled, or filled. asset=0"}
    assert w.ex.rows.live_orders == 1


@pytest.mark.parametrize("turn", range(4))
def test_the_order_in_which_a_batch_lists_its_actions_changes_nothing(
    turn: int, world: Callable[..., Any]
) -> None:
    roots = set()
    for rotation in (0, turn):
        w = world(dict.fromkeys(range(1, 5), 100000))
        actions = [
            w.sell(1, 0.2, 50_010, cloid=1),
            w.buy(2, 0.1, 50_020, "Ioc"),
            w.buy(3, 0.15, 50_015),
            w.cancel(1, cloid=1),
            w.sell(4, 0.3, 50_005, "Alo"),
        ]
        result = w.batch(*(actions[rotation:] + actions[:rotation]))
        roots.add(tuple(sorted(result.leaves.items())))
    assert len(roots) == 1
