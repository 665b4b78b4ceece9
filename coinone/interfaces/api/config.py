"""What an operator may change about the public interface."""

from dataclasses import dataclass, field
from pathlib import Path

from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """Addresses and admissions. The defaults are those of a node on one's own machine."""

    exchange_port: int = 3001
    ethereum_port: int = 8545
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    hosts: tuple[str, ...] = ()  # further names in Host, from --allow-host
    origins: tuple[str, ...] = ()  # further exact origins, from --allow-origin
    request_weight: int = REQUEST_WEIGHT_PER_MINUTE  # of an address beyond loopback, from --request-weight
    static_dir: Path | None = field(default=None)  # the built pages; None serves those inside the package
