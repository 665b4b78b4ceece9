"""CPU time of a signed order that arrives in a burst, with signers recovered in the node or in another process.

No HTTP: bodies are passed to the function behind POST /exchange, on one event loop, and every answer is awaited. CPU
time is this process's, without the process that recovers signers.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bench.node._common import print_table
from coinone.interfaces.api.exchange.actions import ActionHandler
from coinone.interfaces.client import Domain, Order, Signer, actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.signing import sign_action
from coinone.node.networks import load_network
from coinone.node.node import Node

T = TypeVar("T")
NETWORK = load_network("dev")
ORDERS = 1_000
ROUNDS = 5
START_S = 20.0  # for the signer process, on a busy machine
BODY_BYTES = 300
MAP_BYTES = 2**28


async def in_place(work: Callable[[], T]) -> T:
    return work()


def bodies(first_nonce: int) -> list[Any]:
    """Resting orders of ten accounts in turn."""
    signers, domain = [Signer(key) for key in dev_keys()[:10]], Domain.coinone(NETWORK.chain_id)
    order = actions.order([Order(0, True, "0.001", "90000")])
    return [
        sign_action(signers[number % 10], domain, order, at_ms=first_nonce + number)
        for number in range(ORDERS)
    ]


async def burst(node: Node, relay: ActionHandler, turn: int) -> tuple[float, float]:
    """CPU of the event loop's thread and of the whole process, in us an order."""
    signed = bodies(node.view.time_ms + 2_000 * turn)
    gc.collect()
    thread, process = time.thread_time(), time.process_time()
    answers = await asyncio.gather(*(relay.act(body, BODY_BYTES) for body in signed))
    spent = time.thread_time() - thread, time.process_time() - process
    assert all(answer["status"] == "ok" for answer in answers), "an order was refused"
    return spent[0] * 1e6 / ORDERS, spent[1] * 1e6 / ORDERS


async def bursts(node: Node) -> list[tuple[float, float]]:
    relay = ActionHandler(node, in_place)
    found = [await burst(node, relay, 0)]  # the signer process is started by it, and not waited for
    await asyncio.sleep(START_S)
    return [*found, *[await burst(node, relay, turn) for turn in range(1, ROUNDS + 1)]]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        node = Node(NETWORK, Path(folder), map_size_bytes=MAP_BYTES)
        node.start()
        first, *later = asyncio.run(bursts(node))
        node.stop()
    loop_us, process_us = (sorted(times)[ROUNDS // 2] for times in zip(*later, strict=True))
    print_table(
        f"{ORDERS} orders in one burst, us of CPU an order",
        ("signers recovered", "event loop", "whole process"),
        [
            ("in place: the first burst", f"{first[0]:.0f}", f"{first[1]:.0f}"),
            (f"by another process: median of {ROUNDS} more", f"{loop_us:.0f}", f"{process_us:.0f}"),
        ],
    )


if __name__ == "__main__":
    main()
