"""The accounts whose state clients subscribe to, by channel, and a limit of such accounts per sender.

A state is read again once a second, as marks move, whether or not anything happens to its account: the cost grows with
the number of watched accounts, of any owner.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from typing import TypeAlias, TypeVar

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.limits import WS_WATCHED_FEW, WS_WATCHED_PER_SENDER_MAX, WS_WATCHED_PER_SITE_MAX

_O = TypeVar("_O", bound=Hashable)
_T = TypeVar("_T", bound=Hashable)
_Key: TypeAlias = tuple[str, ...]  # of a state channel: its name, the account in hex, then its other fields


class WatchedAccounts:
    """The accounts, in hex, whose state has subscribers by one of the `channels`."""

    def __init__(self, channels: Collection[str]) -> None:
        self._channels = channels
        self._keys: dict[str, Counter[_Key]] = {}  # of each account, with the number of subscribers
        self._held: dict[
            Hashable, Counter[str]
        ] = {}  # accounts of a sender or a site, and their subscriptions

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, account: str) -> bool:
        return account in self._keys

    def keys_of(self, account: str) -> list[_Key]:
        return list(self._keys.get(account, ()))

    def of_few(self) -> Iterator[str]:
        """The accounts watched by sites that watch few."""
        for owner, accounts in self._held.items():
            if len(accounts) <= WS_WATCHED_FEW and site_of(owner) == owner:
                yield from accounts

    def add(self, share: Hashable, key: _Key) -> None:
        """Count another subscriber, if `key` is of a state channel. Raises LimitExceeded if its sender, or that
        sender's site, watches as many accounts as it may."""
        if key[0] not in self._channels:
            return
        self._check_room(share, key[1])
        self._keys.setdefault(key[1], Counter())[key] += 1
        for owner in {share, site_of(share)}:
            self._held.setdefault(owner, Counter())[key[1]] += 1

    def remove(self, share: Hashable, key: _Key) -> None:
        """Remove a counted subscriber; keys of other channels are ignored."""
        if key[0] not in self._channels:
            return
        _take(self._keys, key[1], key)
        for owner in {share, site_of(share)}:
            _take(self._held, owner, key[1])

    def _check_room(self, share: Hashable, account: str) -> None:
        for whose, owner, most in (
            ("sender", share, WS_WATCHED_PER_SENDER_MAX),
            ("IPv6 /48", site_of(share), WS_WATCHED_PER_SITE_MAX),
        ):
            held = self._held.get(owner, ())
            if account not in held and len(held) >= most:
                raise LimitExceeded(f"too many accounts watched by one {whose}", most=most)


def _take(counts: dict[_O, Counter[_T]], owner: _O, what: _T) -> None:
    """Decrease a count and delete it at zero, or changing addresses would fill the memory."""
    counted = counts[owner]
    counted[what] -= 1
    if not counted[what]:
        del counted[what]
    if not counted:
        del counts[owner]
