"""What an operator may change about the public interface."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE

ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII
)  # scheme, host, port: what a browser sends for a page, which `null` and `*` are not
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """Addresses and admissions. The defaults are those of a node on one's own machine. Raises InvalidInput for an
    origin that is none."""

    exchange_port: int = 3001
    ethereum_port: int = 8545
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    hosts: tuple[str, ...] = ()  # further names in Host, from --allow-host
    origins: tuple[str, ...] = ()  # further exact origins, from --allow-origin
    request_weight: int = REQUEST_WEIGHT_PER_MINUTE  # of an address beyond loopback, from --request-weight
    proxies: tuple[str, ...] = ()  # addresses whose word on who asks is taken, from --trusted-proxy
    static_dir: Path | None = field(default=None)  # the built pages; None serves those inside the package

    def __post_init__(self) -> None:
        for origin in self.origins:
            match = ORIGIN.fullmatch(origin.lower())
            if match is None or int(match.group(3) or 0) > 65_535:
                raise InvalidInput(
                    "--allow-origin takes scheme://host or scheme://host:port, as the browser sends it",
                    have=origin,
                )
