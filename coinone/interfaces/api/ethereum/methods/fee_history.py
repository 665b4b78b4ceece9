"""eth_feeHistory: base fees, gas used and tips of the newest blocks."""

from dataclasses import dataclass, field
from typing import Any

from coinone.interfaces.api.admission.weights import STORED_BYTES_PER_WEIGHT, TRANSACTIONS_PER_WEIGHT
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blobs import blob_gas_ratio, blob_price
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.interfaces.api.ethereum.json.errors import invalid_params
from coinone.interfaces.api.ethereum.json.params import required_block, small_integer
from coinone.interfaces.api.ethereum.methods.blocks import blob_base_fee
from coinone.interfaces.api.limits import FEE_HISTORY_MAX
from coinone.node.views.archive import BlockArchive
from coinone.rules.state.steps import Steps

Json = dict[str, Any]
Tip = tuple[int, int]  # of a transaction, and its gas used
_PERCENTILES_MAX = 100
_HEADERS_PER_WEIGHT = 32
_TRANSACTIONS_PER_STEP = 64  # 2 ms


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
    """Headers, and the tips of their transactions, read in short parts and paid for by their number, whether or not
    all are read."""
    reads = context.backend.reads
    fees = _Fees(reads.archive, percentiles)
    try:
        await context.in_parts(fees.steps(first, last))
    finally:
        context.purse.spend(fees.weight)
    return fees.headers, fees.rewards


@dataclass(slots=True)
class _Fees:
    """The fees of a range of blocks read so far. In one thread at a time."""

    archive: BlockArchive[object, AnyHeader]
    percentiles: list[float]
    headers: list[AnyHeader] = field(default_factory=list)
    rewards: list[list[str]] = field(default_factory=list)
    transactions: int = 0
    bytes: int = 0

    @property
    def weight(self) -> int:
        return (
            len(self.headers) // _HEADERS_PER_WEIGHT
            + self.transactions // TRANSACTIONS_PER_WEIGHT
            + self.bytes // STORED_BYTES_PER_WEIGHT
        )

    def steps(self, first: int, last: int) -> Steps[None]:
        for header in self.archive.headers(first, last):
            self.headers.append(header)
            if self.percentiles:
                tips = yield from self._tips(header)
                self.rewards.append(_rewards(header.gas_used, tips, self.percentiles))
            yield

    def _tips(self, header: AnyHeader) -> Steps[list[Tip]]:
        """The tips of a block's transactions; their logs, which may be tens of thousands, are not decoded."""
        self.bytes += self.archive.records_size(header.number)
        tips: list[Tip] = []
        for record in self.archive.stored(header.number):
            self.transactions += 1
            if not record.is_system:
                tips.append((max(record.gas_price - header.base_fee, 0), record.gas_used))
            if self.transactions % _TRANSACTIONS_PER_STEP == 0:
                yield
        return sorted(tips)


def _fee_after(context: Context, headers: list[AnyHeader]) -> list[str]:
    """The base fee of the block after the last one."""
    if not headers:
        return []
    following = context.backend.reads.archive.header(headers[-1].number + 1)
    return [hex(context.backend.node.next_base_fee() if following is None else following.base_fee)]


async def _blob_prices(context: Context, headers: list[AnyHeader]) -> list[str]:
    """The blob prices of these blocks, and of the one after the last."""
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


def _rewards(gas_used: int, tips: list[Tip], percentiles: list[float]) -> list[str]:
    """For each of the rising percentiles, the tip of the transaction at which that share of the gas is reached."""
    rewards = []
    place, passed, reward = 0, 0, 0
    for percentile in percentiles:
        threshold = gas_used * percentile / 100
        while place < len(tips) and (place == 0 or passed < threshold):
            reward, gas = tips[place]
            passed, place = passed + gas, place + 1
        rewards.append(hex(reward))
    return rewards
