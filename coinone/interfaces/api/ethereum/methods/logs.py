"""JSON-RPC methods of logs and filters.

A range is searched through the headers' bloom filters, and only blocks that may match are read. The search runs in a
thread, in short parts (chain/parts.py), bounded by blocks, results and time.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.admission.weights import (
    RECORDS_BYTES_PER_WEIGHT,
    STORED_BYTES_PER_WEIGHT,
    TRANSACTIONS_PER_WEIGHT,
)
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.filters import Filter
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader, hex_bytes, log_json
from coinone.interfaces.api.ethereum.json.errors import LIMIT_EXCEEDED, SERVER_ERROR, RpcError, invalid_params
from coinone.interfaces.api.ethereum.json.log_filter import LogFilter, log_filter
from coinone.interfaces.api.ethereum.json.params import boolean
from coinone.interfaces.api.ethereum.json.transactions import pending_transaction_json
from coinone.interfaces.api.limits import (
    LOG_RANGE_MAX,
    LOG_RESULTS_MAX,
    PENDING_BLOCKS_BYTES_MAX,
    PENDING_BYTES_MAX,
)
from coinone.node.views.archive import EthereumPlace, own
from coinone.rules.ledger.receipts import bloom
from coinone.rules.ledger.records import StoredRecord
from coinone.rules.state.steps import Steps, at_once, each
from coinone.rules.vm import Log

Json = dict[str, Any]
_LOGS_PER_STEP = 64  # 1 ms
_LOOKS_PER_WEIGHT = 20_000  # addresses and topics searched in blocks' blooms: 3 ms


async def get_logs(context: Context, wanted: Any = None) -> list[Json]:
    """eth_getLogs; without an object, all logs of the newest block, as in geth."""
    wanted = {} if wanted is None else wanted
    return await find_logs(context, log_filter(wanted))


async def find_logs(context: Context, wanted: LogFilter) -> list[Json]:
    """The logs that match, in chain order. Raises RpcError if the range is too wide."""
    reads = context.backend.reads
    first, last = _range(reads, wanted)
    if last - first >= LOG_RANGE_MAX:
        raise RpcError(LIMIT_EXCEEDED, f"query exceeds the range of {LOG_RANGE_MAX} blocks")
    return await _walked(context, wanted, first, last)


async def _walked(context: Context, wanted: LogFilter, first: int, last: int) -> list[Json]:
    walk = _Walk(context.backend.reads, wanted, (first, 0))
    await _go(context, walk, last)
    return walk.found


async def _go(context: Context, walk: "_Walk", last: int) -> None:
    """Run the search in a thread; checks and decoded bytes are paid for, whether or not anything is found."""
    try:
        await context.in_parts(walk.steps(last))
    finally:
        context.purse.spend(walk.looks // _LOOKS_PER_WEIGHT + walk.bytes // RECORDS_BYTES_PER_WEIGHT)


def _range(reads: ChainReads, wanted: LogFilter) -> tuple[int, int]:
    if wanted.block_hash is not None:
        number = reads.archive.number_of(wanted.block_hash)
        if number is None:
            raise RpcError(SERVER_ERROR, "unknown block")
        return number, number
    head = reads.head_number()
    first, last = reads.number(wanted.start), reads.number(wanted.end)
    if first is None or last is None:
        raise RpcError(SERVER_ERROR, "unknown block")
    if wanted.end.number is not None and last > head:
        raise invalid_params("block range extends beyond current head block")
    if first > last:
        raise invalid_params("invalid block range params")
    return first, last


@dataclass(slots=True)
class _Walk:
    """A search from block to block, with its results so far. In one thread at a time."""

    reads: ChainReads
    wanted: LogFilter
    at: tuple[int, int]  # the next block, and its next log
    found: list[Json] = field(default_factory=list)
    before: int = 0  # number of logs found in earlier blocks
    looks: int = 0
    bytes: int = 0

    def steps(self, last: int) -> Steps[None]:
        """Search up to block `last`. Raises RpcError if too many logs match."""
        masks = _masks(self.wanted)
        for header in self.reads.archive.headers(self.at[0], last):
            self.looks += 1 + sum(map(len, masks))
            self.before = len(self.found)
            if _may_contain(header.bloom, masks):
                yield from self._read(header, self.at[1])
            self.at = (header.number + 1, 0)
            yield

    def _read(self, header: AnyHeader, begin: int) -> Steps[None]:
        """Search a block, which may have tens of thousands of logs, from log `begin`."""
        self.bytes += self.reads.archive.records_size(header.number)
        place = 0
        for index, record in enumerate(self.reads.archive.stored(header.number)):
            tx_hash = record.hash
            for log in record.logs():
                if place >= begin:
                    if self.wanted.matches(log.address, log.topics):
                        self._add(log_json(log, header, tx_hash, index, place))
                    self.at = (header.number, place + 1)
                place += 1
                if place % _LOGS_PER_STEP == 0:
                    yield
            yield

    def _add(self, log: Json) -> None:
        if len(self.found) >= LOG_RESULTS_MAX:
            raise RpcError(LIMIT_EXCEEDED, f"query returned more than {LOG_RESULTS_MAX} results")
        self.found.append(log)

    def go_back_to_whole_blocks(self) -> None:
        """Drop the results of the last, incomplete block, unless nothing would remain."""
        if self.before:
            del self.found[self.before :]
            self.at = (self.at[0], 0)


def _masks(wanted: LogFilter) -> list[list[int]]:
    """For each criterion, the bloom bits of its alternatives."""
    groups = [[_bits(address) for address in wanted.addresses]]
    groups += [[_bits(topic) for topic in topics] for topics in wanted.topics]
    return [group for group in groups if group]


def _bits(entry: bytes) -> int:
    """The bloom bits of an entry. A bloom treats addresses and topics alike, so any entry may be passed as an
    address."""
    return int.from_bytes(bloom([Log(entry, (), b"")]), "big")


def _may_contain(header_bloom: bytes, masks: list[list[int]]) -> bool:
    bits = int.from_bytes(header_bloom, "big")
    return all(any(bits & mask == mask for mask in group) for group in masks)


# Filters


async def new_filter(context: Context, wanted: Any = None) -> str:
    filters, head = context.backend.filters, context.backend.reads.head_number()
    return filters.add(new_logs_filter(wanted), head + 1, context.sender.share)


def new_logs_filter(wanted: Any) -> LogFilter:
    """A filter of future logs; without an object, of all. Raises RpcError if its bounds exclude every block."""
    made = log_filter({} if wanted is None else wanted)
    first, last = made.start.number, made.end.number
    if first is not None and last is not None and first > last:
        raise invalid_params("invalid block range params")
    return made


async def new_block_filter(context: Context) -> str:
    filters, head = context.backend.filters, context.backend.reads.head_number()
    return filters.add(None, head + 1, context.sender.share)


async def new_pending_filter(context: Context, full: Any = None) -> str:
    return context.backend.filters.add_pending(boolean(full), context.sender.share)


async def uninstall_filter(context: Context, filter_id: Any) -> bool:
    return context.backend.filters.remove(filter_id)


async def get_filter_changes(context: Context, filter_id: Any) -> list[Any]:
    """The changes since the last poll."""
    found = context.backend.filters.poll(filter_id)
    if found.waiting is not None:
        told = list(found.waiting)
        found.waiting.clear()
        return (
            await _whole(context, found.waiting, told) if found.full else [hex_bytes(each) for each in told]
        )
    async with found.polling:
        return await _news(context, found)


async def _news(context: Context, asked: Filter) -> list[Any]:
    """New blocks or logs. If a poll is refused or its sender leaves, the next poll returns them."""
    last = min(context.backend.reads.head_number(), asked.next_block + LOG_RANGE_MAX - 1)
    if last < asked.next_block:
        return []
    told: list[Any] = []
    following = (last + 1, 0)
    if asked.wanted is None:
        told = await _hashes(context, asked.next_block, last)
    elif asked.wanted.block_hash is None:  # not a block from before the filter
        told, following = await _new_logs(context, asked, asked.wanted, last)
    asked.next_block, asked.next_log = following
    return told


async def _new_logs(
    context: Context, asked: Filter, wanted: LogFilter, last: int
) -> tuple[list[Json], tuple[int, int]]:
    """The logs that a filter has not returned yet, and where the next poll begins.

    A poller cannot control how many logs others wrote meanwhile. Refusing too many would refuse them forever, and
    skipping them would lose some. So a poll that meets the limit of results, or of time, returns the logs of the
    complete blocks before it, and the next one continues there. Of a single block that exceeds the limit it returns a
    part, and the next one continues within it: no answer exceeds the limits, each poll advances, and every log is
    returned once.
    """
    begin = max((asked.next_block, asked.next_log), (wanted.start.number or 0, 0))
    walk = _Walk(context.backend.reads, wanted, begin)
    try:
        await _go(context, walk, min(last, _or(wanted.end.number, last)))
    except RpcError:
        if walk.at == begin:
            raise
        walk.go_back_to_whole_blocks()
        return walk.found, walk.at
    return walk.found, (last + 1, 0)


async def _hashes(context: Context, first: int, last: int) -> list[str]:
    """The hashes of these blocks."""
    headers = context.backend.reads.archive.headers(first, last)
    return await context.in_parts(each(headers, at_once(lambda header: hex_bytes(header.hash))))


def _or(bound: int | None, other: int) -> int:
    return other if bound is None else bound


async def _whole(context: Context, waiting: deque[Hash32], told: list[Hash32]) -> list[Json]:
    """The whole transactions, as they entered the pool. Those that make the answer too long are put back for the
    next poll, as are all if the poll fails; those that left the pool and are in no block are omitted."""
    reads = context.backend.reads
    whole = _Whole(reads)
    done = 0
    try:
        pooled = await reads.query(lambda reader: [reader.pool.get(tx_hash) for tx_hash in told])
        raws = [None if each is None else each.raw for each in pooled]
        _pay_for_pooled(context, raws)
        done = await context.in_parts(whole.steps(told, raws))
    finally:
        waiting.extendleft(reversed(told[done:]))
        context.purse.spend(
            len(whole.found) // TRANSACTIONS_PER_WEIGHT + whole.read // STORED_BYTES_PER_WEIGHT
        )
    return whole.found


def _pay_for_pooled(context: Context, raws: list[bytes | None]) -> None:
    """Charge by bytes, up to the size of one answer. Many polls may run concurrently: a sender that has used up its
    weight meanwhile is refused (LimitExceeded)."""
    context.purse.require()
    size = sum(len(raw) for raw in raws if raw is not None)
    context.purse.spend(min(size, PENDING_BYTES_MAX) // RECORDS_BYTES_PER_WEIGHT)


@dataclass(slots=True)
class _Whole:
    """The transactions collected so far, from the pool or from blocks. In one thread at a time."""

    reads: ChainReads
    found: list[Json] = field(default_factory=list)
    read: int = 0  # bytes of blocks
    number: int = -1  # of the last block read, with its records
    records: list[bytes] = field(default_factory=list)

    def steps(self, told: list[Hash32], raws: list[bytes | None]) -> Steps[int]:
        """Collect transactions; return how many are in the answer. `raws` are those in the pool."""
        size = 0
        for place, (tx_hash, pooled) in enumerate(zip(told, raws, strict=True)):
            raw = self._included(tx_hash) if pooled is None else pooled
            size += len(raw)
            if (size > PENDING_BYTES_MAX or self.read > PENDING_BLOCKS_BYTES_MAX) and self.found:
                return place
            if raw:
                self.found.append(pending_transaction_json(decode_transaction(raw)))
            yield
        return len(told)

    def _included(self, tx_hash: Hash32) -> bytes:
        """The bytes of a transaction that a block includes by now; its logs, which may be tens of thousands, are not
        decoded."""
        archive = self.reads.archive
        place = archive.place_of(tx_hash)
        if not isinstance(place, EthereumPlace):
            return b""
        if place.number != self.number:
            self.read += archive.records_size(place.number)
            self.number, self.records = place.number, archive.encoded_records(place.number)
        return own(StoredRecord, self.records[place.index]).raw


async def get_filter_logs(context: Context, filter_id: Any) -> list[Json]:
    """All logs of a filter's own range. For another kind of filter, geth's "filter not found"."""
    found = context.backend.filters.poll(filter_id)
    if found.wanted is None:
        raise RpcError(SERVER_ERROR, "filter not found")
    return await find_logs(context, found.wanted)
