"""Which callers a local node admits: Host against rebinding, Origin against foreign pages."""

from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.http.guard import (
    Caller,
    Guard,
    check_content_type,
    cors_headers,
    preflight_headers,
)

GUARD = Guard.from_config(ApiConfig(hosts=("node.example",), origins=("https://app.example",)))


def scope(**headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    return {"type": "http", "headers": list(named.items())}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:3001", "127.0.0.1:8545", "[::1]:3001", "LOCALHOST", "node.example"]
)
def test_known_hosts_are_served(host: str) -> None:
    assert GUARD.admit(scope(host=host)) is Caller.PROGRAM


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:3001",
        "127.0.0.1.nip.io",
        "localhost:3001@evil.example",
        "localhost evil.example",
        "127.0.0.2",
        "[::2]",
        "0.0.0.0",
        "",
        "localhost:",
        "localhost:123456",
        "localhost\xa0",
    ],
)
def test_other_names_are_refused_and_told_the_flag(host: str) -> None:
    with pytest.raises(HttpError) as caught:
        GUARD.admit(scope(host=host))
    assert caught.value.status == 403
    assert "--allow-host" in caught.value.message


def test_a_request_without_host_or_with_two_is_refused() -> None:
    with pytest.raises(HttpError):
        GUARD.admit({"headers": []})
    with pytest.raises(HttpError):
        GUARD.admit({"headers": [(b"host", b"localhost"), (b"host", b"localhost")]})


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost",
        "http://127.0.0.1:5173",
        "http://[::1]:3001",
        "https://app.example",
    ],
)
def test_pages_of_known_hosts_and_configured_ones_are_admitted(origin: str) -> None:
    assert GUARD.admit(scope(host="localhost", origin=origin)) is Caller.PAGE


@pytest.mark.parametrize("scheme", ["chrome-extension", "moz-extension", "safari-web-extension"])
def test_extensions_are_admitted_as_such(scheme: str) -> None:
    origin = f"{scheme}://nkbihfbeogaeaoehlefnkodbefgpgknn"
    assert GUARD.admit(scope(host="localhost", origin=origin)) is Caller.EXTENSION


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "NULL",
        "evil.example:80",
        "//evil.example",
        "https:evil.example",
        "null https://evil.example",
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://localhost:3001/",
        "file://",
        "https://sub.app.example",
        "https://app.example.evil.example",
        "ftp://localhost",
        "http://evil.example\\@localhost",
        "",
        "http://",
        "http://localhost:65536",
    ],
)
def test_other_origins_are_refused_and_told_the_flag(origin: str) -> None:
    with pytest.raises(HttpError) as caught:
        GUARD.admit(scope(host="localhost", origin=origin))
    assert caught.value.status == 403
    assert "--allow-origin" in caught.value.message


def test_a_refusal_repeats_no_control_characters() -> None:
    with pytest.raises(HttpError) as caught:
        GUARD.admit(scope(host="localhost", origin="http://a\r\nset-cookie: x"))
    assert "\r" not in caught.value.message and "\n" not in caught.value.message


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json-rpc",
        "application/jsonrequest",
    ],
)
def test_json_is_accepted(kind: str) -> None:
    check_content_type(scope(content_type=kind))


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""],
)
def test_what_a_form_can_send_is_refused(kind: str) -> None:
    with pytest.raises(HttpError) as caught:
        check_content_type(scope(content_type=kind))
    assert caught.value.status == 415


def test_a_post_without_content_type_is_refused() -> None:
    with pytest.raises(HttpError):
        check_content_type(scope(host="localhost"))


def test_a_word_that_no_browser_writes_as_its_origin_is_a_programs() -> None:
    """Titanoboa sends `Origin: Titanoboa`; a browser sends scheme://host or null, and no page can change it."""
    assert GUARD.admit(scope(host="localhost", origin="Titanoboa")) is Caller.PROGRAM


def test_cors_names_the_one_origin_and_never_a_star() -> None:
    lines = dict(cors_headers(scope(host="localhost", origin="https://app.example")))
    assert lines[b"access-control-allow-origin"] == b"https://app.example"
    assert lines[b"vary"] == b"Origin"
    assert cors_headers(scope(host="localhost")) == []
    assert b"access-control-allow-credentials" not in dict(
        preflight_headers(scope(origin="https://app.example"))
    )


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "*",
        "app.example",
        "https://",
        "https://app.example/",
        "https://a@b",
        "https://app.example:70000",
        "",
    ],
)
def test_a_configured_origin_that_is_none_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(InvalidInput, match="--allow-origin takes scheme://host"):
        ApiConfig(origins=(origin,))


def test_a_configured_origin_may_have_any_scheme_and_a_port() -> None:
    config = ApiConfig(origins=("App://wallet", "https://app.example:8443"))
    for origin in ("app://wallet", "https://app.example:8443"):
        assert Guard.from_config(config).admit(scope(host="localhost", origin=origin)) is Caller.PAGE
