"""The ledger: state outside the rows, in plain tables: agents, nonces, settings, reports.

The kernel never reads any of it. A table is a dict from key to an immutable value (tables.py); its record, among
`TABLES`, says where its entries are under the root.
"""

import struct
from dataclasses import dataclass, field, replace
from enum import IntEnum

from coinone.base.primitives import rlp
from coinone.base.primitives.parameters import NONCE_PAST_MS
from coinone.base.primitives.types import Address
from coinone.rules.exchange.state.leaf_forms import (
    ACCOUNT,
    GLOBALS,
    MARKET,
    ORDER,
    ORDER_LEAF_SIZE,
    UNCLAIMED,
)
from coinone.rules.exchange.state.tables import IndexedDict, LedgerTable, LoggedDict, OwnLeaf, UndoLog
from coinone.rules.exchange.state.timetable import Timetable


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
TRADED_SCALE = 10**9  # units of a distance from the mark that is its whole


@dataclass(frozen=True, slots=True)
class MarketMemory:
    """Memory of oracle and funding of a market from batch to batch. Every field is under the root."""

    jump_ms: int = 0  # when the window of a jump opened, 0: none is open (prices/jump.py)
    jump_px: int = 0  # the price that opened it
    jumped_ms: int = 0  # when the last jump took effect
    weighed_ms: int = 0  # time of the last batch that sampled quotes (prices/quotes.py)
    seen_bid: int = 0  # impact prices at its end, in 1 / QUOTE_SCALE
    seen_ask: int = 0
    book_average: int = 0  # bid + ask in 1 / QUOTE_SCALE / 2^SCALE_BITS, averaged over 150 s (prices/fair.py)
    index_average: int = 0  # twice the oracle, in the same units and over the same samples
    traded_below: int = 0  # how far below the mark it traded of late, 1e-9 of it (prices/traded.py)
    traded_above: int = 0  # and above it
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


AGENTS: LedgerTable[Address, Agent] = LedgerTable("agents", ACCOUNT, lambda _, agent: agent.account)
NONCES: LedgerTable[Address, NonceSet] = LedgerTable("nonces", ACCOUNT, lambda _, nonces: nonces.account)
SETTINGS: LedgerTable[int, AccountSettings] = LedgerTable("settings", ACCOUNT, lambda number, _: number)
SCHEDULE: LedgerTable[int, int] = LedgerTable("schedule", ACCOUNT, lambda number, _: number)
LISTINGS: LedgerTable[int, Listing] = LedgerTable("listings", MARKET, lambda market, _: market)
MEMORY: LedgerTable[int, MarketMemory] = LedgerTable("memory", MARKET, lambda market, _: market)
REPORTS: LedgerTable[tuple[int, Address], Reported] = LedgerTable("reports", MARKET, lambda key, _: key[0])
UNCLAIMED_CREDITS: LedgerTable[Address, int] = LedgerTable(
    "unclaimed",
    UNCLAIMED,
    own=OwnLeaf(
        key=bytes, key_of=bytes, value=rlp.encode_int, value_of=lambda leaf: int.from_bytes(leaf, "big")
    ),
)
CURSORS: LedgerTable[str, Cursors] = LedgerTable("cursors", GLOBALS)

TABLES = (AGENTS, NONCES, SETTINGS, SCHEDULE, LISTINGS, MEMORY, REPORTS, UNCLAIMED_CREDITS, CURSORS)

UNDER_ACCOUNTS = {
    ORDER: ORDER_LEAF_SIZE,
    **{table.leaf: table.own.size for table in TABLES if table.own is not None and table.own.size},
}
"""Leaves that belong to an account, by the first byte of their keys: the size of each. An account's proof has all."""


class CancelSchedule(IndexedDict[int, int]):
    """scheduleCancel: account number -> time in ms, with a queue of the next times."""

    __slots__ = ("_times",)

    def __init__(self, log: UndoLog) -> None:
        super().__init__(SCHEDULE, log)
        self._times = Timetable()

    def due(self, now: int, most: int) -> list[int]:
        """The accounts that are due, as in Timetable.due."""
        return self._times.due(now, most)

    def keeps(self, number: int) -> bool:
        return number in self

    def _index(self, key: int, before: int | None, after: int | None) -> None:
        if after is None:
            self._times.drop(key)
        else:
            self._times.put(key, after)


class Ledger:
    """All tables. Keys: agent address, signer address, account number, market, (market, reporter), address."""

    def __init__(self) -> None:
        self.log = UndoLog()
        self.agents = LoggedDict(AGENTS, self.log)
        self.nonces = LoggedDict(NONCES, self.log)
        self.settings = LoggedDict(SETTINGS, self.log)
        self.schedule = CancelSchedule(self.log)
        self.listings = LoggedDict(LISTINGS, self.log)
        self.memory = LoggedDict(MEMORY, self.log)
        self.reports = LoggedDict(REPORTS, self.log)
        self.unclaimed = LoggedDict(UNCLAIMED_CREDITS, self.log)
        self.cursors = LoggedDict(CURSORS, self.log)
        self.cursors.restore("all", Cursors())
        self.tables: dict[str, LoggedDict] = {form.name: vars(self)[form.name] for form in TABLES}  # type: ignore[type-arg]
        self.own_leaves = {
            table.form.leaf: table for table in self.tables.values() if table.form.own is not None
        }

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
