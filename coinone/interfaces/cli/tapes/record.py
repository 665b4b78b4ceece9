"""`coinone record`: write what happens on a running node to a tape.

It reads batches through the explorer, like anybody could. Agents are resolved to the accounts they trade for. Order
numbers mean nothing elsewhere, so a cancel or modify by number is turned into one by cloid; where the order has
none, it is left out and counted. Cloids are numbered through: as random numbers they would be most of the file.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_decimal
from coinone.interfaces.cli.tapes.tape import TRADING, VERSION, TapeHead, TapeMarket, TapeStep, write_tape
from coinone.interfaces.client import Client, Refused
from coinone.interfaces.client.commands import Market

POLL_S = 0.5  # a block comes every two seconds


@dataclass(slots=True)
class Recorder:
    client: Client
    markets: list[Market]
    accounts: dict[str, str] = field(default_factory=dict)  # signer -> account
    cloids: dict[str, str] = field(default_factory=dict)  # client's cloid -> the tape's
    left_out: int = 0

    def batch(self, seq: int) -> Any:
        """A batch with its transactions, or None if it does not exist yet."""
        try:
            return self.client.explore(f"batch/{seq}")
        except Refused as error:
            if error.code == 404:
                return None
            raise

    def steps(self, batch: Any, start_ms: int) -> Iterator[TapeStep]:
        """The steps of a batch that a tape keeps, in the batch's order."""
        at_ms = batch["blockTime"] - start_ms
        for row in batch["txs"]:
            action = row["action"]
            if action["type"] == "oracle":
                yield TapeStep(at_ms, prices=self._prices(action["prices"]))
            elif action["type"] in TRADING and self._is_on_tape(action):
                account = self._account(row["user"])
                kept = self._portable(action, account)
                if kept is not None:
                    yield TapeStep(at_ms, account, kept)

    def _is_on_tape(self, action: Any) -> bool:
        """Whether an action is about markets of the tape's head only: others were listed while it was recorded."""
        rows = action.get("orders") or action.get("cancels") or action.get("modifies") or [action]
        orders = [row.get("order", row) for row in rows]
        return all(order.get("asset", order.get("a", 0)) < len(self.markets) for order in orders)

    def _prices(self, pairs: list[tuple[int, int]]) -> dict[str, str]:
        known = len(self.markets)
        named = ((self.markets[index], units) for index, units in pairs if index < known)
        return {market.name: format_decimal(units, 6 - market.size_decimals) for market, units in named}

    def _account(self, signer: str) -> str:
        if signer not in self.accounts:
            role = self.client.info("userRole", user=signer)
            owner = role["data"]["user"] if role["role"] == "agent" else signer
            self.accounts[signer] = owner
        return self.accounts[signer]

    def _portable(self, action: Any, account: str) -> Any:
        """The action without order ids, or None if nothing of it is left."""
        if action["type"] == "order":
            return {**action, "orders": [self._renamed(order) for order in action["orders"]]}
        if action["type"] == "cancelByCloid":
            rows = [{**row, "cloid": self._number(row["cloid"])} for row in action["cancels"]]
            return {**action, "cancels": rows}
        if action["type"] == "cancel":
            named = [(row["a"], self._cloid(account, row["o"])) for row in action["cancels"]]
            kept = [{"asset": asset, "cloid": cloid} for asset, cloid in named if cloid]
            return {"type": "cancelByCloid", "cancels": kept} if kept else None
        if action["type"] == "modify":
            cloid = self._cloid(account, action["oid"])
            return {**action, "oid": cloid, "order": self._renamed(action["order"])} if cloid else None
        if action["type"] == "batchModify":
            found = [(self._cloid(account, row["oid"]), row["order"]) for row in action["modifies"]]
            kept = [{"oid": cloid, "order": self._renamed(order)} for cloid, order in found if cloid]
            return {"type": "batchModify", "modifies": kept} if kept else None
        return action

    def _cloid(self, account: str, name: int | str) -> str | None:
        """The tape's cloid of an order, or None if the order has none."""
        if isinstance(name, str):
            return self._number(name)
        found = self.client.info("orderStatus", user=account, oid=name)
        cloid = found["order"]["order"].get("cloid") if found["status"] == "order" else None
        self.left_out += cloid is None
        return None if cloid is None else self._number(cloid)

    def _renamed(self, order: dict[str, Any]) -> dict[str, Any]:
        return {**order, "c": self._number(order["c"])} if "c" in order else order

    def _number(self, cloid: str) -> str:
        return self.cloids.setdefault(cloid, f"0x{len(self.cloids) + 1:032x}")


def run(path: Path, url: str, seconds: float, first: int | None) -> None:
    """Record `seconds` of trading from batch `first`, or from the next batch."""
    if path.exists():
        raise InvalidInput(f"{path} already exists; nothing was overwritten")
    console = Console()
    with Client(url) as client:
        recorder = Recorder(client, list(client.markets().values()))
        begin = _newest(client) if first is None else first
        head = _head(recorder, begin)
        steps = list(_record(recorder, head, begin, seconds, console))
    write_tape(path, head, steps)
    size = path.stat().st_size
    console.print(f"{path}: {len(steps)} steps, {size / 1000:.0f} kB")
    if recorder.left_out:
        console.print(f"{recorder.left_out} cancels and modifies of orders without a cloid were left out")


def _record(
    recorder: Recorder, head: TapeHead, seq: int, seconds: float, console: Console
) -> Iterator[TapeStep]:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("recording", total=seconds)
        at_s = 0.0
        while at_s < seconds:
            batch = recorder.batch(seq)
            if batch is None:
                time.sleep(POLL_S)
                continue
            yield from recorder.steps(batch, head.start_ms)
            at_s = (batch["blockTime"] - head.start_ms) / 1000
            progress.update(task, completed=at_s)
            seq += 1


def _newest(client: Client) -> int:
    """The newest batch that is in a block."""
    newest: int = client.explore("blocks")["blocks"][0]["lastBatch"]
    if newest == 0:
        raise Refused("no batch is in a block yet; try again shortly")
    return newest


def _head(recorder: Recorder, seq: int) -> TapeHead:
    batch = recorder.batch(seq)
    if batch is None:
        raise InvalidInput("no such batch on this node", have=seq)
    chain_id = int(recorder.client.rpc("eth_chainId"), 16)
    markets = tuple(TapeMarket(m.name, m.size_decimals, m.max_leverage) for m in recorder.markets)
    return TapeHead(VERSION, chain_id, batch["blockTime"], markets)
