"""JSON-RPC sessions without a socket, and blocks to send to them, for tests of eth_subscribe."""

import asyncio
from collections.abc import Hashable, Sequence
from types import SimpleNamespace

import pytest

from coinone.interfaces.api.admission.sender import Sender
from coinone.interfaces.api.ethereum.chain import parts
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.news import logs as log_news
from coinone.interfaces.api.ethereum.news.subscriptions import RpcHub, RpcSession, Subscription
from coinone.node.network.addresses import owner_of
from coinone.rules.vm import Log

TOPIC, OTHER = b"\1" * 32, b"\2" * 32


class Link:
    """A connection that is cut after so many messages."""

    def __init__(self, most: int) -> None:
        self.sent: list[bytes] = []
        self.most = most
        self.was_cut = False

    @property
    def open(self) -> bool:
        return len(self.sent) < self.most and not self.was_cut

    def send(self, payload: bytes) -> None:
        self.sent.append(payload)

    def hold(self, payload: bytes) -> None:
        self.send(payload)

    def flush(self) -> None:
        pass

    def cut(self) -> None:
        self.was_cut = True


def session_of(hub: RpcHub, most: int = 10**6, share: Hashable = "alice") -> RpcSession:
    made = RpcSession(Link(most), None, None, hub, None, Sender(share))  # type: ignore[arg-type]
    hub.sessions[made] = None
    return made


def line(site: int, network: int) -> str:
    """The owner of a network of a site."""
    return owner_of(f"2001:db8:{site:x}:{network:x}::1")


def link_of(session: RpcSession) -> Link:
    return session.connection  # type: ignore[return-value]


def logs_of(*topics: bytes) -> Subscription:
    """A subscription to those with these topics, one at each place."""
    return Subscription("logs", log_filter({"topics": ["0x" + topic.hex() for topic in topics]}))


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def publish(hub: RpcHub, logs: Sequence[Log]) -> None:
    row = SimpleNamespace(record=SimpleNamespace(logs=logs, hash=bytes(32)), index=0, first_log_index=0)
    hub.inclusions = SimpleNamespace(publish=lambda rows: None)  # type: ignore[assignment]
    hub.publish_block(SimpleNamespace(number=5), [row])  # type: ignore[arg-type,list-item]


def logs(*topics: bytes) -> list[Log]:
    return [Log(bytes(20), (topic,), b"") for topic in topics]


async def told(hub: RpcHub) -> None:
    while hub._log_news._teller is not None:
        await asyncio.sleep(0)


def in_smallest_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parts, log_news):
        monkeypatch.setattr(module, "PART_S", 0.0)
