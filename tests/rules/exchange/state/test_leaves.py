"""Leaves hold everything, the root commits to them, and one account can be proved to its owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.merkle import verify
from coinone.base.primitives import rlp
from coinone.base.primitives.records import decode, encode
from coinone.rules.exchange.engine import apply_undo
from coinone.rules.exchange.instruments.config import MarketConfig
from coinone.rules.exchange.state import root as root_module
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_forms import ORDER_LEAF_SIZE, AccountLeaf, GlobalsLeaf, MarketLeaf
from coinone.rules.exchange.state.leaves import account_key, all_leaves, market_key, touched_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore, verify_account
from coinone.rules.exchange.state.tables import undo_entries
from coinone.rules.ledger.crossings import Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
GOLDEN = {  # of the keys and leaves of each kind
    "a": "99e76963b84dfe96",
    "o": "5addd3cd1a3ae844",
    "m": "cdb329636f8a3e4f",
    "u": "2ee7074f1665ea24",
    "g": "b9077b13a8a12bfd",
}


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


@pytest.fixture
def busy(world: Callable[..., Any]) -> Any:
    """An exchange in which every kind of leaf has something in it."""
    w = world(dict.fromkeys(range(1, 5), 100000))
    w.batch(
        w.sell(1, 0.5, 50_010, cloid=2**127 + 5),
        w.buy(2, 0.2, 50_020),
        w.buy(3, 0.1, 49_000, "Alo"),
        w.signed(3, t.ApproveAgent(address(50), "bot", w.now + 10**9, True)),
        w.signed(4, t.ApproveBuilderFee(address(1), 10)),
        w.signed(4, t.ScheduleCancel(w.now + 60_000)),
        w.signed(4, t.SetReferrer("CCXT1")),
        w.signed(4, t.UpdateLeverage(1, True, 7)),
        deposits=(Deposit(address(9), 3 * QUOTE),),
    )
    w.batch(w.signed(4, t.PlaceOrders((w.spec(True, 1, 2_900, market=1),), "na", t.Builder(address(1), 10))))
    w.batch(w.buy(50, 0.01, 49_500))
    return w


def test_every_leaf_has_the_bytes_it_had(busy: Any) -> None:
    """Golden: a digest of the leaves of each kind, from the code that wrote them by position."""
    digests: dict[str, str] = {}
    for kind in "aomug":
        rows = sorted((key, leaf) for key, leaf in all_leaves(busy.ex) if key[:1] == kind.encode())
        assert rows, f"no leaf of kind {kind}"
        digests[kind] = keccak256(b"".join([key + leaf for key, leaf in rows])).hex()[:16]
    assert digests == GOLDEN


def test_leaves_that_are_written_in_bulk_are_those_of_their_forms(busy: Any) -> None:
    forms = {b"a": AccountLeaf, b"m": MarketLeaf, b"g": GlobalsLeaf}
    checked = [
        (leaf, encode(decode(forms[key[:1]], leaf))) for key, leaf in all_leaves(busy.ex) if key[:1] in forms
    ]
    assert len(checked) > 4 and all(written == formed for written, formed in checked)


def test_the_leaves_of_batches_add_up_to_all_leaves(busy: Any) -> None:
    kept = dict(all_leaves(exchange_from_leaves(busy.config, all_leaves(busy.ex))))
    for action in (busy.cancel(1, cloid=2**127 + 5), busy.sell(2, 0.2, 48_000), busy.buy(3, 0.05, 48_500)):
        for key, leaf in busy.batch(action).leaves.items():
            if leaf is None:
                kept.pop(key, None)
            else:
                kept[key] = leaf
        assert kept == dict(all_leaves(busy.ex))


def test_rebuilt_in_other_slots_it_goes_on_the_same(busy: Any) -> None:
    leaves = list(all_leaves(busy.ex))
    for order in (leaves, leaves[::-1], sorted(leaves, key=lambda pair: pair[1])):
        other = exchange_from_leaves(busy.config, order)
        assert dict(all_leaves(other)) == dict(leaves)
    twin = exchange_from_leaves(busy.config, leaves[::-1])
    assert [twin.rows.slot_of(address(n)) for n in (1, 2)] != [busy.slot(1), busy.slot(2)]
    first = busy.batch(busy.sell(2, 0.3, 48_000), busy.cancel(4, oid=3), busy.buy(1, 0.1, 50_000))
    busy.ex, busy.now, busy.seq = twin, busy.now - 250, busy.seq - 1
    busy.nonce -= 3
    second = busy.batch(busy.sell(2, 0.3, 48_000), busy.cancel(4, oid=3), busy.buy(1, 0.1, 50_000))
    assert second.leaves == first.leaves
    assert second.digest == first.digest
    assert second.events == first.events


def test_undo_returns_every_leaf(busy: Any) -> None:
    before = dict(all_leaves(busy.ex))
    results = [
        busy.batch(
            busy.sell(2, 0.3, 48_000), busy.cancel(4, oid=3), deposits=(Deposit(address(9), 9 * QUOTE),)
        ),
        busy.batch(busy.signed(77, t.Noop()), busy.buy(1, 0.1, 50_000)),
    ]
    for result in reversed(results):
        apply_undo(busy.ex, result.undo)
    assert dict(all_leaves(busy.ex)) == before
    assert busy.ex.rows.slot_of(address(9)) is None


def test_an_entry_that_is_dropped_changes_the_leaf_that_showed_it(busy: Any) -> None:
    number, nobody = busy.ex.number(busy.slot(2)), np.zeros(0, np.int64)
    busy.ex.ledger.schedule.restore(number, 5)
    assert account_key(number) not in touched_leaves(busy.ex, nobody)
    busy.ex.ledger.schedule.drop(number)
    assert account_key(number) in touched_leaves(busy.ex, nobody)
    undo_entries(busy.ex.ledger.log.take())
    assert busy.ex.ledger.schedule.due(5, 1) == [number]


def test_a_further_kind_of_leaves_under_accounts_is_proved_and_moves_no_account_without_it(
    busy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = LeafStore(dict(all_leaves(busy.ex)))
    monkeypatch.setattr(root_module, "UNDER_ACCOUNTS", {b"o": ORDER_LEAF_SIZE, b"t": 3})
    store = LeafStore(dict(all_leaves(busy.ex)))
    assert store.root() == before.root()
    number = busy.ex.number(busy.slot(3))
    key = b"t" + number.to_bytes(8, "big") + bytes(7)
    store.update({key + b"\x02": b"two", key + b"\x01": b"one"})
    proof, other = store.prove(number), store.prove(number - 1)
    listed = keccak256(bytes(7) + b"\x01one" + bytes(7) + b"\x02two")
    place = rlp.encode([proof.leaf, keccak256(b"".join(map(b"".join, proof.listed[0]))), listed])
    assert verify(proof.roots[0], proof.places, number, place, proof.path)
    assert verify_account(store.root(), proof) and verify_account(store.root(), other)
    assert not verify_account(store.root(), replace(proof, listed=(proof.listed[0], ())))
    assert not verify_account(store.root(), replace(proof, listed=(proof.listed[0], proof.listed[1][:1])))
    store.update({key + b"\x02": None, key + b"\x01": None})
    assert store.root() == before.root()


def test_an_account_is_proved_with_its_orders(busy: Any) -> None:
    store = LeafStore(dict(all_leaves(busy.ex)))
    root = store.root()
    proof = store.prove(busy.ex.number(busy.slot(3)))
    assert verify_account(root, proof) and len(proof.orders) == 2
    orders, *others = proof.listed
    assert not verify_account(root, replace(proof, listed=(orders[:1], *others)))
    (oid, first), *rest = orders
    moved = ((oid, first + rest[0][0] + rest[0][1]), *rest[1:])  # the same bytes, cut elsewhere
    assert not verify_account(root, replace(proof, listed=(moved, *others)))
    longer = ((oid + first[:1], first[1:]), *rest)
    assert not verify_account(root, replace(proof, listed=(longer, *others)))
    assert not verify_account(root, replace(proof, number=proof.number - 1))
    assert not verify_account(root, replace(proof, leaf=proof.leaf[:-1] + b"\x00"))
    assert not verify_account(bytes(32), proof)
    for n, part in enumerate(proof.roots):
        bent = (*proof.roots[:n], bytes([part[0] ^ 1]) + part[1:], *proof.roots[n + 1 :])
        assert not verify_account(root, replace(proof, roots=bent))


def test_any_changed_leaf_changes_the_root(busy: Any) -> None:
    leaves = dict(all_leaves(busy.ex))
    root = LeafStore(leaves).root()
    for key, leaf in leaves.items():
        assert LeafStore({**leaves, key: leaf[:-1] + bytes([leaf[-1] ^ 1])}).root() != root
        assert LeafStore({other: kept for other, kept in leaves.items() if other != key}).root() != root


def test_the_root_of_updates_is_the_root_from_nothing(busy: Any) -> None:
    store = LeafStore(dict(all_leaves(busy.ex)))
    changes = busy.batch(
        busy.sell(2, 0.2, 48_000), deposits=(Deposit(address(90 + busy.seq), 50 * QUOTE),)
    ).leaves
    ahead = store.root_with(changes)
    assert ahead == LeafStore(dict(all_leaves(busy.ex))).root()
    store.update(changes)
    assert store.root() == ahead


def test_asking_for_a_root_that_never_comes_leaves_nothing_behind(busy: Any) -> None:
    before = dict(all_leaves(busy.ex))
    store = LeafStore(before)
    root = store.root()
    store.root_with({account_key(99): b"\xc0", account_key(1): None, b"g": before[b"g"][:-1] + b"\x7f"})
    assert store.root() == root
    store.root_with({account_key(99): b"\xc0"})
    store.update({b"g": before[b"g"]})
    assert store.root() == root


def test_the_terms_of_a_market_are_under_the_root(busy: Any) -> None:
    first, *others = busy.config.markets
    changes = (
        {"max_leverage": first.max_leverage - 1},
        {"impact_notional": first.impact_notional + 1},
        {"max_open_interest": 7},
        {"name": first.name + "X"},
        {"tiers": ((10**12, 3),)},
    )
    roots = {LeafStore(dict(all_leaves(Exchange.from_genesis(busy.config)))).root()}
    for change in changes:
        config = replace(busy.config, markets=(replace(first, **change), *others))
        roots.add(LeafStore(dict(all_leaves(Exchange.from_genesis(config)))).root())
    assert len(roots) == len(changes) + 1


def test_a_market_is_state_whatever_the_configuration_lists(busy: Any) -> None:
    """Once there is a chain, its file no longer says what is traded: a listing needs no new network."""
    empty = replace(busy.config, markets=())
    assert dict(all_leaves(exchange_from_leaves(empty, all_leaves(busy.ex)))) == dict(all_leaves(busy.ex))


def test_a_market_that_is_listed_later_is_traded_rebuilt_and_undone(busy: Any) -> None:
    before = dict(all_leaves(busy.ex))
    market = busy.ex.list_market(MarketConfig("SOL", 2, 20, tiers=((10**12, 3),), initial_mark=1_000_000))
    busy.prices[market] = 1_000_000
    listed = busy.batch(busy.order(1, True, 1, 99, market=market))
    assert busy.ex.rows.market_count == 3 and listed.leaves[market_key(market)] is not None
    traded = busy.batch(busy.order(2, False, 1, 99, "Ioc", market=market))
    assert int(busy.ex.rows.positions[busy.slot(1), market]["size"]) > 0
    leaves = list(all_leaves(busy.ex))
    other = exchange_from_leaves(busy.config, leaves[::-1])
    assert dict(all_leaves(other)) == dict(leaves)
    assert other.ledger.listing_of(market).name == "SOL"
    for result in (traded, listed):
        apply_undo(busy.ex, result.undo)
    assert dict(all_leaves(busy.ex)) == before
    assert busy.ex.rows.market_count == 2 and busy.ex.ledger.listings.get(market) is None
