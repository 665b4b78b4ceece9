"""Addresses of peers: what an operator may write, and whom a connection is counted for."""

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.node.network.addresses import PeerAddress, owner_of, parse_followed, parse_listen

KEY = bytes(range(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "127.0.0.1:１",
        ":30301",
        "x:1x",
        "http://example.org:3001",
        "a b:30301",
    ],
)
def test_a_peer_is_written_host_and_port(text: str) -> None:
    with pytest.raises(InvalidInput, match="HOST:PORT"):
        parse_followed(text)


def test_a_key_may_follow_the_address() -> None:
    assert parse_followed("10.0.0.1:30301") == PeerAddress("10.0.0.1", 30301)
    assert parse_followed(f"example.org:30301#0x{KEY.hex()}") == PeerAddress("example.org", 30301, KEY)
    assert parse_followed(f"[::1]:30301#0x{KEY.hex()}") == PeerAddress("::1", 30301, KEY)


@pytest.mark.parametrize("key", ["", "0x", KEY.hex(), "0x" + KEY.hex()[2:], "0x" + "zz" * 32])
def test_a_key_that_is_none_is_refused_rather_than_not_checked(key: str) -> None:
    with pytest.raises(InvalidInput, match="64 hex digits"):
        parse_followed(f"10.0.0.1:30301#{key}")


def test_without_a_host_only_this_computer_is_listened_to() -> None:
    assert parse_listen("30301") == PeerAddress("127.0.0.1", 30301)
    assert parse_listen("0.0.0.0:30301") == PeerAddress("0.0.0.0", 30301)
    assert parse_listen("[::]:30301") == PeerAddress("::", 30301)
    with pytest.raises(InvalidInput):
        parse_listen(":30301")


def test_an_address_is_shown_as_it_is_written() -> None:
    for text in ("10.0.0.1:30301", "[2001:db8::1]:30301", "example.org:1"):
        assert str(parse_followed(text)) == text


def test_hosts_of_one_ipv6_line_are_one_owner() -> None:
    assert owner_of("2001:db8:1:2::1") == owner_of("2001:db8:1:2:ffff::9") != owner_of("2001:db8:1:3::1")
    assert owner_of("::ffff:192.0.2.1") == owner_of("192.0.2.1") == "192.0.2.1"
    assert owner_of("fe80::1%eth0") == owner_of("fe80::2")


def test_loopback_is_known_in_all_its_forms() -> None:
    assert all(PeerAddress(host, 1).is_loopback for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"))
    assert not any(PeerAddress(host, 1).is_loopback for host in ("10.0.0.1", "::", "example.org"))
