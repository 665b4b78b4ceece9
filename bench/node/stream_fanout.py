"""Streams: 1,000 WebSocket subscribers of a book that changes with every batch.

Measured from the batch's own time, which the book's messages carry, to the last byte at each subscriber; so
it holds execution, the write to disk, serialisation and the fan-out. The subscribers are one process with a
bare reader of frames: a full WebSocket library in Python would cost more than the server does.
"""

import argparse
import asyncio
import base64
import os
import time

import msgspec

from bench.node._common import cpu_seconds, ms, percentile, print_table, raise_descriptor_limit
from coinone.interfaces.client.local import LocalNode

SUBSCRIBERS = 1000
SECONDS = 8
_TIME = b'"time":'


class Subscriber(asyncio.Protocol):
    """Shakes hands, subscribes, and notes how old each message is when its last byte arrives."""

    def __init__(self, port: int, coin: str, ages_ms: list[float]) -> None:
        self._port = port
        self._coin = coin
        self._ages_ms = ages_ms
        self._buffer = bytearray()
        self._open = False
        self.ready = asyncio.get_running_loop().create_future()
        self.messages = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), bytes(head)
            self._open, self._buffer = True, rest
            self._transport.write(
                _masked({"method": "subscribe", "subscription": {"type": "l2Book", "coin": self._coin}})
            )
        while (message := self._frame()) is not None:
            self._note(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def _frame(self) -> bytes | None:
        """The next whole frame's payload; server frames are never masked."""
        if len(self._buffer) < 4:
            return None
        size, start = self._buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(self._buffer[2:4], "big"), 4
        if size == 127 or len(self._buffer) < start + size:
            return None
        payload = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return payload

    def _note(self, message: bytes) -> None:
        if not message.startswith(b'{"channel":"l2Book"'):
            return
        if not self.ready.done():
            self.ready.set_result(None)  # the snapshot: as old as the last batch, so it does not count
            return
        place = message.rindex(_TIME) + len(_TIME)
        digits = message[place : place + 13]
        self._ages_ms.append(time.time() * 1000 - int(digits))
        self.messages += 1


def _masked(message: object) -> bytes:
    payload = msgspec.json.encode(message)
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload  # a mask of zeros is a valid mask


async def watch(port: int, coin: str, count: int, seconds: float, pid: int) -> list[object]:
    loop = asyncio.get_running_loop()
    ages_ms: list[float] = []
    subscribers: list[Subscriber] = []
    for _ in range(0, count, 50):  # fifty at a time: the listening queue is finite
        made = await asyncio.gather(
            *(
                loop.create_connection(lambda: Subscriber(port, coin, ages_ms), "127.0.0.1", port)
                for _ in range(min(50, count - len(subscribers)))
            )
        )
        subscribers += [protocol for _, protocol in made]
    await asyncio.gather(*(each.ready for each in subscribers))
    ages_ms.clear()
    cpu, own_cpu, began = cpu_seconds(pid), time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    wall = time.perf_counter() - began
    node_cpu, client_cpu = cpu_seconds(pid) - cpu, time.process_time() - own_cpu
    counts = [each.messages for each in subscribers]
    return [
        count,
        f"{len(ages_ms) / wall:.0f}",
        ms(percentile(ages_ms, 0.5)),
        ms(percentile(ages_ms, 0.99)),
        f"{min(counts)} / {max(counts)}",
        sum(each.lost for each in subscribers),
        f"{100 * node_cpu / wall:.0f} %",
        f"{100 * client_cpu / wall:.0f} %",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=SUBSCRIBERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args()
    raise_descriptor_limit()
    rows = []
    with LocalNode(demo=True) as node:
        time.sleep(8)  # the makers quote
        for count in (1, chosen.subscribers):
            rows.append(asyncio.run(watch(node.port, "BTC", count, chosen.seconds, node.pid)))
    header = (
        "subscribers", "messages/s", "median age ms", "p99 age ms", "fewest / most each", "lost", "node CPU",
        "client CPU",
    )  # fmt: skip
    print_table(
        "Fan-out of l2Book with the demo market running; age = arrival minus batch time", header, rows
    )


if __name__ == "__main__":
    main()
