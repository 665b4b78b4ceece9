"""Rate of reads over HTTP: eth_getBalance, l2Book and others that one core of the node answers in a second.

Closed loop over kept connections. The client runs in a process of its own and takes CPU time too, so the
main figure is requests per second of the node's CPU time; the wall-clock rate on this machine is in the next column.
"""

import argparse
import asyncio
import time

import msgspec

from bench.node._common import cpu_seconds, ms, percentile, print_table
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.http import AsyncHttp
from coinone.interfaces.client.local import LocalNode
from coinone.interfaces.client.signing import Signer

CONNECTIONS = 32
SECONDS = 4

_ADDRESS = "0x" + Signer(dev_keys()[0]).address.hex()
_BALANCE = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [_ADDRESS, "latest"]}
REQUESTS = {
    "eth_getBalance": ("/rpc", msgspec.json.encode(_BALANCE)),
    "eth_getBalance, batch of 100": ("/rpc", msgspec.json.encode([_BALANCE] * 100)),
    "eth_blockNumber": ("/rpc", b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'),
    "l2Book": ("/info", b'{"type":"l2Book","coin":"BTC"}'),
    "clearinghouseState": ("/info", msgspec.json.encode({"type": "clearinghouseState", "user": _ADDRESS})),
}


async def load(
    url: str, path: str, body: bytes, seconds: float, pid: int
) -> tuple[int, float, float, list[float]]:
    """Requests answered, wall seconds, node CPU seconds, latencies in ms."""
    http = AsyncHttp(url, idle_max=CONNECTIONS)
    latencies: list[float] = []
    await http.send(path, body)
    cpu, began = cpu_seconds(pid), time.perf_counter()

    async def worker() -> None:
        while (sent := time.perf_counter()) - began < seconds:
            answer = await http.send(path, body)
            assert answer.status == 200, answer
            latencies.append(1000 * (time.perf_counter() - sent))

    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    wall = time.perf_counter() - began
    await http.close()
    return len(latencies), wall, cpu_seconds(pid) - cpu, latencies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    with LocalNode() as node:
        time.sleep(3)
        for name, (path, body) in REQUESTS.items():
            calls = 100 if "batch" in name else 1
            count, wall, cpu, latencies = asyncio.run(load(node.url, path, body, chosen.seconds, node.pid))
            rows.append(
                [
                    name,
                    f"{calls * count / cpu:.0f}",
                    f"{calls * count / wall:.0f}",
                    ms(percentile(latencies, 0.5)),
                    ms(percentile(latencies, 0.99)),
                ]
            )
    header = ("request", "calls per second of node CPU", "calls/s here", "median ms", "p99 ms")
    print_table(f"Reads over {CONNECTIONS} kept connections, {chosen.seconds:g} s each", header, rows)


if __name__ == "__main__":
    main()
