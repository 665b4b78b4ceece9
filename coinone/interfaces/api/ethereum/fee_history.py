"""eth_feeHistory: what the newest blocks asked for gas, and what was paid."""

import time
from typing import Any

from coinone.interfaces.api.ethereum.blobs import blob_gas_ratio, blob_price
from coinone.interfaces.api.ethereum.block_methods import blob_base_fee
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.errors import LIMIT_EXCEEDED, RpcError, invalid_params
from coinone.interfaces.api.ethereum.format import AnyHeader
from coinone.interfaces.api.ethereum.params import required_block, small_integer
from coinone.interfaces.api.limits import CALL_TIMEOUT_S, FEE_HISTORY_MAX
from coinone.interfaces.api.weights import RECORDS_BYTES_PER_WEIGHT

Json = dict[str, Any]
_PERCENTILES_MAX = 100
_HEADERS_PER_WEIGHT = 32


async def fee_history(context: Context, count: Any, newest: Any, percentiles: Any = None) -> Json:
    """EIP-1559 fee history. Percentiles are of tips, weighted by gas, as in geth."""
    wanted = _percentiles(percentiles)
    last = context.backend.reads.number(required_block(newest))
    head = context.backend.reads.head_number()
    if last is None or last > head:
        raise invalid_params("request beyond head block")
    length = min(small_integer(count, 2**32), FEE_HISTORY_MAX, last + 1)
    headers, rewards = await _fees_of(context, last - length + 1, last, wanted)
    answer: Json = {
        "oldestBlock": hex(last - length + 1 if length else 0),
        "baseFeePerGas": [*[hex(header.base_fee) for header in headers], *_fee_after(context, headers)],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": await _blob_prices(context, headers),
        "blobGasUsedRatio": [blob_gas_ratio(context.backend.node.network, header) for header in headers],
    }
    if wanted:
        answer["reward"] = rewards
    return answer


async def _fees_of(
    context: Context, first: int, last: int, percentiles: list[float]
) -> tuple[list[AnyHeader], list[list[str]]]:
    """Headers, and what their transactions paid, read in a thread within the time of a call and paid for by their
    bytes."""
    archive = context.backend.reads.archive

    def read() -> tuple[list[AnyHeader], list[list[str]], int]:
        deadline, size = time.monotonic() + CALL_TIMEOUT_S, 0
        headers, rewards = list(archive.headers(first, last)), []
        for header in headers if percentiles else ():
            if time.monotonic() > deadline:
                raise RpcError(LIMIT_EXCEEDED, "query timeout exceeded: ask for fewer blocks")
            size += archive.records_size(header.number)
            rewards.append(_rewards(context, header, percentiles))
        return headers, rewards, size

    headers, rewards, size = await context.backend.reads.in_thread(read)
    context.purse.spend(len(headers) // _HEADERS_PER_WEIGHT + size // RECORDS_BYTES_PER_WEIGHT)
    return headers, rewards


def _fee_after(context: Context, headers: list[AnyHeader]) -> list[str]:
    """The base fee of the block behind the last one."""
    if not headers:
        return []
    following = context.backend.reads.archive.header(headers[-1].number + 1)
    return [hex(context.backend.node.next_base_fee() if following is None else following.base_fee)]


async def _blob_prices(context: Context, headers: list[AnyHeader]) -> list[str]:
    """Of these blocks, and of the one behind the last."""
    if not headers:
        return []
    following = context.backend.reads.archive.header(headers[-1].number + 1)
    known = headers if following is None else [*headers, following]
    prices = [hex(blob_price(context.backend.node.network, header)) for header in known]
    return prices if following is not None else [*prices, await blob_base_fee(context)]


def _percentiles(value: Any) -> list[float]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _PERCENTILES_MAX:
        raise invalid_params(f"over the query limit {_PERCENTILES_MAX}")
    last = 0.0
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int | float) or not last <= item <= 100:
            raise invalid_params("invalid reward percentile")
        last = item
    return value


def _rewards(context: Context, header: AnyHeader, percentiles: list[float]) -> list[str]:
    rows = [
        row.record for row in context.backend.reads.archive.records(header.number) if not row.record.is_system
    ]
    tips = sorted((max(record.gas_price - header.base_fee, 0), record.gas_used) for record in rows)
    rewards = []
    for percentile in percentiles:
        threshold, passed, reward = header.gas_used * percentile / 100, 0, 0
        for tip, gas in tips:
            passed, reward = passed + gas, tip
            if passed >= threshold:
                break
        rewards.append(hex(reward))
    return rewards
