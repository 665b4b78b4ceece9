"""Addresses of peers as an operator writes them, and whom an address belongs to."""

import ipaddress
import re
from dataclasses import dataclass, replace

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.parse import parse_bytes
from coinone.protocols.secure_channel.limits import KEY_BYTES

LOOPBACK = "127.0.0.1"
_HOST = re.compile(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+(%[0-9A-Za-z]+)?", re.ASCII)
OWNER_BITS = 64  # of an IPv6 address: its host chooses the rest freely


@dataclass(frozen=True, slots=True)
class PeerAddress:
    host: str
    port: int
    key: bytes | None = None  # the only public key that the node there may prove, if the operator named one

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_followed(text: str) -> PeerAddress:
    """Parse HOST:PORT or HOST:PORT#KEY. Raises InvalidInput."""
    endpoint, pinned, key = text.partition("#")
    address = _parse_endpoint(endpoint, text)
    return replace(address, key=_parse_key(key)) if pinned else address


def parse_listen(text: str) -> PeerAddress:
    """Parse [HOST:]PORT; without HOST it is loopback. Raises InvalidInput."""
    return _parse_endpoint(text if ":" in text else f"{LOOPBACK}:{text}", text)


def _parse_key(text: str) -> bytes:
    try:
        return parse_bytes(text, KEY_BYTES)
    except DecodeError:
        raise InvalidInput("a peer's key is 0x and 64 hex digits, as the peer prints it", have=text) from None


def _parse_endpoint(endpoint: str, text: str) -> PeerAddress:
    host, _, port = endpoint.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not _HOST.fullmatch(host) or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidInput("a peer is written HOST:PORT, such as 127.0.0.1:30301", have=text)
    return PeerAddress(host, int(port))


def owner_of(address: str) -> str:
    """Whom a connected address is counted for: an IPv6 address, its /64; any other, and loopback, itself."""
    if ":" not in address:
        return address
    full = ipaddress.IPv6Address(address.partition("%")[0])
    if full.ipv4_mapped is not None:
        return str(full.ipv4_mapped)
    return address if full.is_loopback else network_of(int(full), OWNER_BITS)


def network_of(address: int, bits: int) -> str:
    """The IPv6 network of this many bits that an address is in."""
    return str(ipaddress.IPv6Network((address >> 128 - bits << 128 - bits, bits)))
