"""The substate of a transaction: warm addresses and slots, logs, the refund.

A failed frame's additions are undone. The sets only grow, so undoing removes the keys recorded since the snapshot, and
entering a frame copies nothing. A warm slot's key is bytes, as in the state: nobody can construct hash collisions of
them.
"""

from collections.abc import Container, Iterable

from coinone.base.primitives.types import Address
from coinone.rules.ledger.log import Log
from coinone.rules.state.account import storage_key
from coinone.rules.state.layers import SlotKey

Snapshot = tuple[int, int, int]


class Substate:
    """The substate; `always` are addresses that are warm in every transaction: the precompiled contracts.

    `warm` and `always` are read-only.
    """

    __slots__ = ("_journal", "always", "logs", "refund", "warm")

    def __init__(self, warm: Iterable[Address | SlotKey] = (), always: Container[Address] = ()) -> None:
        self.always = always
        self.warm: set[Address | SlotKey] = set(warm)
        self._journal: list[Address | SlotKey] = []
        self.logs: list[Log] = []
        self.refund = 0

    def warm_address(self, address: Address) -> bool:
        """Make the address warm; True if it was cold."""
        if address in self.warm or address in self.always:
            return False
        self.warm.add(address)
        self._journal.append(address)
        return True

    def warm_slot(self, address: Address, slot: int) -> bool:
        """Make the storage slot warm; True if it was cold."""
        key = storage_key(address, slot)
        if key in self.warm:
            return False
        self.warm.add(key)
        self._journal.append(key)
        return True

    def is_warm(self, address: Address) -> bool:
        return address in self.warm or address in self.always

    def is_warm_slot(self, key: SlotKey) -> bool:
        return key in self.warm

    def snapshot(self) -> Snapshot:
        return len(self._journal), len(self.logs), self.refund

    def revert(self, snapshot: Snapshot) -> None:
        noted, logged, self.refund = snapshot
        for key in self._journal[noted:]:
            self.warm.discard(key)
        del self._journal[noted:]
        del self.logs[logged:]
