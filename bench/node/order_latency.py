"""Latency of an order over HTTP until its final answer: 500 single orders a second, 20 accounts, 200 connections.

Open loop: orders leave on a timetable, whatever the answers do, and latency counts from the timetable, so a
stalled node cannot hide by slowing its client. An answer means that the order was executed in a batch that is
on disk (tier `preconfirmed` with a federation of one). Orders are signed beforehand; signing is not measured.
"""

import argparse
import asyncio
import itertools
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from bench.node._common import batches, cpu_seconds, fund_accounts, ms, percentile, print_table
from coinone.interfaces.client import AsyncClient, Domain, Order, Signer, actions, round_price
from coinone.interfaces.client.client import decode
from coinone.interfaces.client.errors import ClientError
from coinone.interfaces.client.http import AsyncHttp
from coinone.interfaces.client.local import LocalNode
from coinone.interfaces.client.signing import sign_action

RATE = 500
CONNECTIONS = 200
ACCOUNTS = 20
SECONDS = 8


@dataclass
class Run:
    latencies_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)  # how far behind the timetable an order left
    errors: list[str] = field(default_factory=list)
    resting: int = 0
    filled: int = 0
    refused: int = 0
    seconds: float = 0.0
    node_cpu_s: float = 0.0


async def signed_orders(url: str, count: int) -> list[bytes]:
    """Bodies for POST /exchange: two thirds rest near the oracle price, one third takes."""
    keys = await fund_accounts(url, ACCOUNTS, 20_000)
    async with AsyncClient(url) as client:
        domain = Domain.coinone(int(await client.rpc("eth_chainId"), 16))
        markets = list((await client.markets()).values())
        oracle = {name: Decimal(each["oraclePx"]) for name, each in (await client.contexts()).items()}
    chance = random.Random(1)
    bodies = []
    for signer in itertools.islice(itertools.cycle([Signer(key) for key in keys]), count):
        market = chance.choice(markets)
        is_buy, takes = chance.random() < 0.5, chance.random() < 1 / 3
        away = Decimal(chance.randrange(2, 60)) / 10_000
        side = 1 if is_buy == takes else -1
        price = round_price(oracle[market.name] * (1 + side * away), market.size_decimals)
        size = actions.round_size(Decimal(chance.randrange(20, 60)) / price, market.size_decimals)
        order = Order(market.asset, is_buy, size, price, "Ioc" if takes else "Gtc")
        bodies.append(msgspec.json.encode(sign_action(signer, domain, actions.order([order]))))
    return bodies


async def fire(url: str, bodies: list[bytes], rate: int, pid: int) -> Run:
    run = Run()
    http = AsyncHttp(url, idle_max=CONNECTIONS)
    await asyncio.gather(*(http.send("/info", b'{"type":"exchangeStatus"}') for _ in range(CONNECTIONS)))
    cpu_before, began = cpu_seconds(pid), time.perf_counter() + 0.1

    async def one(body: bytes, due: float) -> None:
        run.late_ms.append(1000 * (time.perf_counter() - due))
        try:
            answer = decode(await http.send("/exchange", body))
        except ClientError as error:
            run.errors.append(str(error))
            return
        run.latencies_ms.append(1000 * (time.perf_counter() - due))
        _count(run, answer)

    async with asyncio.TaskGroup() as group:
        for number, body in enumerate(bodies):
            due = began + number / rate
            wait_s = due - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            group.create_task(one(body, due))
    run.seconds = time.perf_counter() - began
    run.node_cpu_s = cpu_seconds(pid) - cpu_before
    await http.close()
    return run


def _count(run: Run, answer: Any) -> None:
    if answer["status"] != "ok":
        run.errors.append(str(answer["response"]))
        return
    (status,) = answer["response"]["data"]["statuses"]
    if "resting" in status:
        run.resting += 1
    elif "filled" in status:
        run.filled += 1
    else:
        run.refused += 1  # an immediate-or-cancel order that met nobody, say


def measure(demo: bool, rate: int, seconds: int) -> list[object]:
    with LocalNode(demo=demo) as node:
        time.sleep(8 if demo else 3)  # let prices come and the makers quote

        async def scenario() -> Run:
            return await fire(node.url, await signed_orders(node.url, rate * seconds), rate, node.pid)

        run = asyncio.run(scenario())
    if run.errors:
        print(f"{len(run.errors)} errors, the first: {run.errors[0]}")
    median, tail = percentile(run.latencies_ms, 0.5), percentile(run.latencies_ms, 0.99)
    return [
        "on" if demo else "off",
        len(run.latencies_ms),
        f"{len(run.latencies_ms) / run.seconds:.0f}",
        f"{ms(median)} ({batches(median)})",
        f"{ms(tail)} ({batches(tail)})",
        ms(max(run.latencies_ms)),
        f"{run.resting} / {run.filled} / {run.refused}",
        len(run.errors),
        f"{100 * run.node_cpu_s / run.seconds:.0f} %",
        ms(percentile(run.late_ms, 0.99)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--demo", choices=("on", "off", "both"), default="both")
    chosen = parser.parse_args()
    runs = {"on": (True,), "off": (False,), "both": (False, True)}[chosen.demo]
    print_table(
        f"{chosen.rate} single orders/s for {chosen.seconds} s, {ACCOUNTS} accounts, {CONNECTIONS} connections; "
        "latency to the durable answer in ms (in batch intervals of 250 ms)",
        (
            "demo market", "answers", "per s", "median", "p99", "max", "resting / filled / refused", "errors",
            "node CPU (of one core)", "client late, p99 ms",
        ),
        [measure(demo, chosen.rate, chosen.seconds) for demo in runs],
    )  # fmt: skip


if __name__ == "__main__":
    main()
