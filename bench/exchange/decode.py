"""Rate of decoding order actions from their bytes: `python -m bench.exchange.decode`.

Orders per second (CPU time, medians of interleaved runs) of the full decoder and of the fast one, both up to rows of
the order array.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from coinone.rules.exchange.actions.decode import decode_l1
from coinone.rules.exchange.wire import pack, unpack
from coinone.rules.exchange.wire.fast_decode import decode_operations

ROUNDS, CALLS = 9, 200


def action(orders: int) -> bytes:
    order = {"a": 1, "b": True, "p": "50000.5", "s": "0.125", "r": False, "t": {"limit": {"tif": "Alo"}}}
    return pack({"type": "order", "orders": [order] * orders, "grouping": "na"})


def decode_fully(data: bytes) -> object:
    return decode_l1(unpack(data)).says


def seconds(decode: Callable[[bytes], object], data: bytes) -> float:
    start = time.process_time()
    for _ in range(CALLS):
        decode(data)
    return (time.process_time() - start) / CALLS


def main() -> None:
    decoders: dict[str, Callable[[bytes], object]] = {
        "full decoder": decode_fully,
        "fast decoder": decode_operations,
    }
    for orders in (1, 40):
        data = action(orders)
        taken: dict[str, list[float]] = {name: [] for name in decoders}
        for _ in range(ROUNDS):
            for name, decode in decoders.items():
                taken[name].append(seconds(decode, data))
        first = median(taken["full decoder"])
        for name, times in taken.items():
            middle = median(times)
            print(f"{orders:3} orders  {name:20}{orders / middle:14,.0f}/s{first / middle:8.1f}x")


if __name__ == "__main__":
    main()
