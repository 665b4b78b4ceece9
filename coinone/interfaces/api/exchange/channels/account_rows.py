"""The first rows of a new subscriber to an account's history: the newest ones, and the batch up to which they reach.

They are those of batches up to the newest one that the streams know: later ones follow on the stream. The store may
already hold more, and receive more while it is read.
"""

from collections.abc import Callable

from coinone.interfaces.api.exchange.channels.channel import JOINED
from coinone.interfaces.api.exchange.info.sources import Json, Request, Sources
from coinone.interfaces.api.exchange.info.stored import orders_so_far
from coinone.interfaces.api.limits import INFO_ROWS_MAX
from coinone.interfaces.api.sockets.hub import Key

Rows = tuple[list[Json], int]


async def fills(sources: Sources, key: Key) -> Rows:
    return await _read(sources, key, lambda asked, seq: sources.histories.fills(asked, asked["endTime"]))


async def fundings(sources: Sources, key: Key) -> Rows:
    def read(asked: Request, seq: int) -> list[Json]:
        rows = sources.histories.fundings(asked, seq)[-INFO_ROWS_MAX:]
        return [_flat_funding(row) for row in rows]

    return await _read(sources, key, read)


async def ledger(sources: Sources, key: Key) -> Rows:
    return await _read(sources, key, lambda asked, seq: sources.histories.ledger(asked)[-INFO_ROWS_MAX:])


async def orders(sources: Sources, key: Key) -> Rows:
    return await orders_so_far(sources, {"user": "0x" + key[1]})


async def _read(sources: Sources, key: Key, read: Callable[[Request, int], list[Json]]) -> Rows:
    """Read rows in a thread."""
    seq = sources.data.seq
    asked = {"user": "0x" + key[1], "endTime": sources.data.time_ms, "aggregateByTime": JOINED in key}
    return await sources.in_thread(lambda: read(asked, seq)), seq


def _flat_funding(row: Json) -> Json:
    delta = row["delta"]
    return {
        "time": row["time"],
        **{name: delta[name] for name in ("coin", "usdc", "szi", "fundingRate")},
    }
