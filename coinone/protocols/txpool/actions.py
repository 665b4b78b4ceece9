"""The pool of exchange actions: waiting in the order they came, bounded by bytes for each signer.

How actions are ordered inside a batch is no matter of the pool: the batch's seed decides that (D2). The pool
only keeps one signer from crowding out the others, and one action from being taken twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from coinone.base.primitives.errors import InvalidAction, LimitExceeded
from coinone.base.primitives.limits import ACTION_ACCOUNT_BYTES_MAX, ACTION_BYTES_MAX, ACTION_POOL_BYTES_MAX
from coinone.base.primitives.types import Address, Hash32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    raw: bytes
    hash: Hash32
    signer: Address
    action: T  # the verified action, so that it is decoded once


class ActionPool(Generic[T]):
    def __init__(self, bytes_max: int = ACTION_POOL_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._waiting: dict[Hash32, Waiting[T]] = {}
        self._bytes = 0
        self._bytes_of: dict[Address, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, tx_hash: Hash32) -> bool:
        return tx_hash in self._waiting

    def add(self, item: Waiting[T]) -> None:
        """Take `item` in. Raises InvalidAction or LimitExceeded and changes nothing."""
        if item.hash in self._waiting:
            raise InvalidAction("already known")
        size = len(item.raw)
        if size > ACTION_BYTES_MAX:
            raise LimitExceeded("action too large", have=size, most=ACTION_BYTES_MAX)
        held = self._bytes_of.get(item.signer, 0)
        if held + size > ACTION_ACCOUNT_BYTES_MAX:
            raise LimitExceeded("too many actions waiting for this signer", most=ACTION_ACCOUNT_BYTES_MAX)
        if self._bytes + size > self._bytes_max:
            raise LimitExceeded("too many actions waiting", most=self._bytes_max)
        self._waiting[item.hash] = item
        self._bytes += size
        self._bytes_of[item.signer] = held + size

    def take(
        self, actions_max: int, bytes_max: int, wanted: Callable[[T], bool] = lambda action: True
    ) -> list[Waiting[T]]:
        """The oldest wanted ones that fit. They stay until `remove`."""
        chosen: list[Waiting[T]] = []
        for item in self._waiting.values():
            if not wanted(item.action):
                continue
            bytes_max -= len(item.raw)
            if len(chosen) >= actions_max or bytes_max < 0:
                break
            chosen.append(item)
        return chosen

    def remove(self, hashes: Iterable[Hash32]) -> None:
        """Forget those that a batch carried; unknown ones are no error, another node may have sent them."""
        for tx_hash in hashes:
            item = self._waiting.pop(tx_hash, None)
            if item is None:
                continue
            self._bytes -= len(item.raw)
            held = self._bytes_of[item.signer] - len(item.raw)
            if held:
                self._bytes_of[item.signer] = held
            else:
                del self._bytes_of[item.signer]
