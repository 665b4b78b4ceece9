"""Time to send each batch to 1,000 WebSocket subscribers of l2Book and trades of a market that changes in every batch.

Two accounts, in a process of their own, replace a quote and trade against it each batch interval. *Age* is measured
from the batch's own time, which the messages carry, to the last byte at each subscriber; so it holds execution, the
write to disk, serialisation and the fan-out. *Node's part* is the mean of what the node measures itself: from taking
up the batch to the last write. *Fan-out* is from the first subscriber's first byte of a batch to the
last subscriber's last. The subscribers are one process with a bare reader of frames: a full WebSocket library in
Python would cost more than the server does.
"""

import argparse
import asyncio
import base64
import contextlib
import multiprocessing
import os
import time
import urllib.request
from decimal import Decimal

import msgspec

from bench.node._common import BATCH_MS, cpu_seconds, ms, percentile, print_table, raise_descriptor_limit
from coinone.interfaces.client import AsyncClient, ClientError, Order, round_price
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode

SUBSCRIBERS = 1000
SECONDS = 8
COIN = "BTC"
CHANNELS = ("l2Book", "trades")
_TIME = b'"time":'
_WANTED = tuple(b'{"channel":"%s"' % channel.encode() for channel in CHANNELS)


class Arrivals:
    """When the messages of each batch arrived: first and last of all subscribers, and every age."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.ages_ms: list[float] = []
        self.spans: dict[int, tuple[float, float]] = {}

    def note(self, batch_ms: int) -> None:
        now = time.time() * 1000
        self.ages_ms.append(now - batch_ms)
        first, _ = self.spans.get(batch_ms, (now, now))
        self.spans[batch_ms] = first, now

    def fan_outs_ms(self) -> list[float]:
        return [last - first for first, last in self.spans.values()]


class Subscriber(asyncio.Protocol):
    """Shakes hands, subscribes, and notes when the last byte of each message arrives."""

    def __init__(self, port: int, arrivals: Arrivals) -> None:
        self._port = port
        self._arrivals = arrivals
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
            for channel in CHANNELS:
                wanted = {"method": "subscribe", "subscription": {"type": channel, "coin": COIN}}
                self._transport.write(_masked(wanted))
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
        if not message.startswith(_WANTED):
            return
        if not self.ready.done():
            self.ready.set_result(None)  # the snapshot: as old as the last batch, so it does not count
            return
        place = message.rindex(_TIME) + len(_TIME)
        self._arrivals.note(int(message[place : place + 13]))
        self.messages += 1


def _masked(message: object) -> bytes:
    payload = msgspec.json.encode(message)
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload  # a mask of zeros is a valid mask


def trade(url: str) -> None:
    """The process of the two accounts."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_trade(url))


async def _trade(url: str) -> None:
    """In each batch interval: a new quote on either side in place of the old ones, and a trade against one."""
    async with AsyncClient(url, key=dev_keys()[0]) as maker, AsyncClient(url, key=dev_keys()[1]) as taker:
        market = (await maker.markets())[COIN]
        turn = 0
        while True:
            turn += 1
            began = time.monotonic()
            fair = Decimal((await maker.contexts())[COIN]["oraclePx"])
            bid, ask = (
                round_price(fair * (1 + side * Decimal(5 + turn % 7) / 10_000), market.size_decimals)
                for side in (-1, 1)
            )
            size = Decimal(100 + turn % 9) / 10_000
            quotes = [Order(market.asset, side, size, px, "Alo") for side, px in ((True, bid), (False, ask))]
            taken = Order(market.asset, turn % 2 == 0, size / 2, ask if turn % 2 == 0 else bid, "Ioc")
            with contextlib.suppress(ClientError):
                await asyncio.gather(maker.cancel_all(), maker.orders(quotes), taker.orders([taken]))
            await asyncio.sleep(max(0.0, BATCH_MS / 1000 - (time.monotonic() - began)))


def _published(port: int) -> tuple[float, float]:
    """Seconds that the node has spent on fan-outs so far, and how many there were."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    rows = dict(line.rsplit(" ", 1) for line in lines if line.startswith("coinone_fanout_seconds_"))
    return float(rows["coinone_fanout_seconds_sum"]), float(rows["coinone_fanout_seconds_count"])


async def watch(port: int, count: int, seconds: float, pid: int) -> list[object]:
    loop = asyncio.get_running_loop()
    arrivals = Arrivals()
    subscribers: list[Subscriber] = []
    for _ in range(0, count, 50):  # fifty at a time: the listening queue is finite
        made = await asyncio.gather(
            *(
                loop.create_connection(lambda: Subscriber(port, arrivals), "127.0.0.1", port)
                for _ in range(min(50, count - len(subscribers)))
            )
        )
        subscribers += [protocol for _, protocol in made]
    await asyncio.gather(*(each.ready for each in subscribers))
    await asyncio.sleep(1)
    for each in subscribers:
        each.messages = 0
    arrivals.clear()
    spent, times = await asyncio.to_thread(_published, port)
    cpu, own_cpu, began = cpu_seconds(pid), time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    wall = time.perf_counter() - began
    node_cpu, client_cpu = cpu_seconds(pid) - cpu, time.process_time() - own_cpu
    spent_now, times_now = await asyncio.to_thread(_published, port)
    counts = [each.messages for each in subscribers]
    ages_ms, fan_outs_ms = arrivals.ages_ms, arrivals.fan_outs_ms()
    return [
        count,
        f"{len(fan_outs_ms) / wall:.1f}",
        f"{len(ages_ms) / wall:.0f}",
        f"{1000 * (spent_now - spent) / (times_now - times):.1f}",
        *(ms(percentile(fan_outs_ms, part)) for part in (0.5, 0.99)),
        *(ms(percentile(ages_ms, part)) for part in (0.5, 0.99)),
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
    with LocalNode() as node:
        traders = multiprocessing.get_context("spawn").Process(target=trade, args=(node.url,), daemon=True)
        traders.start()
        try:
            time.sleep(4)  # both sides of the book stand
            for count in (1, chosen.subscribers):
                rows.append(asyncio.run(watch(node.port, count, chosen.seconds, node.pid)))
        finally:
            traders.terminate()
            traders.join()
    header = (
        "subscribers", "batches/s", "messages/s", "node's part ms", "fan-out median ms", "fan-out p99 ms",
        "age median ms", "age p99 ms", "fewest / most each", "lost", "node CPU", "client CPU",
    )  # fmt: skip
    print_table(
        f"Fan-out of l2Book and trades of {COIN}, which changes in every batch; half an interval is {BATCH_MS // 2} ms",
        header,
        rows,
    )


if __name__ == "__main__":
    main()
