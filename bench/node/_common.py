"""What the node's benchmarks share: funded accounts, percentiles, CPU time, Markdown tables."""

import asyncio
import os
import resource
import secrets
from collections.abc import Sequence
from pathlib import Path

from coinone.interfaces.client import AsyncClient, Signer
from coinone.interfaces.client.dev import dev_keys

BATCH_MS = 250  # the dev network's batch interval
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


async def fund_accounts(url: str, count: int, amount: int) -> list[bytes]:
    """Keys of `count` new accounts, each with `amount` of the quote token on the exchange."""
    keys = [secrets.token_bytes(32) for _ in range(count)]
    givers = [AsyncClient(url, key=key) for key in dev_keys()]
    await asyncio.gather(
        *(
            givers[place % len(givers)].send("0x" + Signer(key).address.hex(), amount)
            for place, key in enumerate(keys)
        )
    )
    for giver in givers:
        await giver.close()
    return keys


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least `part` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(part * 1000) * len(ordered) // 1000) - 1)]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, all threads, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def tree_cpu_seconds(pid: int) -> float:
    """CPU time of a process and of all below it that live."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for listed in children for child in listed.read_text().split()]
    return cpu_seconds(pid) + sum(tree_cpu_seconds(child) for child in below)


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if hard > soft else (soft, hard))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" for _ in header) + " |")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def ms(value: float) -> str:
    return f"{value:.0f}"


def batches(value_ms: float) -> str:
    return f"{value_ms / BATCH_MS:.2f}"
