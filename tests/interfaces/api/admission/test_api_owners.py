"""How addresses are grouped, so that the many networks (/64) of one IPv6 site (/48) cannot use up a node's limits.

A customer may get a /48, which has 65,536 networks (/64): with one filter or wait in each, none of them has more than
a newcomer would have, so that nobody made room."""

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.inclusions import Inclusions
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.node.network.addresses import owner_of
from tests.interfaces.api.rpc_stand import line

HONEST = "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "owner", "site"),
    [
        ("198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::1", "::1", "::1"),
        ("", "", ""),
    ],
)
def test_how_addresses_are_grouped(address: str, owner: str, site: str) -> None:
    assert owner_of(address) == owner
    assert site_of(owner) == site


def test_who_is_known_by_something_else_is_a_site_of_its_own() -> None:
    assert site_of(("127.0.0.1", 4711)) == ("127.0.0.1", 4711)
    assert site_of(None) is None


def opened(filters: Filters, shares: Iterator[Hashable]) -> None:
    """A filter of each, as far as they are let in."""
    for share in shares:
        try:
            filters.add(None, 0, share)
        except RpcError:
            return


def test_a_site_has_a_quarter_of_all_filters_and_makes_room_for_its_own() -> None:
    """250. One network has 100 of them, so the next one of that site gets one of those."""

    async def run() -> None:
        filters = Filters()
        opened(filters, (line(1, 0) for _ in range(100)))
        opened(filters, (line(1, n) for n in range(1, 999)))
        held = Counter(each.share for each in filters._open.values())
        assert sum(held.values()) == 250
        assert held[line(1, 0)] == 250 - (len(held) - 1) <= 2, "it has given to the others of its site"
        with pytest.raises(RpcError, match="too many filters of one IPv6 /48"):
            filters.add(None, 0, line(1, 9999))
        filters.add(None, 0, line(2, 0))

    asyncio.run(run())


def test_where_sites_hold_all_filters_they_make_room_and_who_has_two_keeps_them() -> None:
    """Two honest, and 998 of four sites. A newcomer was refused, or took one of the two: of nobody else had more."""

    async def run() -> None:
        filters = Filters()
        own = [filters.add(None, 0, HONEST) for _ in range(2)]
        for site in range(4):
            opened(filters, (line(site, n) for n in range(999)))
        assert len(filters._open) == 1000
        for n in range(20):
            filters.add(None, 0, f"203.0.113.{n}")
        opened(filters, (line(5, n) for n in range(999)))
        assert all(filters.poll(name) for name in own)

    asyncio.run(run())


@contextmanager
def waiting(inclusions: Inclusions, shares: list[Hashable]) -> Iterator[int]:
    """How many of them find a place to wait."""
    with ExitStack() as stack:
        found = 0
        for n, share in enumerate(shares):
            try:
                stack.enter_context(inclusions.expect(n.to_bytes(32, "big"), share))
            except RpcError:
                continue
            found += 1
        yield found


def test_a_site_has_a_quarter_of_all_places_to_wait_and_where_all_are_taken_it_makes_room() -> None:
    """256 of 1,024: four sites hold all."""

    async def run() -> None:
        inclusions = Inclusions()
        with waiting(inclusions, [line(site, n) for site in range(4) for n in range(300)]) as found:
            assert found == 4 * 256
            with inclusions.expect(b"\1" * 32, HONEST) as included:
                assert not included.cancelled()
        assert not inclusions._held and not inclusions._waiting

    asyncio.run(run())
