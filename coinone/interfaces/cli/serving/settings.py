"""Settings of `up` and `node`, and the checks that keep a dev node on loopback."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.http.proxies import parse_proxy
from coinone.interfaces.api.limits import REQUEST_WEIGHT_PER_MINUTE
from coinone.node.limits import MAP_MIB
from coinone.node.network.addresses import PeerAddress

# Names of rules.vm.engines, not imported: that compiles, and a wrong option should be reported sooner.
ENGINES = ("native", "jit", "reference")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    data_dir: Path
    network: str
    http_port: int
    rpc_port: int
    bind: tuple[str, ...]
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    listen: PeerAddress | None = None  # for peers
    follow: tuple[PeerAddress, ...] = ()
    engine: str = ENGINES[0]  # of the virtual machine
    request_weight: int = REQUEST_WEIGHT_PER_MINUTE  # of a remote address
    map_mib: int = MAP_MIB  # largest size of the database
    archive: bool = False  # keep the state of every block
    proxies: tuple[str, ...] = ()  # addresses of trusted reverse proxies

    @property
    def map_size_bytes(self) -> int:
        return self.map_mib << 20

    def api_config(self) -> ApiConfig:
        """The API's configuration. Raises InvalidInput if a dev node would listen beyond loopback."""
        if self.network == "dev":
            for address in self.bind:
                _require_loopback(address)
        if self.http_port == self.rpc_port != 0:
            raise InvalidInput("--http-port and --rpc-port must differ", both=self.http_port)
        bind = self.bind or ApiConfig().bind
        proxies = tuple(parse_proxy(text) for text in self.proxies)
        return ApiConfig(
            self.http_port, self.rpc_port, bind, self.hosts, self.origins, self.request_weight, proxies
        )


def parse_engine(text: str, verify: bool) -> str:
    """Parse an engine or a pair to compare; `verify` adds the reference. Raises InvalidInput."""
    first, plus, second = text.partition("+")
    if first not in ENGINES or (plus and second not in ENGINES):
        raise InvalidInput(f"--vm takes {', '.join(ENGINES)}, or two of them joined by +", have=text)
    if verify and plus:
        raise InvalidInput(
            "--vm-verify compares one engine with the reference, but --vm names two", have=text
        )
    if verify:
        return "reference+native" if first == "reference" else f"reference+{first}"
    return text


def _require_loopback(address: str) -> None:
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InvalidInput("--bind takes an IP address", have=address) from None
    if not is_loopback:
        raise InvalidInput(
            "a dev node does not listen beyond this computer: its keys are public, so anyone could spend "
            "what it holds; --bind takes 127.0.0.1 or ::1 here",
            have=address,
        )
