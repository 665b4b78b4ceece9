"""Limits on open connections: per address, per site, and of all addresses together.

An IPv6 /64 counts as one address, as it does for weights, and its site has a bound, too (owners.py). The last places
are reserved for this machine: its operator asks for /health precisely when others hold all remaining connections.
"""

from collections import Counter
from collections.abc import Iterable

from coinone.interfaces.api.admission.owners import is_loopback, site_of
from coinone.interfaces.api.limits import (
    CONNECTIONS_KEPT,
    CONNECTIONS_MAX,
    CONNECTIONS_PER_ADDRESS_MAX,
    CONNECTIONS_PER_LOOPBACK_MAX,
    CONNECTIONS_PER_SITE_MAX,
)
from coinone.node.network.addresses import owner_of

_ALL = "all"
Place = tuple[str, ...]  # the counters that a connection belongs to


class Places:
    """The open connections of all listeners; used by the interface's thread only."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        # Addresses with many clients: this machine's programs, and proxies.
        self._many = {"127.0.0.1", "::1"}

    def admit_many_from(self, proxies: Iterable[str]) -> None:
        """Allow as many connections from these addresses as from this machine: all clients connect through them."""
        self._many.update(proxies)

    def take(self, address: str) -> Place | None:
        """Take a place, to be given back later; None if its address, or the node, has too many connections."""
        bounds = self._bounds(address)
        if any(self._open[key] >= most for key, most in bounds.items()):
            return None
        self._open.update(bounds.keys())
        return tuple(bounds)

    def give_back(self, place: Place) -> None:
        for key in place:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def _bounds(self, address: str) -> dict[str, int]:
        """The counters that a connection of `address` belongs to, with the limit of each."""
        owner = owner_of(address)
        bounds = {_ALL: CONNECTIONS_MAX if is_loopback(owner) else CONNECTIONS_MAX - CONNECTIONS_KEPT}
        if address in self._many:
            return bounds | {address: CONNECTIONS_PER_LOOPBACK_MAX}
        bounds[owner] = CONNECTIONS_PER_ADDRESS_MAX
        site = site_of(owner)
        if site != owner:
            bounds[str(site)] = CONNECTIONS_PER_SITE_MAX
        return bounds
