"""Rate limits by request weight: each address has a token bucket that refills with time.

The weights are Hyperliquid's published ones, so that its clients' own throttles fit. A request is admitted as long as
the bucket is not empty. The weight of its kind is paid when it is admitted, whatever its outcome; the rest when it is
known (a history costs by its rows), so one answer may overdraw the bucket and the next request waits. Local programs
share one address, with a bucket that no honest program empties. Nor is any request admitted from an address that leaves
too many bytes of its answers unread.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.owners import is_loopback
from coinone.interfaces.api.admission.unread import Cut, Unread, UnreadAnswer
from coinone.interfaces.api.limits import (
    LOOPBACK_WEIGHT_PER_MINUTE,
    PURSES_MAX,
    UNREAD_BYTES_MAX,
    UNREAD_LOOPBACK_BYTES_MAX,
)
from coinone.node.network.addresses import owner_of

INFO_WEIGHT = 20  # of a request of POST /info whose record names no other weight
EXPLORER_WEIGHT = 40
EXPLORER_BYTES_PER_WEIGHT = 16 * 1024  # of a page, beyond that: making them takes half a ms
METRICS_WEIGHT = 2  # as exchangeStatus; /health and the pages are free
ACTIONS_PER_WEIGHT = 40  # a batch of n orders costs 1 + n / 40
ACTION_BODY_BYTES_PER_WEIGHT = 8 * 1024  # of more than 40 orders or modifies; anything else in one takes 3 ms
ACTION_BYTES_PER_WEIGHT = 2 * 1024  # the same 40 orders, packed
BODY_BYTES_PER_WEIGHT = 32 * 1024  # reading the worst body takes 1 ms for each
RECORDS_BYTES_PER_WEIGHT = (
    8 * 1024
)  # of a block's transactions and logs: decoding and encoding them takes 1 to 3 ms
ANSWER_BYTES_PER_WEIGHT = (
    64 * 1024
)  # of a JSON-RPC answer: the result of a call or trace; 10 MB block the loop for 24 ms
TRANSACTIONS_PER_WEIGHT = 64  # of fee histories and pending transactions, without their logs: 2 ms
STORED_BYTES_PER_WEIGHT = 2 * 1024**2  # of their blocks, scanned for them: 1 ms
SLOTS_PER_WEIGHT = 32  # of eth_getProof and eth_getStorageValues, beyond the call: 1 ms with a proof
_LISTS = ("orders", "cancels", "modifies")


class TokenBucket:
    """The remaining weight of one address, and the size of its unread answers."""

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
        self._unread_of_all = unread_of_all  # none for this machine
        self._lock = threading.Lock()  # reading threads pay, too

    def require(self) -> None:
        """Raise LimitExceeded while nothing is left, or too much is unread."""
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
        """Pay `weight`, from any thread."""
        with self._lock:
            self._held -= weight

    def require_read(self) -> None:
        """Raise LimitExceeded while this address leaves too much of its answers unread."""
        if self._unread > self._unread_max:
            raise LimitExceeded("too many answers unread: read them first", most=self._unread_max)

    @contextlib.contextmanager
    def unread(self, size: int, cut: Cut | None = None) -> Iterator[None]:
        """Count `size` bytes of an answer as unread meanwhile; if all clients leave too much unread, `cut` may be
        called to end the connection. On the interface's event loop."""
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
    """The payments for one request: the weight of its kind immediately, and any more when it is known, in any
    thread."""

    __slots__ = ("_paid", "_purse")

    def __init__(self, purse: TokenBucket, weight: int) -> None:
        purse.spend(weight)
        self._purse = purse
        self._paid = weight

    def raise_to(self, weight: int) -> None:
        """Raise the payment to at least `weight`."""
        more = weight - self._paid
        if more > 0:
            self._paid = weight
            self._purse.spend(more)


class RateLimits:
    """The token buckets of all addresses; the one idle longest makes room for a new one."""

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
    """Rows of an answer for which more rows were read; those read are paid for."""

    def __init__(self, rows: Iterable[Any], read: int) -> None:
        super().__init__(rows)
        self.read = read


def rows_weight(answer: Any, rows_per_weight: int) -> int:
    """The weight of the rows of an answer; 0 if it is not a list."""
    if not isinstance(answer, list):
        return 0
    return (answer.read if isinstance(answer, Counted) else len(answer)) // rows_per_weight


def action_weight(body: Any, size: int) -> int:
    """The weight of a body of POST /exchange of `size` bytes, valid or not."""
    action = body.get("action") if isinstance(body, dict) else None
    action = action if isinstance(action, dict) else {}
    count = sum(len(action[name]) for name in _LISTS if isinstance(action.get(name), list))
    return 1 + max(count // ACTIONS_PER_WEIGHT, size // ACTION_BODY_BYTES_PER_WEIGHT)


def raw_action_weight(size: int) -> int:
    """The weight of an exchange action of `size` bytes sent as a transaction, beyond the call itself."""
    return size // ACTION_BYTES_PER_WEIGHT
