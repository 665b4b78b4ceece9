"""Group addresses into owners, as between nodes (node/network/addresses.py), and sites: which of them share limits.

| address | its owner (weight, share, connections, filters and waits) | its site (larger bounds) | | --- | --- | --- | |
IPv4, also written as IPv6 | itself | itself | | IPv6 | its /64, in which every host chooses freely | its /48, which one
customer may get whole, or share with many | | of this machine | itself; an empty address counts as this machine, too |
itself |
"""

import ipaddress
from collections.abc import Hashable, Mapping, Sized
from functools import lru_cache

from coinone.node.network.addresses import OWNER_BITS, network_of

_SITE_BITS = 48


@lru_cache(maxsize=8192)  # twice the number of connections
def site_of(owner: Hashable) -> Hashable:
    """The site of an owner; any other holder of a share is its own site."""
    if not isinstance(owner, str) or not owner.endswith(f"/{OWNER_BITS}"):
        return owner
    return network_of(int(ipaddress.IPv6Network(owner).network_address), _SITE_BITS)


def is_loopback(owner: str) -> bool:
    """Whether an owner is this machine. A connection without an address is one."""
    return owner == "" or ipaddress.ip_network(owner).is_loopback


def greediest(held: Mapping[Hashable, Sized], own: int, refusal: Exception) -> Hashable:
    """The holder of most entries of a full store, which makes room for a newcomer that holds `own`. Raises `refusal`
    if nobody holds more than the newcomer would then: equals do not displace each other."""
    greedy = max(held, key=lambda each: len(held[each]))
    if len(held[greedy]) <= own + 1:
        raise refusal
    return greedy


def who_makes_room(
    held: Mapping[Hashable, Sized], newcomer: Hashable, refusal: Exception, within_site: bool = False
) -> Hashable:
    """The holder that makes room in a full store: the largest holder of the site that holds most, if that is more
    than the newcomer's site would then hold; else, or if `within_site` because its own site is full, the largest
    holder of the newcomer's site. Raises `refusal` if all hold as little as the newcomer would."""
    sites: dict[Hashable, dict[Hashable, Sized]] = {}
    for owner, things in held.items():
        sites.setdefault(site_of(owner), {})[owner] = things
    own = sites.get(site_of(newcomer), {})
    most = own if within_site else max(sites.values(), key=_count)
    if most is not own and _count(most) > _count(own) + 1:
        return max(most, key=lambda each: len(most[each]))
    if not own:
        raise refusal
    return greediest(own, len(held.get(newcomer, ())), refusal)


def _count(site: Mapping[Hashable, Sized]) -> int:
    return sum(map(len, site.values()))
