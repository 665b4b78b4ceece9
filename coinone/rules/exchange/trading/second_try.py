"""The second try of cancels that found nothing, after all orders of the batch have run (D2)."""

from __future__ import annotations

import numpy as np

from coinone.rules.exchange.accounts.credits import charge
from coinone.rules.exchange.rows.status import FIRST_REJECTION
from coinone.rules.exchange.rows.tables import Array, OpKind
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.trading.ops import OpList
from coinone.rules.exchange.trading.segment import SegmentRun, Trading
from coinone.rules.exchange.wire.segments import ItemKey


class CancelRetry:
    """Cancels that found nothing, tried again after all orders have run (D2).

    They reach only earlier orders: an order placed in this batch by an item that ranks after the cancel among its
    account's items is out of reach, so that "cancel, then place again" does not cancel what it placed.
    """

    def __init__(self, cancels: Trading, ran: SegmentRun) -> None:
        self._cancels = cancels
        self._ran = ran
        self._placed: list[tuple[OpList, SegmentRun]] = []

    def note_placed(self, orders: Trading, ran: SegmentRun) -> None:
        self._placed.append((orders.ops, ran))

    def run(self) -> None:
        """Try again, and replace the old results by the new ones."""
        missed = self._missed()
        reachable = self._resting(np.unique(self._ran.asked["account"][missed])) if len(missed) else {}
        if not reachable:
            return
        again, places, gone = Trading(self._cancels.batch), [], set()
        items, owners = self._cancels.ops.items, self._cancels.ops.owners(missed)
        keys, asked = [item.key for item in items], self._ran.asked[missed]
        for place, owner, name in zip(missed.tolist(), owners, _meant(asked), strict=True):
            oid, placed_by = reachable.get(name, (0, None))
            # The first that reaches an order removes it: however many name it, one is tried.
            if placed_by is not None and oid not in gone and placed_by <= keys[owner]:
                market = int(self._ran.asked["market"][place])
                again.ops.add_one(items[owner], kind=int(OpKind.CANCEL), market=market, oid=oid)
                places.append(place)
                gone.add(oid)
        if places:
            self._ran.results["status"][places] = again.run().results["status"]

    def finish(self) -> None:
        """Write the outcomes. A cancel that missed again costs a credit (accounts/credits.py)."""
        accounts, counts = np.unique(self._ran.asked["account"][self._missed()], return_counts=True)
        for account, count in zip(accounts.tolist(), counts.tolist(), strict=True):
            charge(self._cancels.batch.rows, account, count)
        self._cancels.finish(self._ran)

    def _missed(self) -> Array:
        """Places of the cancels whose named target was not there.

        Those with a reason of their own name nothing: they sweep, and may find that another cancel was first.
        """
        named = self._ran.asked["reason"] == 0
        return np.flatnonzero((self._ran.results["status"] >= FIRST_REJECTION) & named)

    def _resting(self, accounts: Array) -> dict[bytes, tuple[int, ItemKey]]:
        """What these accounts placed in this batch and still rests: its oid and its item's key, by each name that a
        cancel may use.

        The names are bytes: nobody can choose client ids so that their hashes collide.
        """
        ex = self._cancels.batch.ex
        found: dict[bytes, tuple[int, ItemKey]] = {}
        for ops, ran in self._placed:
            theirs = (ran.results["resting_sz"] > 0) & np.isin(ran.asked["account"], accounts)
            places = np.flatnonzero(theirs)
            asked, oids = ran.asked[places], ran.results["oid"][places]
            owned, client = asked["account"], (asked["cloid_hi"], asked["cloid_lo"])
            by_oids = _names(0, owned, asked["market"], oids, 0)
            by_cloids = _names(1, owned, asked["market"], *client)
            names = zip(by_oids, by_cloids, asked["has_cloid"], strict=True)
            placed = zip(places.tolist(), owned.tolist(), oids.tolist(), names, strict=True)
            for place, slot, oid, (by_oid, by_cloid, has_cloid) in placed:
                if open_orders.is_open(ex, slot, oid):
                    found[by_oid] = oid, ops.owner(place).key
                    if has_cloid:
                        found[by_cloid] = found[by_oid]
        return found


def _meant(asked: Array) -> list[bytes]:
    """The names of the orders that cancels target: their market, and an oid or the halves of a client id."""
    by_cloid = asked["kind"] == OpKind.CANCEL_CLOID
    first = np.where(by_cloid, asked["target_hi"], asked["oid"])
    return _names(
        by_cloid, asked["account"], asked["market"], first, np.where(by_cloid, asked["target_lo"], 0)
    )


def _names(*columns: Array | int) -> list[bytes]:
    """Pack the numbers of each row into bytes."""
    cells = np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.int64)
    names: list[bytes] = cells.view(f"V{8 * len(columns)}").ravel().tolist()
    return names
