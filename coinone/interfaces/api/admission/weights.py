"""How much one address may ask for: a purse of weight that refills with time.

The prices are Hyperliquid's published ones, so that its clients' own throttles fit. A request goes through as long
as the purse is not empty. What its kind costs is paid as it is let in, whatever becomes of it then; the rest when it
is known (a history costs by its rows), so one answer may overdraw the purse and the next waits. Local programs share
one address and have a purse that no honest one empties. Nor is anything let in from an address that leaves too many
bytes of its answers unread.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.owners import is_loopback, owner_of
from coinone.interfaces.api.admission.unread import Cut, Unread, UnreadAnswer
from coinone.interfaces.api.limits import (
    LOOPBACK_WEIGHT_PER_MINUTE,
    PURSES_MAX,
    UNREAD_BYTES_MAX,
    UNREAD_LOOPBACK_BYTES_MAX,
)

INFO_WEIGHT = 20  # of a question of POST /info whose record names no other price
EXPLORER_WEIGHT = 40
EXPLORER_BYTES_PER_WEIGHT = 16 * 1024  # of a page, beyond that: making them takes half a ms
METRICS_WEIGHT = 2  # as exchangeStatus; /health and the pages cost nothing
ACTIONS_PER_WEIGHT = 40  # a batch of n orders costs 1 + n / 40
ACTION_BODY_BYTES_PER_WEIGHT = 8 * 1024  # more than 40 orders or modifies; what else may be in one takes 3 ms
ACTION_BYTES_PER_WEIGHT = 2 * 1024  # the same 40 orders, packed
BODY_BYTES_PER_WEIGHT = 32 * 1024  # reading the worst body takes 1 ms for each
RECORDS_BYTES_PER_WEIGHT = (
    8 * 1024
)  # of a block's transactions and logs: decoding and showing them takes 1 to 3 ms
ANSWER_BYTES_PER_WEIGHT = (
    64 * 1024
)  # of one by JSON-RPC: the result of a call or trace; 10 MB hold the loop 24 ms
TRANSACTIONS_PER_WEIGHT = 64  # of fee histories and waiting transactions, without their logs: 2 ms
STORED_BYTES_PER_WEIGHT = 2 * 1024**2  # of their blocks, looked through for them: 1 ms
SLOTS_PER_WEIGHT = 32  # of eth_getProof and eth_getStorageValues, beyond the call: 1 ms with a proof
_LISTS = ("orders", "cancels", "modifies")


class TokenBucket:
    """What one address may still spend, and what it has not read of its answers."""

    __slots__ = (
        "_at_s",
        "_clock",
        "_held",
        "_lock",
        "_owner",
        "_per_s",
        "_unread",
        "_unread_max",
        "_unread_of_all",
    )

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float],
        unread_max: int = UNREAD_BYTES_MAX,
        owner: str = "",
        unread_of_all: Unread | None = None,
    ) -> None:
        self._per_s = per_minute / 60
        self._clock = clock
        self._held = float(per_minute)
        self._at_s = clock()
        self._unread = 0
        self._unread_max = unread_max
        self._owner = owner
        self._unread_of_all = unread_of_all  # of this machine none
        self._lock = threading.Lock()  # threads that read pay for it

    def require(self) -> None:
        """Raises LimitExceeded while nothing is left, or too much is unread."""
        self.require_read()
        with self._lock:
            now = self._clock()
            self._held = min(self._held + (now - self._at_s) * self._per_s, 60 * self._per_s)
            self._at_s = now
        if self._held <= 0:
            wait_s = int(-self._held / self._per_s) + 1
            raise LimitExceeded(
                f"too many requests: this address has used up its weight of {60 * self._per_s:.0f} a minute; "
                f"try again in {wait_s} s (--request-weight changes the limit)"
            )

    def spend(self, weight: int) -> None:
        """From any thread."""
        with self._lock:
            self._held -= weight

    def require_read(self) -> None:
        """Raises LimitExceeded while too much of what this address asked for waits for it to be read."""
        if self._unread > self._unread_max:
            raise LimitExceeded("too many answers unread: read them first", most=self._unread_max)

    @contextlib.contextmanager
    def unread(self, size: int, cut: Cut | None = None) -> Iterator[None]:
        """So many bytes of an answer wait meanwhile for this address to read them; where too many wait for all, `cut`
        may be called to end the connection. On the interface's event loop."""
        answer = None if cut is None else UnreadAnswer(self._owner, size, cut)
        self._unread += size
        try:
            if self._unread_of_all is not None and answer is not None:
                self._unread_of_all.add(answer)
            yield
        finally:
            self._unread -= size
            if self._unread_of_all is not None and answer is not None:
                self._unread_of_all.remove(answer)

    def admit(self, size: int) -> None:
        """Pay for reading a body of `size` bytes, before it is parsed. Raises LimitExceeded for a large one while
        nothing is left; a small one is as cheap to read as to refuse."""
        weight = size // BODY_BYTES_PER_WEIGHT
        if weight:
            self.require()
            self.spend(weight)


class Bill:
    """What one question costs: paid at once is what its kind costs, and what is more when it is known, in whatever
    thread that is."""

    __slots__ = ("_paid", "_purse")

    def __init__(self, purse: TokenBucket, weight: int) -> None:
        purse.spend(weight)
        self._purse = purse
        self._paid = weight

    def raise_to(self, weight: int) -> None:
        """It costs so much at least."""
        more = weight - self._paid
        if more > 0:
            self._paid = weight
            self._purse.spend(more)


class RateLimits:
    """The purses of all addresses; the one that was idle longest makes room for a new one."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._purses: OrderedDict[str, TokenBucket] = OrderedDict()
        self._unread = Unread()

    def purse(self, address: str) -> TokenBucket:
        key = owner_of(address)
        purse = self._purses.get(key)
        if purse is None:
            purse = self._purses[key] = self._made(key)
            if len(self._purses) > PURSES_MAX:
                self._purses.popitem(last=False)
        else:
            self._purses.move_to_end(key)
        return purse

    def _made(self, key: str) -> TokenBucket:
        if is_loopback(key):
            return TokenBucket(LOOPBACK_WEIGHT_PER_MINUTE, self._clock, UNREAD_LOOPBACK_BYTES_MAX)
        return TokenBucket(self._per_minute, self._clock, UNREAD_BYTES_MAX, key, self._unread)


class Counted(list[Any]):
    """Rows of an answer for which more were read, and these are what they cost."""

    def __init__(self, rows: Iterable[Any], read: int) -> None:
        super().__init__(rows)
        self.read = read


def rows_weight(answer: Any, rows_per_weight: int) -> int:
    """What the rows of an answer cost; of one that is no list, nothing."""
    if not isinstance(answer, list):
        return 0
    return (answer.read if isinstance(answer, Counted) else len(answer)) // rows_per_weight


def action_weight(body: Any, size: int) -> int:
    """Of a body of POST /exchange of `size` bytes, whatever is wrong with it."""
    action = body.get("action") if isinstance(body, dict) else None
    action = action if isinstance(action, dict) else {}
    count = sum(len(action[name]) for name in _LISTS if isinstance(action.get(name), list))
    return 1 + max(count // ACTIONS_PER_WEIGHT, size // ACTION_BODY_BYTES_PER_WEIGHT)


def raw_action_weight(size: int) -> int:
    """Of an exchange action of `size` bytes as a transaction, beyond the call that brings it."""
    return size // ACTION_BYTES_PER_WEIGHT
