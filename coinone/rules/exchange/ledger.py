"""The exchange's smaller state, kept in plain tables beside the rows: agents, nonces, settings, reports.

The kernel never reads any of it. A table is a dict from key to a frozen value; every write first notes the
value before, so that a batch can be undone in O(touched) and the leaves it changed are known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from coinone.base.primitives.types import Address

Key = TypeVar("Key")
Value = TypeVar("Value")


class Table(Generic[Key, Value]):
    """A dict whose writes are noted in a shared log."""

    __slots__ = ("_log", "_values", "name")

    def __init__(self, name: str, log: "Log") -> None:
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
        """In the order of keys' first insertion, which is state: callers that need an order sort."""
        return iter(self._values.items())

    def put(self, key: Key, value: Value) -> None:
        self._log.note(self, key, self._values.get(key))
        self._values[key] = value

    def drop(self, key: Key) -> None:
        if key in self._values:
            self._log.note(self, key, self._values.pop(key))

    def restore(self, key: Key, value: Value | None) -> None:
        """Undo only: set without noting."""
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value


class Log:
    """Before-images in the order of writing."""

    def __init__(self) -> None:
        self.entries: list[tuple[Table, object, object]] = []  # type: ignore[type-arg]

    def note(self, table: Table, key: object, before: object) -> None:  # type: ignore[type-arg]
        self.entries.append((table, key, before))

    def take(self) -> list[tuple[Table, object, object]]:  # type: ignore[type-arg]
        """The entries so far; the log starts afresh."""
        entries, self.entries = self.entries, []
        return entries


def undo_entries(entries: list[tuple[Table, object, object]]) -> None:  # type: ignore[type-arg]
    for table, key, before in reversed(entries):
        table.restore(key, before)


@dataclass(frozen=True, slots=True)
class Agent:
    """A key that may trade for an account. `account` is the master's number."""

    account: int
    name: str
    valid_until_ms: int  # 0 = until replaced
    compat: bool  # may sign under Hyperliquid's own domains


@dataclass(frozen=True, slots=True)
class NonceSet:
    """The highest nonces a signer has used, rising; `account` is whose leaf holds them."""

    account: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an account chose or is known by, apart from its rows."""

    signers: tuple[Address, ...] = ()  # keys with a nonce set, agents of the past included
    agents: tuple[Address, ...] = ()
    builders: tuple[tuple[Address, int], ...] = ()  # approved maximum fee in tenths of a basis point
    referrer: str = ""
    cancels_fired: tuple[int, int] = (0, 0)  # (UTC day, how many that day)
    volume_days: tuple[tuple[int, int], ...] = ()  # (UTC day, lifetime volume when it began), newest last


@dataclass(frozen=True, slots=True)
class Ema:
    """An average over irregular times: value = num / den, both scaled by 2^20 and decayed alike."""

    num: int = 0
    den: int = 0


@dataclass(frozen=True, slots=True)
class MarketMemory:
    """What mark price and funding remember from batch to batch."""

    updated_ms: int = 0  # of the averages
    basis: Ema = Ema()  # mid - oracle, 150 s
    book: Ema = Ema()  # median of bid, ask and last trade, 30 s
    hour: int = 0  # UTC hour being sampled
    sample_slot: int = -1  # last 5 s slot sampled
    premium_sum: int = 0  # 1e-9
    samples: int = 0
    premium: int = 0  # last sample


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
    ] = ()  # market (-1: all) -> (of its quota, in ms) (debts.py)
    fee_day: int = 0  # UTC day whose fee tiers are being chosen
    fee_account: int = 0  # account number up to which they are


@dataclass
class Ledger:
    """All tables. Keys: agent address, signer address, account number, market, (market, reporter), address."""

    log: Log = field(default_factory=Log)

    def __post_init__(self) -> None:
        self.agents: Table[Address, Agent] = Table("agents", self.log)
        self.nonces: Table[Address, NonceSet] = Table("nonces", self.log)
        self.settings: Table[int, Settings] = Table("settings", self.log)
        self.schedule: Table[int, int] = Table("schedule", self.log)  # scheduleCancel: account -> time in ms
        self.memory: Table[int, MarketMemory] = Table("memory", self.log)
        self.reports: Table[tuple[int, Address], Reported] = Table("reports", self.log)
        self.unclaimed: Table[Address, int] = Table("unclaimed", self.log)
        self.cursors: Table[str, Cursors] = Table("cursors", self.log)
        self.cursors.restore("all", Cursors())

    def settings_of(self, number: int) -> Settings:
        return self.settings.get(number) or _DEFAULT

    def living_agent(self, address: Address, now: int) -> Agent | None:
        """The agency of `address`, unless its time is over."""
        agent = self.agents.get(address)
        return None if agent is None or 0 < agent.valid_until_ms < now else agent

    def forget_agent(self, address: Address) -> None:
        """End an agency; its nonces stay until their window has passed."""
        agent = self.agents.get(address)
        if agent is not None:
            settings = self.settings_of(agent.account)
            left = tuple(other for other in settings.agents if other != address)
            self.settings.put(agent.account, replace(settings, agents=left))
            self.agents.drop(address)

    @property
    def cursor(self) -> Cursors:
        found = self.cursors.get("all")
        assert found is not None, "the cursors always exist"
        return found


_DEFAULT = Settings()
