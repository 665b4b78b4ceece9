"""Tables of the ledger: dicts that log every write, and the form in which each is under the root.

A write first logs the value before, so that a batch can be undone in O(touched), and so that the leaves it changed are
known. What a table holds is in its `LedgerTable`, one record for each (ledger.py): undo, leaves, restoring and root
read it.

Entries are shown in one of two ways: as a part of another leaf (an account's settings), or each as a leaf of its own.
Those of an account are then hashed with the account's orders (root.py), so that a proof of it shows them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from coinone.rules.exchange.state.leaf_forms import ORDER

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLeaf(Generic[Key, Value]):
    """How an entry becomes a leaf of its own, and how it is read back.

    `size`: the bytes of each value, if entries are under accounts; their keys are an account's number and 8 more bytes.
    All have the same size, so that their concatenation can be cut in one way only. 0: they are under no account.
    """

    key: Callable[[Key], bytes]
    key_of: Callable[[bytes], Key]
    value: Callable[[Value], bytes]
    value_of: Callable[[bytes], Value]
    size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class LedgerTable(Generic[Key, Value]):
    """A table of the ledger.

    `leaf` is the first byte of the keys of the leaves that show its entries (leaves.py). If these are the leaves of
    accounts or markets, `owner` is the number of the one that shows an entry; else `own` says how entries are written,
    except of the globals' leaf, which every batch writes.
    """

    name: str  # also the Ledger's attribute
    leaf: bytes
    owner: Callable[[Key, Value], int] | None = None
    own: OwnLeaf[Key, Value] | None = None

    def __post_init__(self) -> None:
        assert self.own is None or self.leaf > ORDER, (
            "leaves are listed by rising keys: these after the orders"
        )


class LoggedDict(Generic[Key, Value]):
    """A dict that logs the values before its writes in a shared log."""

    __slots__ = ("_log", "_values", "form")

    def __init__(self, form: LedgerTable[Key, Value], log: UndoLog) -> None:
        self.form = form
        self._values: dict[Key, Value] = {}
        self._log = log

    def get(self, key: Key) -> Value | None:
        return self._values.get(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def items(self) -> Iterator[tuple[Key, Value]]:
        """Items in the order of keys' first insertion, which is state: callers that need an order sort."""
        return iter(self._values.items())

    def put(self, key: Key, value: Value) -> None:
        self._log.note(self, key, self._values.get(key))
        self._values[key] = value

    def drop(self, key: Key) -> None:
        if key in self._values:
            self._log.note(self, key, self._values.pop(key))

    def restore(self, key: Key, value: Value | None) -> None:
        """Set a value without logging, for undo and loading only."""
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value

    def keeps(self, number: int) -> bool:
        """Whether an entry alone keeps the account with this number from being collected (scheduled/collection.py)."""
        return False

    def leaf(self, key: Key) -> tuple[bytes, bytes | None]:
        """The key and the value of an entry's own leaf; None if there is no such entry any more."""
        own, value = self.form.own, self._values.get(key)
        assert own is not None, "entries of this table are shown in other leaves"
        return self.form.leaf + own.key(key), None if value is None else own.value(value)

    def load(self, key: bytes, leaf: bytes) -> None:
        """Restore an entry from its own leaf."""
        own = self.form.own
        assert own is not None, "entries of this table are shown in other leaves"
        self.restore(own.key_of(key[1:]), own.value_of(leaf))


class IndexedDict(LoggedDict[Key, Value]):
    """A logged dict with an index that follows from its values, so that undo and loading maintain it too."""

    __slots__ = ()

    def put(self, key: Key, value: Value) -> None:
        self._index(key, self.get(key), value)
        super().put(key, value)

    def drop(self, key: Key) -> None:
        self._index(key, self.get(key), None)
        super().drop(key)

    def restore(self, key: Key, value: Value | None) -> None:
        self._index(key, self.get(key), value)
        super().restore(key, value)

    def _index(self, key: Key, before: Value | None, after: Value | None) -> None:
        """Bring the index up to date with a change of an entry; None: there is none."""
        raise NotImplementedError


class UndoLog:
    """Before-images in the order of writing."""

    def __init__(self) -> None:
        self.entries: list[tuple[LoggedDict, object, object]] = []  # type: ignore[type-arg]

    def note(self, table: LoggedDict, key: object, before: object) -> None:  # type: ignore[type-arg]
        self.entries.append((table, key, before))

    def take(self) -> list[tuple[LoggedDict, object, object]]:  # type: ignore[type-arg]
        """Return the entries so far and clear the log."""
        entries, self.entries = self.entries, []
        return entries


def undo_entries(entries: list[tuple[LoggedDict, object, object]]) -> None:  # type: ignore[type-arg]
    for table, key, before in reversed(entries):
        table.restore(key, before)
