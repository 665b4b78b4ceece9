"""Behind a reverse proxy each client has its own request weight, and none can impersonate another.

Forms of addresses as nginx, Caddy and others write them into X-Forwarded-For.
"""

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.http.proxies import Proxies, parse_proxy

PROXIES = Proxies(frozenset({"127.0.0.1", "10.0.0.7"}))


def client_of(peer: str, *headers: tuple[str, str]) -> str:
    scope = {
        "client": (peer, 4711),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    PROXIES.note_client(scope)
    address: str = scope["client"][0]  # type: ignore[assignment]
    return address


@pytest.mark.parametrize(
    ("name", "value", "client"),
    [
        ("x-forwarded-for", "192.0.2.43", "192.0.2.43"),
        ("x-forwarded-for", "192.0.2.43:4711", "192.0.2.43"),
        ("x-forwarded-for", "2001:db8:cafe::17", "2001:db8:cafe::17"),
        ("x-forwarded-for", "192.0.2.43, 10.0.0.7", "192.0.2.43"),
        ("x-forwarded-for", "[2001:db8:cafe::17]:4711", "2001:db8:cafe::17"),
    ],
)
def test_a_named_proxy_says_who_asks(name: str, value: str, client: str) -> None:
    assert client_of("127.0.0.1", (name, value)) == client


def test_what_the_client_itself_wrote_does_not_count() -> None:
    assert client_of("127.0.0.1", ("x-forwarded-for", "127.0.0.1, 203.0.113.9, 192.0.2.43")) == "192.0.2.43"
    assert (
        client_of("127.0.0.1", ("x-forwarded-for", "nonsense"), ("x-forwarded-for", "192.0.2.43"))
        == "192.0.2.43"
    )


def test_anybody_elses_headers_mean_nothing() -> None:
    assert client_of("192.0.2.99", ("x-forwarded-for", "127.0.0.1")) == "192.0.2.99"
    assert client_of("127.0.0.2", ("x-forwarded-for", "127.0.0.1")) == "127.0.0.2"


def test_a_header_that_the_proxy_does_not_write_says_nothing() -> None:
    """nginx adds to X-Forwarded-For and passes a client's own Forwarded on: with it a stranger had a purse for each
    request, or used up that of a trader whose address it wrote."""
    seen = ("x-forwarded-for", "192.0.2.43")
    for own in ("for=203.0.113.9", 'for="[2001:db8::1]"'):
        assert client_of("127.0.0.1", seen, ("forwarded", own)) == "192.0.2.43"
        assert client_of("127.0.0.1", ("forwarded", own), seen) == "192.0.2.43"
    assert client_of("127.0.0.1", seen, ("x-real-ip", "203.0.113.9")) == "192.0.2.43"


def test_a_request_of_the_proxys_own_machine_is_its_own() -> None:
    assert client_of("127.0.0.1") == "127.0.0.1"
    assert client_of("127.0.0.1", ("x-forwarded-for", "127.0.0.1")) == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-forwarded-for", "unknown"), ("x-forwarded-for", "_hidden"), ("x-forwarded-for", "")],
)
def test_a_client_without_an_address_is_refused(name: str, value: str) -> None:
    with pytest.raises(HttpError, match="does not give the client"):
        client_of("127.0.0.1", (name, value))


def test_a_proxy_is_named_by_its_address() -> None:
    assert parse_proxy("2001:0db8::0001") == "2001:db8::1"
    with pytest.raises(InvalidInput):
        parse_proxy("proxy.example")
