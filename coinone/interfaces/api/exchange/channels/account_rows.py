"""What a new listener to an account's history gets first: its newest rows, marked as a snapshot.

They are those of batches up to the newest one that the streams know: what comes after it is told by the stream. The
store may hold more by then, and have more added while it is read.
"""

from coinone.interfaces.api.exchange.channels.account_events import JOINED, message
from coinone.interfaces.api.exchange.info.history import orders_so_far
from coinone.interfaces.api.exchange.info.sources import Json, Request, Sources
from coinone.interfaces.api.limits import INFO_ROWS_MAX
from coinone.interfaces.api.sockets.hub import Key, Snapshot

ROW_CHANNELS = {
    "userFills": "fills",
    "userFundings": "fundings",
    "userNonFundingLedgerUpdates": "nonFundingLedgerUpdates",
    "userHistoricalOrders": "orderHistory",
}


async def first_rows(sources: Sources, key: Key) -> Snapshot:
    """Of one of these channels."""
    channel, user = key[0], "0x" + key[1]
    if channel == "userHistoricalOrders":
        rows, seq = await orders_so_far(sources, {"user": user})
    else:
        seq = sources.data.seq
        request = {"user": user, "endTime": sources.data.time_ms, "aggregateByTime": JOINED in key}
        rows = await sources.in_thread(lambda: _rows(sources, channel, request, seq))
    data = {"isSnapshot": True, "user": user, ROW_CHANNELS[channel]: rows}
    return Snapshot([message(channel, data)], seq)


def _rows(sources: Sources, channel: str, request: Request, seq: int) -> list[Json]:
    histories = sources.histories
    if channel == "userFills":
        return histories.fills(request, request["endTime"])
    if channel == "userFundings":
        return [_flat_funding(row) for row in histories.fundings(request, seq)[-INFO_ROWS_MAX:]]
    return histories.ledger(request)[-INFO_ROWS_MAX:]


def _flat_funding(row: Json) -> Json:
    delta = row["delta"]
    return {
        "time": row["time"],
        **{name: delta[name] for name in ("coin", "usdc", "szi", "fundingRate")},
    }
