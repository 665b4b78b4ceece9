"""The ledger: state outside the rows, in plain tables: agents, nonces, settings, reports.

The kernel never reads any of it. A table is a dict from key to an immutable value; every write first logs the value
before, so that a batch can be undone in O(touched) and the leaves it changed are known.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Generic, TypeVar

from coinone.base.primitives import rlp
from coinone.base.primitives.parameters import NONCE_PAST_MS
from coinone.base.primitives.types import Address
from coinone.rules.exchange.state.timetable import Timetable

Key = TypeVar("Key")
Value = TypeVar("Value")


class LoggedDict(Generic[Key, Value]):
    """A dict that logs the values before its writes in a shared log."""

    __slots__ = ("_log", "_values", "name")

    def __init__(self, name: str, log: "UndoLog") -> None:
        self.name = name
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
        """Set a value without logging, for undo only."""
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value


class CancelSchedule(LoggedDict[int, int]):
    """scheduleCancel: account number -> time in ms, with a queue of the next times."""

    __slots__ = ("_times",)

    def __init__(self, log: "UndoLog") -> None:
        super().__init__("schedule", log)
        self._times = Timetable()

    def due(self, now: int, most: int) -> list[int]:
        """The accounts that are due, as in Timetable.due."""
        return self._times.due(now, most)

    def put(self, key: int, value: int) -> None:
        super().put(key, value)
        self._times.put(key, value)

    def drop(self, key: int) -> None:
        super().drop(key)
        self._times.drop(key)

    def restore(self, key: int, value: int | None) -> None:
        super().restore(key, value)
        if value is None:
            self._times.drop(key)
        else:
            self._times.put(key, value)


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


@dataclass(frozen=True, slots=True)
class Agent:
    """A key that may trade for an account. `account` is the master's number."""

    account: int
    name: str
    valid_until_ms: int  # 0 = until replaced
    compat: bool  # may sign under Hyperliquid's own domains


class Closed(IntEnum):
    """Whether nonces below those of a set are used up too, as they always are if there are `NONCES_PER_SIGNER`."""

    NO = 0
    ENDED = 1  # an agency of the key ended
    LEFT = 2  # the key itself ended it, and has not signed since


@dataclass(frozen=True, slots=True)
class NonceSet:
    """The highest nonces a signer has used, in rising order; the leaf of `account` holds them."""

    account: int
    values: tuple[int, ...]
    closed: Closed = Closed.NO
    _packed: bytes = field(default=b"", init=False, repr=False, compare=False)

    def packed(self) -> bytes:
        """The nonces as in the leaf: the values, 8 big-endian bytes each, and how they are closed, if they are.

        Encoded once: a leaf is written again whenever anything of its account changes.
        """
        if not self._packed:
            values = rlp.encode(struct.pack(f">{len(self.values)}Q", *self.values))
            object.__setattr__(self, "_packed", values + bytes((self.closed,)) if self.closed else values)
        return self._packed

    def could_pass(self, now: int) -> bool:
        """Whether any of them is still within the window of a batch of time `now`, in ms."""
        return self.values[-1] > now - NONCE_PAST_MS


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Settings of an account that are not in its rows."""

    signers: tuple[Address, ...] = ()  # keys with a nonce set, former agents included
    agents: tuple[Address, ...] = ()
    builders: tuple[tuple[Address, int], ...] = ()  # approved maximum fee in tenths of a basis point
    referrer: str = ""
    cancels_fired: tuple[int, int] = (0, 0)  # (UTC day, how many that day)
    volume_days: tuple[tuple[int, int], ...] = ()  # (UTC day, lifetime volume when it began), newest last
    is_builder: bool = False  # an account approved it as its builder, so orders may name it


@dataclass(frozen=True, slots=True)
class Listing:
    """Terms of a market that its row does not contain."""

    name: str
    impact_notional: int  # u, traded against the book to sample its premium


QUOTE_SCALE = 1_000  # units per price unit of the quotes that funding reads


@dataclass(frozen=True, slots=True)
class MarketMemory:
    """Memory of oracle and funding of a market from batch to batch. Every field is under the root."""

    jump_ms: int = 0  # when the window of a jump opened, 0: none is open (prices/jump.py)
    jump_px: int = 0  # the price that opened it
    jumped_ms: int = 0  # when the last jump took effect
    weighed_ms: int = 0  # time of the last batch that sampled quotes (prices/quotes.py)
    seen_bid: int = 0  # impact prices at its end, in 1 / QUOTE_SCALE
    seen_ask: int = 0
    hour: int = 0  # UTC hour being sampled (prices/funding.py)
    premium_sum: int = 0  # 1e-9 * ms
    premium_ms: int = 0
    premium: int = 0  # last sample, 1e-9
    paid_rate: int = 0  # of the last settled hour, 1e-9
    paid_premium: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A reporter's last price of a market."""

    time_ms: int
    px: int


