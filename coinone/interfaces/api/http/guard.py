"""Check the Host and Origin headers of requests to a local node.

Any web page can reach a port on the reader's own machine: with a plain form, by WebSocket (which has no same-origin
rule), or by pointing its own name at 127.0.0.1 (DNS rebinding). Wallets and nodes lost money that way. So: the Host
header must be a known name; an Origin header, if present, must be a page served from such a name, a configured one, or
a browser extension (which gets the Ethereum basics only); `null` is refused; a plain word (Titanoboa sends its own
name) comes from no browser, since those send scheme://host or null; a POST must be of type application/json, which a
form cannot send. A refusal names the flag that would allow it.
"""

import re
from dataclasses import dataclass
from enum import Enum

from coinone.interfaces.api.config import LOOPBACK_HOSTS, ORIGIN, ApiConfig
from coinone.interfaces.api.http.asgi import Headers, HttpError, Scope, header

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_WORD = re.compile(r"(?!null$)[a-z0-9._-]{1,60}", re.ASCII | re.IGNORECASE)
_CONTENT_TYPES = (b"application/json", b"application/json-rpc", b"application/jsonrequest")
_EXTENSIONS = frozenset({"chrome-extension", "moz-extension", "safari-web-extension"})


class Caller(Enum):
    """How far a caller is trusted."""

    PROGRAM = "program"  # no Origin, or none that a browser sends
    PAGE = "page"  # an allowed origin
    EXTENSION = "extension"  # a browser extension: eth, net and web3 only


@dataclass(frozen=True, slots=True)
class Guard:
    """The admission rules of one node."""

    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def from_config(cls, config: ApiConfig) -> "Guard":
        hosts = {name.lower() for name in (*LOOPBACK_HOSTS, *config.hosts)}
        return cls(frozenset(hosts), frozenset(origin.lower() for origin in config.origins))

    def admit(self, scope: Scope) -> Caller:
        """Judge Host and Origin of a request or WebSocket handshake. Raises HttpError 403."""
        self._check_host(header(scope, b"host"))
        origin = header(scope, b"origin")
        if origin is None:
            return Caller.PROGRAM
        return self._judge_origin(origin.decode("latin-1"))

    def _check_host(self, value: bytes | None) -> None:
        if value is None:
            raise HttpError(400, "no Host header")
        text = value.decode("latin-1").lower()
        match = _HOST.fullmatch(text)
        if match is None or match.group(1) not in self.hosts:
            raise HttpError(403, f"host {_clip(text)} is not served; --allow-host NAME would allow it")

    def _judge_origin(self, origin: str) -> Caller:
        match = ORIGIN.fullmatch(origin)
        if match is not None and int(match.group(3) or 0) <= 65_535:
            if origin.lower() in self.origins:
                return Caller.PAGE
            scheme, host = match.group(1), match.group(2).lower()
            if scheme in ("http", "https") and host in self.hosts:
                return Caller.PAGE
            if scheme in _EXTENSIONS:
                return Caller.EXTENSION
        if _WORD.fullmatch(origin):
            return Caller.PROGRAM
        raise HttpError(403, f"origin {_clip(origin)} is not allowed; --allow-origin ORIGIN would allow it")


def check_content_type(scope: Scope) -> None:
    """Require that a POST is application/json or another type that geth accepts for it, which no page can send
    across origins without a preflight. Raises HttpError 415."""
    value = header(scope, b"content-type")
    if value is None or value.split(b";", 1)[0].strip().lower() not in _CONTENT_TYPES:
        raise HttpError(415, "content type must be application/json")


def cors_headers(scope: Scope) -> Headers:
    """The headers a browser needs to pass the answer to an admitted page; none for programs."""
    origin = header(scope, b"origin")
    if origin is None:
        return []
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


def preflight_headers(scope: Scope) -> Headers:
    """The answer to an OPTIONS request of an admitted page."""
    lines = [
        *cors_headers(scope),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"600"),
    ]
    if header(scope, b"access-control-request-private-network") == b"true":
        lines.append((b"access-control-allow-private-network", b"true"))
    return lines


def _clip(text: str) -> str:
    shown = "".join(c if " " < c < "\x7f" else "?" for c in text)
    return shown if len(shown) <= 60 else shown[:57] + "..."
