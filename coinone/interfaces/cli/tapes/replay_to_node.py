"""`coinone replay --url`: play a tape to a running dev node at the recorded pace.

Every trader of the tape gets a fresh account, paid for by the public dev accounts. The tape's prices are moved
to where the node's oracle stands now, so that quotes lie round its market as they did round the recorded one;
the oracle itself is the node's own.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.keys import fresh_key
from coinone.interfaces.cli.tapes.tape import Tape, TapeStep, read_tape
from coinone.interfaces.client import AsyncClient, ClientError, Market, Signer, round_price
from coinone.interfaces.client.actions import decimal_text
from coinone.interfaces.client.dev import dev_keys

FUNDS = 90_000  # ten dev accounts of a million each can pay for a hundred traders


@dataclass(frozen=True, slots=True)
class Shift:
    """Maps a market of the tape to the node's market of the same name."""

    market: Market
    ratio: Decimal  # the node's price divided by the tape's

    def price(self, text: str) -> str:
        return decimal_text(round_price(Decimal(text) * self.ratio, self.market.size_decimals))


class Stage:
    """A node with an account for each trader, and the mapping of the tape's markets."""

    def __init__(self, clients: dict[str, AsyncClient], shifts: dict[int, Shift], start_ms: int) -> None:
        self.clients = clients
        self.shifts = shifts
        self.outcomes: Counter[str] = Counter()
        self._start_ms = start_ms

    async def act(self, step: TapeStep, tape_start_ms: int) -> None:
        try:
            data = await self.clients[step.user].act(self._translated(step.action, tape_start_ms))
        except ClientError as error:
            self.outcomes[f"refused: {str(error).split('(')[0].strip()[:60]}"] += 1
            return
        for status in (data or {}).get("statuses", ["done"]):
            self.outcomes[status if isinstance(status, str) else next(iter(status))] += 1

    def _translated(self, action: dict[str, Any], tape_start_ms: int) -> dict[str, Any]:
        kind = action["type"]
        if kind == "order":
            return {**action, "orders": [self._order(order) for order in action["orders"]]}
        if kind == "modify":
            return {**action, "order": self._order(action["order"])}
        if kind == "batchModify":
            rows = [{**row, "order": self._order(row["order"])} for row in action["modifies"]]
            return {**action, "modifies": rows}
        if kind == "cancelByCloid":
            rows = [{**row, "asset": self.shifts[row["asset"]].market.asset} for row in action["cancels"]]
            return {**action, "cancels": rows}
        if kind == "updateLeverage":
            return {**action, "asset": self.shifts[action["asset"]].market.asset}
        if kind == "scheduleCancel" and "time" in action:
            return {**action, "time": action["time"] - tape_start_ms + self._start_ms}
        return action

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        shift = self.shifts[order["a"]]
        kind = order["t"]
        if "trigger" in kind:
            kind = {"trigger": {**kind["trigger"], "triggerPx": shift.price(kind["trigger"]["triggerPx"])}}
        return {**order, "a": shift.market.asset, "p": shift.price(order["p"]), "t": kind}


def run(path: Path, url: str, speed: float) -> None:
    tape = read_tape(path)
    outcomes = asyncio.run(_play(tape, url, speed, Console()))
    console = Console()
    console.print(
        f"{tape.seconds:.0f} s of trading by {len(tape.users)} accounts, at {speed:g} times its speed:"
    )
    for outcome, count in outcomes.most_common():
        console.print(f"  {count:>7} {outcome}")


async def _play(tape: Tape, url: str, speed: float, console: Console) -> Counter[str]:
    clients = {user: AsyncClient(url, key=fresh_key()) for user in tape.users}
    try:
        with console.status("opening accounts for the traders of the tape"):
            shifts = await _shifts(tape, url)
            await _fund(url, [client.signer for client in clients.values() if client.signer])
        stage = Stage(clients, shifts, time.time_ns() // 1_000_000)
        await _perform(tape, stage, speed, console)
        return stage.outcomes
    finally:
        for client in clients.values():
            await client.close()


async def _perform(tape: Tape, stage: Stage, speed: float, console: Console) -> None:
    began = time.monotonic()
    actions = [step for step in tape.steps if step.action]
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("playing", total=len(actions))
        async with asyncio.TaskGroup() as group:
            for step in actions:
                await asyncio.sleep(began + step.at_ms / 1000 / speed - time.monotonic())
                group.create_task(stage.act(step, tape.head.start_ms))
                progress.advance(task)


async def _shifts(tape: Tape, url: str) -> dict[int, Shift]:
    """Mappings by market index. Raises InvalidInput if the node lacks a market or the tape a price."""
    first: dict[str, str] = {}
    for step in tape.steps:
        first = step.prices | first
    async with AsyncClient(url) as client:
        markets, contexts = await client.markets(), await client.contexts()
    found = {}
    for index, market in enumerate(tape.head.markets):
        if market.name not in markets or market.name not in first:
            raise InvalidInput("the node has no such market", market=market.name)
        ratio = Decimal(contexts[market.name]["oraclePx"]) / Decimal(first[market.name])
        found[index] = Shift(markets[market.name], ratio)
    return found


async def _fund(url: str, signers: list[Signer]) -> None:
    givers = [AsyncClient(url, key=key) for key in dev_keys()]
    try:
        for place, signer in enumerate(signers):
            await givers[place % len(givers)].send("0x" + signer.address.hex(), FUNDS)
    finally:
        for giver in givers:
            await giver.close()
