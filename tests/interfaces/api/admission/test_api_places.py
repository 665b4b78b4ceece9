"""How many connections an address may hold, and that the operator's own machine always finds a place."""

from collections.abc import Iterable

import pytest

from coinone.interfaces.api.admission.places import Place, Places


def taken(places: Places, addresses: Iterable[str], each: int) -> int:
    """How many of so many connections of each address find a place."""
    return sum(places.take(address) is not None for address in addresses for _ in range(each))


def held(places: Places, address: str) -> Place:
    place = places.take(address)
    assert place is not None
    return place


def test_the_hosts_of_one_ipv6_line_count_as_one() -> None:
    """70 addresses of one /64 took all 4,096 connections of a node."""
    places = Places()
    assert taken(places, (f"2001:db8:0:1::{host:x}" for host in range(1, 1000)), 1) == 64
    assert taken(places, ["2001:db8:0:2::1", "203.0.113.5", "203.0.113.6"], 65) == 3 * 64


def test_a_customer_with_many_ipv6_networks_takes_a_quarter_at_most() -> None:
    """1,024, of a /48; a line often has the 256 networks of a /56."""
    places = Places()
    assert taken(places, (f"2001:db8:0:{network:x}::1" for network in range(256)), 64) == 1024
    assert taken(places, ["2001:db8:1::1"], 1) == 1


@pytest.mark.parametrize("own", ["127.0.0.1", "::1", "127.0.0.2"])
def test_strangers_and_proxies_leave_places_for_the_nodes_own_machine(own: str) -> None:
    """4,096 are all: 256 of them are kept."""
    places = Places()
    places.admit_many_from(["192.0.2.1"])
    assert taken(places, (f"203.0.113.{host}" for host in range(60)), 64) == 3840
    assert taken(places, ["198.51.100.1", "192.0.2.1", "2001:db8::1"], 1) == 0
    assert taken(places, [own], 2) == 2


def test_a_proxy_on_another_loopback_address_leaves_places_for_the_operator() -> None:
    """It connects from 127.0.0.2 (nginx: proxy_bind). From 127.0.0.1 its clients' 2,500 were the operator's, too."""
    shared, apart = Places(), Places()
    shared.admit_many_from(["127.0.0.1"])
    apart.admit_many_from(["127.0.0.2"])
    assert taken(shared, ["127.0.0.1"], 2501) == taken(apart, ["127.0.0.2"], 2501) == 2500
    assert taken(shared, ["127.0.0.1"], 1) == 0
    assert taken(apart, ["127.0.0.1"], 4096) == 4096 - 2500


def test_there_are_never_more_than_the_descriptors_allow() -> None:
    places = Places()
    places.admit_many_from(["192.0.2.1", "2001:db8::1"])
    assert taken(places, ["192.0.2.1"], 2501) == 2500
    assert taken(places, ["2001:db8::1"], 2500) == 3840 - 2500, (
        "a proxy's own address, not its network, has many"
    )
    assert taken(places, ["127.0.0.1"], 2500) == 256


def test_a_place_that_is_given_back_is_free_for_the_next() -> None:
    places = Places()
    first = held(places, "2001:db8::1")
    assert taken(places, ["2001:db8::2"], 64) == 63
    places.give_back(first)
    again = held(places, "2001:db8::3")
    assert places.take("2001:db8::1") is None
    places.give_back(again)


def test_nothing_is_remembered_of_who_has_no_connection() -> None:
    places = Places()
    for place in [held(places, address) for address in ("2001:db8::1", "203.0.113.5", "127.0.0.1", "")]:
        places.give_back(place)
    assert not places._open


def test_an_ipv4_address_written_as_ipv6_is_the_same() -> None:
    assert taken(Places(), ["203.0.113.5", "::ffff:203.0.113.5"], 40) == 64
