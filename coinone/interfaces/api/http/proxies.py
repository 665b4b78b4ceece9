"""The client's address behind a reverse proxy.

Every request then comes from the proxy's address, and all clients would share one limit: usually that of loopback. A
proxy that the operator names (`--trusted-proxy`) reports the client in X-Forwarded-For. Each proxy appends the address
that it saw, so only entries written by named proxies count: from the right, the first address that is no named proxy.
From any other sender the header is ignored. So are other headers, such as Forwarded (RFC 7239): a proxy that writes one
of the two passes the client's own entries on in the other.
"""

import ipaddress
from dataclasses import dataclass

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.http.asgi import HttpError, Scope

HOPS_MAX = 16  # addresses examined; clients may prepend their own


@dataclass(frozen=True, slots=True)
class Proxies:
    """The trusted proxies; `named` are addresses as `ipaddress` writes them."""

    named: frozenset[str] = frozenset()

    def note_client(self, scope: Scope) -> None:
        """Put the client's address into `scope`. Raises HttpError if a named proxy's entry is not an address."""
        client = scope.get("client")
        if client is None or client[0] not in self.named:
            return
        hops = _hops(scope)
        while hops:
            address = _address(hops.pop())
            if address not in self.named:
                scope["client"] = (address, client[1])
                return


def parse_proxy(text: str) -> str:
    """Parse an address for `--trusted-proxy`. Raises InvalidInput."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidInput("a trusted proxy is an IP address, such as 127.0.0.1", have=text) from None


def _hops(scope: Scope) -> list[str]:
    """The addresses as the proxies wrote them, nearest last."""
    hops: list[str] = []
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            hops += value.decode("latin-1").split(",")
    return hops[-HOPS_MAX:]


def _address(text: str) -> str:
    """The address in `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise HttpError(400, "X-Forwarded-For does not give the client's IP address") from None
