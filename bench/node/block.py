"""CPU time of a block by stage, from signed token transfers to the committed block.

CPU time of one process, native interpreter, LMDB on disk. Each block holds transfers between random accounts, so
that most of them change slots that lie far apart in the trie. Medians over the blocks.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from bench.node._common import print_table
from bench.node._orders import place_orders
from bench.node._transfers import BusyChain, signed_transfers
from coinone.base.forms.ethereum import decode_transaction
from coinone.interfaces.cli.serving.serve import calm_the_collector
from coinone.node.clock import Clock, SystemClock, for_ms
from coinone.node.executor.core import Core
from coinone.node.limits import SEAL_SLICE_MS
from coinone.node.roles.block_pipeline import Background, BlockPipeline, at_once
from coinone.node.roles.leader import Leader
from coinone.node.views.archive import commit_of
from coinone.node.views.published import NewBlock
from coinone.rules.chain.sealing import commit_block, seal_block
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.placed import place
from coinone.rules.ledger.seal import FederatedSeal
from coinone.rules.state.layers import merge
from coinone.rules.state.seal import seal

TRANSFERS = 1_000
GAP_TRANSFERS = 5_000  # about 40,000 rows
GAP_ORDERS = 40_000
BLOCKS = 5
STAGES = (
    "decode", "recover the sender", "pool", "execute and log", "transactions and receipts",
    "state trie", "rest of sealing", "rows of the commit and LMDB",
)  # fmt: skip


class Timer:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    def run(self, stage: str, work: Callable[[], Any]) -> Any:
        began = time.process_time()
        result = work()
        self.stages[stage] = self.stages.get(stage, 0.0) + time.process_time() - began
        return result


def block_of(core: Core, raws: list[bytes]) -> Timer:
    """Take `raws` into `core` and commit one block of them."""
    timer, chain, storage = Timer(), core.chain, core.storage
    transactions = timer.run("decode", lambda: [decode_transaction(raw) for raw in raws])
    timer.run("recover the sender", lambda: [tx.sender for tx in transactions])

    def into_pool() -> None:
        for raw, tx in zip(raws, transactions, strict=True):
            core.add_ethereum(raw, tx)

    timer.run("pool", into_pool)
    while len(core.ethereum_pool):
        timer.run("execute and log", lambda: core.close_batch(chain.cursor.time_ms + 250))
    records = [record for result in chain.applied for record in result.records]
    assert all(record.succeeded for record in records) and len(records) == len(raws), "transfers failed"
    timer.run("transactions and receipts", lambda: place(records))
    layer = merge([result.layer for result in chain.applied])
    timer.run("state trie", lambda: seal(storage.store, layer))
    whole = Timer()
    sealed = whole.run("seal", lambda: seal_block(storage.store, chain, len(chain.applied), 0))
    parts = timer.stages["transactions and receipts"] + timer.stages["state trie"]
    timer.stages["rest of sealing"] = max(0.0, whole.stages["seal"] - parts)
    block = Block(
        sealed.header, tuple(result.batch.hash for result in sealed.results), FederatedSeal(0, bytes(65))
    )
    batches = dict(storage.log.batches)

    timer.run("rows of the commit and LMDB", lambda: storage.commit_block(commit_of(block, sealed, batches)))
    commit_block(chain, sealed)
    core.note_block(NewBlock(block, sealed.placed.rows))
    return timer


def close_transfers(busy: BusyChain) -> None:
    core, network = busy.core, busy.network
    for raw in signed_transfers(network, 0, GAP_TRANSFERS):
        core.add_ethereum(raw, decode_transaction(raw))
    while len(core.ethereum_pool):
        core.close_batch(core.chain.cursor.time_ms + network.batches.interval_ms)


def close_orders(busy: BusyChain) -> None:
    place_orders(busy, GAP_ORDERS)


def gaps(load: Callable[[BusyChain], None], background: Background) -> tuple[int, int, float, float]:
    """A block of what `load` closes: batches closed while it was made, executor visits it took, the longest visit and
    the longest batch, in ms of this thread's CPU. A visit is what a batch may have to wait for."""
    with tempfile.TemporaryDirectory() as folder:
        busy = BusyChain(Path(folder))
        core = busy.core
        load(busy)
        calm_the_collector()
        clock = SystemClock()
        leader = Leader(core, busy.secrets, clock, BlockPipeline(core, clock, background))
        begun, visits, batches = core.chain.cursor.seq, [], []
        leader.begin_block()
        while core.chain.head.number == 0:
            visits.append(_cpu_ms(lambda: _slice(leader.blocks, clock)))
            if not leader.blocks.is_writing or len(batches) < 100:
                batches.append(_cpu_ms(lambda: core.close_batch(core.chain.cursor.time_ms + 1)))
        busy.close()
    return core.chain.cursor.seq - begun, len(visits), max(visits), max(batches)


def _slice(blocks: BlockPipeline, clock: Clock) -> None:
    blocks.advance(for_ms(clock, SEAL_SLICE_MS))


def _cpu_ms(work: Callable[[], Any]) -> float:
    began = time.thread_time()
    work()
    return 1000 * (time.thread_time() - began)


def main() -> None:
    calm_the_collector()  # as a node does
    stages()
    with ThreadPoolExecutor(1) as thread:
        ways = {
            "on a separate thread, as a node does": thread.submit,
            "in the executor, for comparison": at_once,
        }
        loads = {f"{GAP_TRANSFERS} transfers": close_transfers, f"{GAP_ORDERS} orders": close_orders}
        found = {
            (name, way): gaps(load, background)
            for name, load in loads.items()
            for way, background in ways.items()
        }
    rows = [
        (*names, *map(str, counts), f"{visit:.0f}", f"{batch:.0f}")
        for names, (*counts, visit, batch) in found.items()
    ]
    print_table(
        "A block made while batches close",
        ("block of", "commit", "batches meanwhile", "visits", "longest visit", "longest batch (ms of CPU)"),
        rows,
    )


def stages() -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = BusyChain(Path(folder))
        timers = [
            block_of(chain.core, signed_transfers(chain.network, number, TRANSFERS))
            for number in range(BLOCKS + 1)
        ][1:]
        chain.close()
    costs = {stage: median(timer.stages[stage] for timer in timers) * 1e6 / TRANSFERS for stage in STAGES}
    total = sum(costs.values())
    rows = [(stage, f"{cost:.1f}", f"{100 * cost / total:.0f} %") for stage, cost in costs.items()]
    rows.append(("together", f"{total:.1f}", f"{1e6 / total:,.0f} transfers/s/core"))
    print_table(
        f"Blocks of {TRANSFERS} transfers, {BLOCKS} blocks",
        ("stage", "us of CPU per transfer", "share"),
        rows,
    )


if __name__ == "__main__":
    main()
