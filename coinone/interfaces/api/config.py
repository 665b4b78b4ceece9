"""The operator's configuration of the public interface."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE

ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII
)  # scheme, host, port: what a browser sends for a page; `null` and `*` do not match
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """Addresses, allowed hosts and origins, and limits. The defaults are for a node on the user's own machine.
    Raises InvalidInput for an invalid origin."""

    exchange_port: int = 3001
    ethereum_port: int = 8545
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    hosts: tuple[str, ...] = ()  # further host names, from --allow-host
    origins: tuple[str, ...] = ()  # further exact origins, from --allow-origin
    request_weight: int = REQUEST_WEIGHT_PER_MINUTE  # per address except loopback, from --request-weight
    proxies: tuple[str, ...] = ()  # addresses trusted to name the client, from --trusted-proxy
    static_dir: Path | None = field(default=None)  # the built pages; None serves those in the package

    def __post_init__(self) -> None:
        for origin in self.origins:
            match = ORIGIN.fullmatch(origin.lower())
            if match is None or int(match.group(3) or 0) > 65_535:
                raise InvalidInput(
                    "--allow-origin takes scheme://host or scheme://host:port, as the browser sends it",
                    have=origin,
                )