@dataclass(frozen=True, slots=True)
class Cursors:
    """Singletons under the globals leaf."""

    seq: int = 0
    time_ms: int = 0
    fund_spent: tuple[
        tuple[int, tuple[int, int]], ...
    ] = ()  # market (-1: all) -> (of its quota, in ms) (closing/debts.py)
    fee_day: int = 0  # UTC day whose fee tiers are being chosen
    fee_account: int = 0  # account number up to which they are
    collect_account: int = 0  # account number up to which empty accounts were collected


@dataclass
class Ledger:
    """All tables. Keys: agent address, signer address, account number, market, (market, reporter), address."""

    log: UndoLog = field(default_factory=UndoLog)

    def __post_init__(self) -> None:
        self.agents: LoggedDict[Address, Agent] = LoggedDict("agents", self.log)
        self.nonces: LoggedDict[Address, NonceSet] = LoggedDict("nonces", self.log)
        self.settings: LoggedDict[int, AccountSettings] = LoggedDict("settings", self.log)
        self.schedule = CancelSchedule(self.log)
        self.listings: LoggedDict[int, Listing] = LoggedDict("listings", self.log)
        self.memory: LoggedDict[int, MarketMemory] = LoggedDict("memory", self.log)
        self.reports: LoggedDict[tuple[int, Address], Reported] = LoggedDict("reports", self.log)
        self.unclaimed: LoggedDict[Address, int] = LoggedDict("unclaimed", self.log)
        self.cursors: LoggedDict[str, Cursors] = LoggedDict("cursors", self.log)
        self.cursors.restore("all", Cursors())

    def settings_of(self, number: int) -> AccountSettings:
        return self.settings.get(number) or _DEFAULT

    def living_agent(self, address: Address, now: int) -> Agent | None:
        """The agency of `address`, unless it has expired."""
        agent = self.agents.get(address)
        return None if agent is None or 0 < agent.valid_until_ms < now else agent

    def listing_of(self, market: int) -> Listing:
        listing = self.listings.get(market)
        assert listing is not None, "every market is listed"
        return listing

    def memory_of(self, market: int) -> MarketMemory:
        return self.memory.get(market) or _NO_MEMORY

    def forget_agent(self, address: Address, left: bool = False) -> None:
        """End an agency; `left`: by the key's own signature, which counts although its master was faster. Of its
        nonces the highest stays until its window has passed, and nothing below may come: else who swaps agents would
        make a leaf of 3,200 nonces, which every later change writes again."""
        agent, known = self.agents.get(address), self.nonces.get(address)
        if known is not None and (left or agent is not None):
            closed = max(known.closed, Closed.LEFT if left else Closed.ENDED)
            self.nonces.put(address, NonceSet(known.account, known.values[-1:], closed))
        if agent is not None:
            settings = self.settings_of(agent.account)
            others = tuple(other for other in settings.agents if other != address)
            self.settings.put(agent.account, replace(settings, agents=others))
            self.agents.drop(address)

    @property
    def cursor(self) -> Cursors:
        found = self.cursors.get("all")
        assert found is not None, "the cursors always exist"
        return found


_DEFAULT = AccountSettings()
_NO_MEMORY = MarketMemory()
