"""Which form of a file a browser gets. Rules: RFC 9110, 12.5.3 (Accept-Encoding) and 12.5.5 (Vary)."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from coinone.interfaces.api.http.static_files import Pages, accepted_codings

SCRIPT = b"console.log('a page')\n" * 50


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Coinone</title>")
    (assets / "main.js").write_bytes(SCRIPT)
    (assets / "main.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "main.js.br").write_bytes(b"stands for the brotli form")
    (assets / "font.woff2").write_bytes(b"wOF2")
    return Pages(tmp_path)


def get(pages: Pages, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """GET with the headers (underscores for hyphens): status, headers, body."""
    sent: list[Any] = []
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    asgi = {"spec_version": "2.4"}
    scope = {"type": "http", "method": "GET", "path": path, "headers": lines, "asgi": asgi}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(pages(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("gzip, deflate, br, zstd", {"gzip", "deflate", "br", "zstd"}),
        ("GZIP;q=0.5, br;q=0", {"gzip"}),
        ("br ; q=0.000 , gzip ;q=1.0", {"gzip"}),
        ("", {""}),
    ],
)
def test_a_coding_of_weight_zero_is_not_taken(header: str, taken: set[str]) -> None:
    assert accepted_codings(header) == taken


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None), ("br;q=0, gzip", "gzip")],
)
def test_a_browser_gets_the_smallest_form_that_it_takes(
    pages: Pages, accepted: str, coding: str | None
) -> None:
    status, headers, body = get(pages, "/assets/main.js", accept_encoding=accepted)
    assert status == 200
    assert headers.get("content-encoding") == coding
    assert headers["vary"] == "accept-encoding"
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in headers["cache-control"]
    assert int(headers["content-length"]) == len(body)
    forms = {None: lambda raw: raw, "gzip": gzip.decompress, "br": lambda raw: SCRIPT}
    assert forms[coding](body) == SCRIPT


def test_each_form_has_its_own_tag_and_is_not_sent_twice(pages: Pages) -> None:
    path = "/assets/main.js"
    tags = {coding: get(pages, path, accept_encoding=coding)[1]["etag"] for coding in ("br", "gzip", "none")}
    assert len(set(tags.values())) == 3
    status, headers, body = get(pages, path, accept_encoding="gzip", if_none_match=tags["gzip"])
    assert (status, headers["vary"], body) == (304, "accept-encoding", b"")
    assert get(pages, path, accept_encoding="none", if_none_match=tags["gzip"])[0] == 200


def test_a_file_without_forms_goes_out_as_it_is(pages: Pages) -> None:
    _, headers, body = get(pages, "/assets/font.woff2", accept_encoding="gzip, br")
    assert "content-encoding" not in headers and body == b"wOF2"


def test_the_forms_have_no_address(pages: Pages) -> None:
    assert [get(pages, f"/assets/main.js{ending}")[0] for ending in (".gz", ".br")] == [404, 404]


def test_a_person_who_comes_to_no_page_is_shown_the_way(pages: Pages) -> None:
    status, headers, body = get(pages, "/nonexistent", accept="text/html,*/*")
    assert status == 404 and b"Trading page" in body and headers["content-type"].startswith("text/html")
    assert get(pages, "/nonexistent")[2] == b"Not Found"
    assert "immutable" not in get(pages, "/assets/gone.js")[1]["cache-control"]
