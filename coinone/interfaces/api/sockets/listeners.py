"""The listening sockets of the API.

They are bound before a node opens its chain: a busy port is reported immediately, before anything has been created. A
client that connects while the chain is being opened waits in the kernel's queue, and is answered when the node is
ready.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from coinone.base.primitives.errors import CoinoneError
from coinone.interfaces.api.config import ApiConfig

BACKLOG = 1024
_NO_SUCH_ADDRESS = frozenset({97, 99})  # EAFNOSUPPORT, EADDRNOTAVAIL: IPv6 is disabled here


class AddressInUse(CoinoneError):
    """Raised if a port is in use, or an address cannot be bound; the text names the flag that changes it."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of one node: the exchange's (pages, REST, WebSocket, and JSON-RPC at /rpc), none if there is no
    exchange, and Ethereum's."""

    exchange: Sequence[socket.socket]
    ethereum: Sequence[socket.socket]

    @property
    def exchange_port(self) -> int:
        """The exchange's port; 0 if there is no exchange."""
        return _port_of(self.exchange)

    @property
    def ethereum_port(self) -> int:
        return _port_of(self.ethereum)

    def close(self) -> None:
        for opened in (*self.exchange, *self.ethereum):
            opened.close()


def open_listeners(config: ApiConfig, exchange: bool = True) -> Listeners:
    """Open all sockets of a node. Raises AddressInUse; then none is left open."""
    own = bind(config.bind, config.exchange_port, "--port") if exchange else []
    try:
        return Listeners(own, bind(config.bind, config.ethereum_port, "--rpc-port"))
    except AddressInUse:
        Listeners(own, []).close()
        raise


def bind(addresses: Sequence[str], port: int, flag: str) -> list[socket.socket]:
    """Listening sockets on every address that this machine has; port 0 takes any free one. Raises AddressInUse."""
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            bound = _bind_one(family, address, port)
            if bound is not None:
                sockets.append(bound)
                port = bound.getsockname()[1]
    except OSError as error:
        for opened in sockets:
            opened.close()
        raise AddressInUse(
            f"port {port} on {address} cannot be used: {error.strerror}; {flag} moves it"
        ) from error
    if not sockets:
        raise AddressInUse(f"none of the addresses {', '.join(addresses)} exists on this machine")
    return sockets


def _bind_one(family: int, address: str, port: int) -> socket.socket | None:
    """One listening socket; None if the machine has no such address family."""
    try:
        made = socket.socket(
            family, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # or asyncio leaves Nagle on: 40 ms
    except OSError:
        return None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(BACKLOG)  # two can bind one port, as long as neither listens
    except OSError as error:
        made.close()
        if family == socket.AF_INET6 and error.errno in _NO_SUCH_ADDRESS:
            return None
        raise
    return made


def _port_of(sockets: Sequence[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1]) if sockets else 0
