"""The built pages, served by Starlette under a policy that lets them load nothing from elsewhere."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from coinone.interfaces.api.http import Message, Receive, Scope, Send, answer

PACKAGE_PAGES = Path(__file__).parent / "static"

# 'unsafe-inline' for styles only: the chart library sets style attributes.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
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
            self._files = StaticFiles(directory=self._folder, html=True)
        cache = _IMMUTABLE if scope["path"].startswith("/assets/") else _FRESH

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS, cache]
            await send(message)

        await self._serve(self._files, scope, receive, send_with_policy)

    async def _serve(self, files: StaticFiles, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await files(scope, receive, send)
        except HTTPException as error:
            text = str(error.detail).encode()
            await answer(send, text, error.status_code, [(b"content-type", b"text/plain; charset=utf-8")])


def static_app(folder: Path | None) -> Pages:
    return Pages(folder or PACKAGE_PAGES)
