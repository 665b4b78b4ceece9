"""A reorg by undo: many blocks of contracts and exchange are taken back and leave no trace.

The blocks hold whatever a random crowd does: orders, transfers, contract calls, and the liquidations of a gap.
"""

from typing import Any

import numpy as np

from coinone.node.executor.core import Core
from coinone.node.networks import load_network
from coinone.node.recovery.startup import load_chain
from coinone.node.roles.block_pipeline import BlockPipeline, at_once
from coinone.node.roles.follower import Follower
from coinone.node.storage.storage import LOG_KEY
from coinone.node.storage.tables import NodeTable
from coinone.node.views.archive import Archive
from coinone.rules.chain.apply import apply_batch, undo_batch
from coinone.rules.chain.sealing import seal_block
from coinone.rules.chain.state import ChainState
from coinone.rules.exchange.rows.tables import POSITION, POSITION_INDEXES, Side
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.state.database import Table
from sim.day import Day, poorer
from sim.node import secrets_of
from sim.world import SimClock

NETWORK = poorer(load_network("dev"))
BATCHES = 60
BLOCKS, BLOCK_BATCHES = 12, 8


def crowded(seed: int = 8) -> Day:
    """A market that has traded for a while, one gap away from liquidations."""
    day = Day(seed, NETWORK)
    for _ in range(40):
        day.step()
    day.mine()
    return day


def image(chain: ChainState) -> dict[str, Any]:
    """The bytes of all rows, and the exchange as leaves. Where an order hangs is rebuilt, not journalled (D4):
    links may differ, the queues may not."""
    rows = chain.exchange.rows
    count = rows.account_count
    lasting = sorted(set(POSITION.names or ()) - set(POSITION_INDEXES))
    live = rows.orders["oid"] != 0
    assert (rows.book.links["account"] == np.where(live, rows.orders["account"], -1)).all(), "out of step"
    return {
        "cursor": chain.cursor,
        "layers": chain.state.layers,
        "accounts": rows.accounts[:count].tobytes(),
        "positions": {name: rows.positions[name][:count].tobytes() for name in lasting},
        "orders": {name: rows.orders[name][live].tobytes() for name in rows.orders.dtype.names},
        "markets": rows.markets[: rows.market_count].tobytes(),
        "globals": rows.globals.tobytes(),
        "leaves": dict(all_leaves(chain.exchange)),
        "queues": [
            [int(rows.orders[slot]["oid"]) for slot in rows.book.queue(market, side)]
            for market in range(rows.market_count)
            for side in Side
        ],
    }


def roots(day: Day) -> tuple[bytes, bytes]:
    """What a block of all pending batches would commit to."""
    chain = day.core.chain
    header = seal_block(day.core.storage.store, chain, len(chain.applied), 0).header
    return header.state_root, header.exchange_root


def tables(day: Day) -> dict[Any, dict[bytes, bytes]]:
    """The whole disk but for certified batches and how far their log was synced: the batches of a block taken back wait
    again, they are not gone, and the log is as long as it was."""
    store = day.core.storage.store
    kept = {table: dict(rows) for table, rows in store._tables.items() if table is not NodeTable.BATCH}
    del kept[Table.META][LOG_KEY]
    return {table: rows for table, rows in kept.items() if rows}


def test_undoing_many_batches_restores_every_row_and_root() -> None:
    day = crowded()
    chain = day.core.chain
    before = [(image(chain), roots(day))]
    for turn in range(BATCHES):
        if turn == BATCHES // 2:
            day.jump(-9)
        day.step()
        before.append((image(chain), roots(day)))
    assert day.happened["LiquidationEvent.adl"] and day.happened["contract ran"], day.happened
    assert day.happened["Fill.trade"] > 50 and day.happened["withdrawal ran"]
    made = [undo_and_compare(day, want) for want in reversed(before[:-1])]
    for batch, want in zip(reversed(made), before[1:], strict=True):
        apply_batch(chain, batch)
        have = image(chain)
        assert have["leaves"] == want[0]["leaves"] and have["queues"] == want[0]["queues"]
    assert roots(day) == before[-1][1]


def undo_and_compare(day: Day, want: tuple[dict[str, Any], tuple[bytes, bytes]]) -> Any:
    batch = undo_batch(day.core.chain).batch
    have = image(day.core.chain)
    assert [name for name in have if have[name] != want[0][name]] == []
    assert roots(day) == want[1]
    return batch


def follow(follower: Follower, item: Any) -> None:
    follower.receive(item)
    follower.work(0)


def test_taking_many_blocks_back_restores_the_disk_and_following_them_again_gives_the_same() -> None:
    day = crowded(4)
    storage, before = day.core.storage, []
    first = day.core.chain.head.number
    for block in range(BLOCKS):
        before.append((day.core.chain.head, tables(day)))
        if block == BLOCKS // 2:
            day.jump(9)
        for _ in range(BLOCK_BATCHES):
            day.step()
        day.mine()
    assert day.happened["LiquidationEvent.order"], day.happened
    end, archive = tables(day), Archive(day.core.storage.blocks)
    blocks = [archive.block(number) for number in range(first + 1, first + BLOCKS + 1)]
    batches = {
        seq: archive.batch(seq)
        for block in blocks
        for seq in range(block.first_seq, block.header.batch_seq + 1)
    }
    for header, want in reversed(before):
        assert storage.undo_block().hash == header.hash
        assert tables(day) == want
        assert load_chain(NETWORK, storage).head == header
    storage.void_batches_from(blocks[0].first_seq)
    again = Core(load_chain(NETWORK, storage), storage, secrets_of(0), lambda published: None)
    pipeline = BlockPipeline(again, SimClock(day.world), at_once)
    follower = Follower(again, pipeline)
    for block in blocks:
        for seq in range(block.first_seq, block.header.batch_seq + 1):
            follow(follower, batches[seq])
        follow(follower, block)
        pipeline.finish()
    assert again.chain.head == blocks[-1].header
    assert tables(day) == end
