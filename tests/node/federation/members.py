"""Four real nodes in one process, each a member, that vote over sockets of this computer."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from coinone.interfaces.client.local import free_ports
from coinone.node.clock import system_entropy
from coinone.node.dev.federation import make_members
from coinone.node.network.addresses import PeerAddress
from coinone.node.network.peering import Peering
from coinone.node.networks import load_network
from coinone.node.node import Node

T = TypeVar("T")
NETWORK = load_network("dev")
START_MS = 1_760_000_000_000


class Members:
    """`count` members, all of which run until they are stopped one by one."""

    def __init__(self, folder: Path, count: int = 4) -> None:
        self.folders = [folder / f"member{number}" for number in range(count)]
        make_members(NETWORK, self.folders, START_MS, system_entropy, lambda: None)
        self.ports = free_ports(count)
        self.nodes: dict[int, Node] = {}
        self._peerings: dict[int, Peering] = {}
        for number in range(count):
            self.start(number)

    def start(self, number: int) -> None:
        node = Node(NETWORK, self.folders[number], map_size_bytes=2**28)
        others = [PeerAddress("127.0.0.1", port) for n, port in enumerate(self.ports) if n != number]
        peering = Peering(node, socket.create_server(("127.0.0.1", self.ports[number])), others)
        node.start()
        peering.start()
        self.nodes[number], self._peerings[number] = node, peering

    def stop(self, number: int) -> None:
        self._peerings.pop(number).stop()
        self.nodes.pop(number).stop()

    def stop_all(self) -> None:
        for number in list(self.nodes):
            self.stop(number)

    @property
    def leader(self) -> int:
        """The one that the running members agree on, else -1."""
        found = {node._core.member.leader for node in self.nodes.values()}
        return found.pop() if len(found) == 1 else -1

    @property
    def seqs(self) -> list[int]:
        return [node.view.seq for node in self.nodes.values()]


async def until(found: Callable[[], T], seconds: float = 20) -> T:
    for _ in range(int(seconds / 0.02)):
        if value := found():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError("not in time")
