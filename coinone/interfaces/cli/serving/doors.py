"""Open and close all listening sockets of a node together: those for clients and the one for peers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.sockets.listeners import Listeners, bind, open_listeners
from coinone.node.network.addresses import PeerAddress


@dataclass(frozen=True, slots=True)
class OpenSockets:
    clients: Listeners
    peers: socket.socket | None


@contextmanager
def open_sockets(config: ApiConfig, listen: PeerAddress | None) -> Iterator[OpenSockets]:
    """Open all sockets. Raises AddressInUse, with none left open."""
    with ExitStack() as opened:
        clients = open_listeners(config)
        opened.callback(clients.close)
        peers = None
        if listen is not None:
            (peers,) = bind((listen.host,), listen.port, "--listen")
            opened.enter_context(peers)
        yield OpenSockets(clients, peers)
