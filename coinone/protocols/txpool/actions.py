"""The pool of exchange actions: two lanes, bounded per account, served round-robin.

The order inside a batch is decided by the batch's seed, not by the pool (D2). The pool ensures that nobody crowds out
others. Cancels wait in their own lane, which other actions cannot fill, with no more targets per account than it can
have orders. In each lane the account that was served longest ago comes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parameters import ACTION_BYTES_MAX
from coinone.base.primitives.types import Address, Hash32
from coinone.protocols.txpool.limits import (
    ACTION_ACCOUNT_BYTES_MAX,
    ACTION_LOOKS_PER_BATCH,
    ACTION_POOL_BYTES_MAX,
    CANCEL_TARGETS_EXTRA,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    raw: bytes
    hash: Hash32
    signer: Address
    nonce: int
    line: Hashable  # its account, or another owner that is bounded and served in turn
    is_cancel: bool
    count: int  # orders to place or cancel
    credits: int  # its cost
    action: T  # verified, so that it is decoded only once


@dataclass(slots=True)
class _Line(Generic[T]):
    """The actions of one account in one lane, by arrival, with their totals."""

    items: dict[Hash32, Waiting[T]] = field(default_factory=dict)
    bytes: int = 0
    count: int = 0
    credits: int = 0

    def add(self, item: Waiting[T], sign: int = 1) -> None:
        self.bytes += sign * len(item.raw)
        self.count += sign * item.count
        self.credits += sign * item.credits


_NOTHING: _Line[object] = _Line()


class ActionPool(Generic[T]):
    def __init__(self, bytes_max: int = ACTION_POOL_BYTES_MAX) -> None:
        self._most = {
            True: bytes_max,
            False: div_down(3 * bytes_max, 4),
        }  # bound for all actions; for those that are not cancels
        self._bytes = {True: 0, False: 0}
        self._waiting: dict[Hash32, Waiting[T]] = {}
        self._nonces: set[tuple[Address, int]] = set()
        self._lanes: dict[bool, OrderedDict[Hashable, _Line[T]]] = {True: OrderedDict(), False: OrderedDict()}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, tx_hash: Hash32) -> bool:
        return tx_hash in self._waiting

    def waiting(self) -> list[Waiting[T]]:
        """All that wait, the oldest first."""
        return list(self._waiting.values())

    def credits_of(self, line: Hashable) -> int:
        """The credits that its waiting actions will cost."""
        return self._lanes[False].get(line, _NOTHING).credits

    def add(self, item: Waiting[T], open_orders: int) -> None:
        """Add `item`, whose account has `open_orders`. Raises InvalidAction or LimitExceeded, with the pool
        unchanged."""
        if item.hash in self._waiting or (item.signer, item.nonce) in self._nonces:
            raise InvalidAction("Invalid nonce: duplicate nonce", nonce=item.nonce)
        size, lane = len(item.raw), self._lanes[item.is_cancel]
        if size > ACTION_BYTES_MAX:
            raise LimitExceeded("action too large", have=size, most=ACTION_BYTES_MAX)
        held = lane.get(item.line, _NOTHING)
        if held.bytes + size > ACTION_ACCOUNT_BYTES_MAX:
            raise LimitExceeded("too many actions waiting for this account", most=ACTION_ACCOUNT_BYTES_MAX)
        if item.is_cancel:
            most = open_orders + self._lanes[False].get(item.line, _NOTHING).count + CANCEL_TARGETS_EXTRA
            if held.count + item.count > most:
                raise LimitExceeded("more cancels waiting than orders to cancel", most=most)
        if sum(self._bytes.values()) + size > self._most[True]:
            raise LimitExceeded("too many actions waiting", most=self._most[True])
        if not item.is_cancel and self._bytes[False] + size > self._most[False]:
            raise LimitExceeded("too many actions waiting", most=self._most[False])
        self._put(item)

    def take(
        self, cancels: bool, actions_max: int, bytes_max: int, admit: Callable[[Waiting[T]], bool]
    ) -> list[Waiting[T]]:
        """Select the actions of one lane that fit, accounts in turn; `admit` decides last whether the batch may hold an
        item. They stay in the pool until `remove`."""
        lane = self._lanes[cancels]
        asked: set[Hash32] = set()
        chosen = self._smallest(lane, div_down(actions_max, 2), div_down(bytes_max, 2), admit, asked)
        bytes_max -= sum(len(item.raw) for item in chosen)
        lines = [(account, iter(list(line.items.values()))) for account, line in lane.items()]
        looks = ACTION_LOOKS_PER_BATCH - len(asked)
        while lines and len(chosen) < actions_max:
            served: list[tuple[Hashable, Iterator[Waiting[T]]]] = []
            for account, items in lines:
                item = next(items, None)
                if item is None or len(chosen) >= actions_max or looks == 0:
                    continue
                looks -= 1
                served.append((account, items))
                if item.hash not in asked and len(item.raw) <= bytes_max and admit(item):
                    chosen.append(item)
                    bytes_max -= len(item.raw)
                    if account in lane:
                        lane.move_to_end(account)
            lines = served
        return chosen

    def _smallest(
        self,
        lane: OrderedDict[Hashable, _Line[T]],
        actions_max: int,
        bytes_max: int,
        admit: Callable[[Waiting[T]], bool],
        asked: set[Hash32],
    ) -> list[Waiting[T]]:
        """The smallest of the accounts' first actions: turns alone would let a few accounts with the largest actions
        delay everyone's small ones. Nothing needs choosing if all fit. `asked`: items that `admit` has seen."""
        if sum(line.bytes for line in lane.values()) <= bytes_max:
            return []
        heads = [next(iter(line.items.values())) for line in islice(lane.values(), ACTION_LOOKS_PER_BATCH)]
        chosen: list[Waiting[T]] = []
        for item in sorted(heads, key=lambda item: len(item.raw)):
            if len(chosen) >= actions_max or len(item.raw) > bytes_max:
                break
            asked.add(item.hash)
            if admit(item):
                chosen.append(item)
                bytes_max -= len(item.raw)
                lane.move_to_end(item.line)
        return chosen

    def remove(self, hashes: Iterable[Hash32]) -> None:
        """Remove the actions of a batch; unknown hashes are ignored, since another node may have sent them."""
        for tx_hash in hashes:
            item = self._waiting.pop(tx_hash, None)
            if item is None:
                continue
            self._nonces.discard((item.signer, item.nonce))
            self._bytes[item.is_cancel] -= len(item.raw)
            line = self._lanes[item.is_cancel][item.line]
            del line.items[tx_hash]
            line.add(item, -1)
            if not line.items:
                del self._lanes[item.is_cancel][item.line]

    def _put(self, item: Waiting[T]) -> None:
        self._waiting[item.hash] = item
        self._nonces.add((item.signer, item.nonce))
        self._bytes[item.is_cancel] += len(item.raw)
        line = self._lanes[item.is_cancel].setdefault(item.line, _Line())
        line.items[item.hash] = item
        line.add(item)
