"""Run by test_kill in a process of its own, which kills it: a node that trades and says what was answered.

Lines on standard output: "opening", "open <seq> <oids of account 0>", then "ack <oid>" for each order
answered.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "rules" / "chain"))

from chain_world import KEYS, account, order, transfer

from coinone.node.runtime.networks import load_network
from coinone.node.runtime.node import Node

NETWORK = load_network("dev")
# A fast cadence, so that kills meet batches, seals and commits.
NETWORK = replace(
    NETWORK,
    batches=replace(NETWORK.batches, interval_ms=10),
    blocks=replace(NETWORK.blocks, interval_ms=40),
)


def say(*words: object) -> None:
    print(*words, flush=True)


def open_orders(reader) -> list[int]:
    rows = reader.exchange.rows
    slot = rows.slot_of(account(0))
    return [int(rows.orders[place]["oid"]) for place in rows.book.slots_of(rows, slot)]


async def main(folder: Path) -> None:
    say("opening")
    node = Node(NETWORK, folder, map_size_bytes=2**28)
    node.start()
    oids = await node.query(open_orders)
    say("open", node.view.seq, *oids)
    nonce = await node.query(lambda reader: reader.state.nonce(account(1)))
    turn = 0
    while True:
        turn += 1
        raw = order(KEYS[0], node.view.time_ms + turn % 10, 0, True, str(50_000 + turn % 400), "0.001")
        outcome = await node.submit(raw)
        for status in (outcome.response or {}).get("data", {}).get("statuses", []):
            if "resting" in status:
                say("ack", status["resting"]["oid"])
        if turn % 3 == 0:
            await node.submit_ethereum(transfer(KEYS[1], nonce, account(2), 1))
            nonce += 1


asyncio.run(main(Path(sys.argv[1])))
