"""All sockets of a node, opened together and closed together: those of its clients and the one of its peers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from coinone.interfaces.api.config import ApiConfig
from coinone.interfaces.api.sockets.listeners import Listeners, bind, open_listeners
from coinone.node.network.peers import Endpoint


@dataclass(frozen=True, slots=True)
class Doors:
    clients: Listeners
    peers: socket.socket | None


@contextmanager
def open_doors(config: ApiConfig, listen: Endpoint | None) -> Iterator[Doors]:
    """Raises AddressInUse; then none is left open."""
    with ExitStack() as opened:
        clients = open_listeners(config)
        opened.callback(clients.close)
        peers = None
        if listen is not None:
            (peers,) = bind((listen.host,), listen.port, "--listen")
            opened.enter_context(peers)
        yield Doors(clients, peers)
