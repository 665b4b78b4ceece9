"""Serve the built pages by Starlette, under a policy that forbids loading anything from elsewhere.

The build puts gzip and brotli forms next to each text file. A browser that accepts one gets it: a third of the bytes,
and no work here. The forms have no URLs of their own.
"""

import mimetypes
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from coinone.interfaces.api.http.asgi import Message, Receive, Scope, Send, answer

PACKAGE_PAGES = Path(__file__).parents[1] / "static"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
]
_IMMUTABLE = (
    b"cache-control",
    b"public, max-age=31536000, immutable",
)  # names under assets/ hold a content hash
_FRESH = (b"cache-control", b"no-cache")
_NOT_BUILT = b"The pages are not built: run 'make page', or use the API; see docs/operating.\n"
_NOT_FOUND = (
    b"<!doctype html><html lang=en><title>Nothing here - Coinone</title><link rel=icon href=/favicon.svg>"
    b"<h1>Nothing here</h1><p>This node has no such page. <a href=/>Trading page</a>, "
    b"<a href=/#/explorer>explorer</a>.</html>\n"
)
_FORMS = (("br", ".br"), ("gzip", ".gz"))  # content codings and their file endings, the smaller first


class Pages:
    """An ASGI application for the pages in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: StaticFiles | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._files is None:
            if not (self._folder / "index.html").is_file():
                await answer(send, _NOT_BUILT, 404, [(b"content-type", b"text/plain; charset=utf-8")])
                return
            self._files = _Files(directory=self._folder, html=True)
        cache = _IMMUTABLE if scope["path"].startswith("/assets/") else _FRESH

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = cache if message["status"] < 400 else _FRESH
                message["headers"] = [*message["headers"], *_HEADERS, found]
            await send(message)

        await self._serve(self._files, scope, receive, send_with_policy)

    async def _serve(self, files: StaticFiles, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await files(scope, receive, send)
        except HTTPException as error:
            if error.status_code == 404 and "text/html" in Headers(scope=scope).get("accept", ""):
                await answer(send, _NOT_FOUND, 404, [(b"content-type", b"text/html; charset=utf-8")])
                return
            text = str(error.detail).encode()
            await answer(send, text, error.status_code, [(b"content-type", b"text/plain; charset=utf-8")])


class _Files(StaticFiles):
    """Serves a file, or the compressed form of it that the browser accepts."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(tuple(ending for _, ending in _FORMS)):
            raise HTTPException(status_code=404)
        return await super().get_response(path, scope)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        headers = Headers(scope=scope)
        taken = accepted_codings(headers.get("accept-encoding", ""))
        coding, path = next(
            (
                (coding, form)
                for coding, ending in _FORMS
                if coding in taken and (form := Path(f"{os.fspath(full_path)}{ending}")).is_file()
            ),
            ("", Path(full_path)),
        )
        kind = mimetypes.guess_type(full_path)[0] or "application/octet-stream"
        response = FileResponse(path, status_code, media_type=kind, stat_result=path.stat())
        response.headers["vary"] = "accept-encoding"
        if coding:
            response.headers["content-encoding"] = coding
        if self.is_not_modified(response.headers, headers):
            return NotModifiedResponse(response.headers)
        return response


def accepted_codings(text: str) -> frozenset[str]:
    """The content codings that an Accept-Encoding header accepts by name (RFC 9110, 12.5.3), without those of weight
    0."""
    taken = set()
    for part in text.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, weight = parameters.replace(" ", "").partition("=")
        if name == "q" and weight.strip("0.") == "":
            continue
        taken.add(coding.strip())
    return frozenset(taken)


def static_app(folder: Path | None) -> Pages:
    return Pages(folder or PACKAGE_PAGES)
