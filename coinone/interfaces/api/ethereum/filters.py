"""Open filters of eth_newFilter and related methods: their criteria, and their progress."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.owners import site_of, who_makes_room
from coinone.interfaces.api.ethereum.json.errors import LIMIT_EXCEEDED, SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.json.log_filter import LogFilter
from coinone.interfaces.api.limits import (
    FILTER_IDLE_S,
    FILTERS_MAX,
    FILTERS_PER_SENDER_MAX,
    FILTERS_PER_SITE_MAX,
    LOG_RESULTS_MAX,
    RPC_FILTER_ENTRIES_MAX,
    RPC_FILTER_ENTRIES_PER_SITE_MAX,
)


@dataclass(slots=True)
class Filter:
    wanted: LogFilter | None  # None: a block filter, or one of pending transactions
    next_block: int
    polled_s: float
    waiting: deque[Hash32] | None = None  # transactions not returned yet; None: not requested
    full: bool = False  # return whole transactions, not hashes
    share: Hashable = None  # of its owner
    next_log: int = 0  # of the next block, if a poll returned part of it
    polling: asyncio.Lock = field(default_factory=asyncio.Lock)  # one poll at a time


class Filters:
    """The open filters of a node, oldest poll first; idle ones are removed, and if there is no room for a new one,
    the largest holder loses one."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Filter] = OrderedDict()

    def add(self, wanted: LogFilter | None, next_block: int, share: Hashable = None) -> str:
        """Open a filter of logs, or (None) of blocks; return its name. Raises RpcError if there are too many."""
        return self._open_one(Filter(wanted, next_block, 0, share=share))

    def add_pending(self, full: bool, share: Hashable = None) -> str:
        """Open a filter of transactions that enter the pool."""
        return self._open_one(Filter(None, 0, 0, deque(maxlen=LOG_RESULTS_MAX), full, share))

    def _open_one(self, made: Filter) -> str:
        now = asyncio.get_running_loop().time()
        while self._open and next(iter(self._open.values())).polled_s < now - FILTER_IDLE_S:
            self._open.popitem(last=False)
        site = [each for each in self._open.values() if site_of(each.share) == site_of(made.share)]
        same = [each for each in site if each.share == made.share]
        if len(same) >= FILTERS_PER_SENDER_MAX:
            raise RpcError(LIMIT_EXCEEDED, f"too many filters of one sender (most {FILTERS_PER_SENDER_MAX})")
        _check_entries([made, *same], "sender", RPC_FILTER_ENTRIES_MAX)
        _check_entries([made, *site], "IPv6 /48", RPC_FILTER_ENTRIES_PER_SITE_MAX)
        if len(self._open) >= FILTERS_MAX:
            self._make_room(made.share, f"too many filters (most {FILTERS_MAX})")
        elif len(site) >= FILTERS_PER_SITE_MAX and site_of(made.share) != made.share:
            text = f"too many filters of one IPv6 /48 (most {FILTERS_PER_SITE_MAX})"
            self._make_room(made.share, text, within_site=True)
        name = hex(secrets.randbits(128))
        made.polled_s = now
        self._open[name] = made
        return name

    def _make_room(self, share: Hashable, refusal: str, within_site: bool = False) -> None:
        """Make room for a filter of `share`: the largest holder loses the filter not polled for longest. Its owner
        finds it gone, as after minutes without a poll. Raises RpcError."""
        held: dict[Hashable, list[str]] = {}
        for name, each in self._open.items():
            held.setdefault(each.share, []).append(name)
        greedy = who_makes_room(held, share, RpcError(LIMIT_EXCEEDED, refusal), within_site)
        del self._open[held[greedy][0]]

    def announce(self, tx_hash: Hash32) -> None:
        """Add a transaction that entered the pool to the filters; the oldest unfetched ones are dropped."""
        for each in self._open.values():
            if each.waiting is not None:
                each.waiting.append(tx_hash)

    def poll(self, name: Any) -> Filter:
        found = self._open.get(name) if isinstance(name, str) else None
        if found is None:
            raise RpcError(SERVER_ERROR, "filter not found")
        found.polled_s = asyncio.get_running_loop().time()
        self._open.move_to_end(name)
        return found

    def remove(self, name: Any) -> bool:
        return isinstance(name, str) and self._open.pop(name, None) is not None


def _check_entries(filters: Iterable[Filter], whose: str, most: int) -> None:
    """Raise RpcError if all the filters together have too many addresses and topics."""
    if sum(each.wanted.size for each in filters if each.wanted is not None) > most:
        text = f"too many addresses and topics in all filters of one {whose} (most {most})"
        raise RpcError(LIMIT_EXCEEDED, text)
