"""While a block is being written, batches close: shown by what happens in which order, never by time."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.errors import StorageError
from coinone.node.executor.core import Core
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.recovery.startup import identity_of, load_chain, open_chain
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage import lmdb_store
from coinone.node.storage.storage import Storage, open_storage
from tests.node.leading import leader_of
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    SECRETS,
    START_MS,
    TOKEN,
    account,
    erc20_transfer,
    transfer,
)

MAP = 2**28
QUICK = load_network("dev")
QUICK = replace(
    QUICK, batches=replace(QUICK.batches, interval_ms=10), blocks=replace(QUICK.blocks, interval_ms=40)
)


class Gate:
    """Stands in the middle of an LMDB write: rows are put, the transaction is open, and it goes no further."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        put_rows = lmdb_store._put_rows

        def halting(*arguments):
            put_rows(*arguments)
            self.entered.set()
            assert self.opened.wait(60), "nobody opened the gate"

        monkeypatch.setattr(lmdb_store, "_put_rows", halting)


def opened(folder: Path) -> tuple[Core, Storage]:
    storage = open_storage(folder, identity_of(NETWORK), MAP)
    chain = open_chain(NETWORK, storage, SECRETS, START_MS)
    return Core(chain, storage, SECRETS, lambda published: None), storage


def close_batches(core: Core, count: int) -> None:
    """Batches with a token transfer in each one that runs contracts."""
    for _ in range(count):
        nonce = core.chain.state.nonce(account(0))
        if core.chain.network.batches.is_evm(core.chain.cursor.seq + 1):
            raw = transfer(KEYS[0], nonce, TOKEN, 0, erc20_transfer(account(nonce % 9 + 1), 5))
            core.add_ethereum(raw, decode_transaction(raw))
        core.close_batch(core.chain.cursor.time_ms + 250)


def test_batches_close_while_a_block_is_in_the_middle_of_its_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, storage = opened(tmp_path)
    with ThreadPoolExecutor(1) as thread:
        leader = leader_of(core, thread.submit)
        close_batches(core, 8)
        gate = Gate(monkeypatch)
        leader.begin_block()
        assert leader.blocks.advance(lambda: True) is None and leader.blocks.is_writing
        assert gate.entered.wait(60)
        close_batches(core, 8)
        assert leader.blocks.advance(lambda: True) is None, "the block is not on disk yet"
        assert core.chain.cursor.seq == 16 and core.chain.head.number == storage.blocks.head().number == 0
        assert core.chain.state.nonce(account(0)) == 4
        assert [seq for seq, _ in storage.pending_batches()] == list(range(1, 17))
        gate.opened.set()
        block = leader.finish_block().block
    assert (block.number, block.header.batch_seq) == (1, 8) and core.chain.head == block.header
    assert len(core.chain.applied) == 8 and [seq for seq, _ in storage.pending_batches()] == list(
        range(9, 17)
    )
    leader_of(core).finish_block()
    last = core.chain.head
    storage.close()
    storage = open_storage(tmp_path, identity_of(NETWORK), MAP)
    assert load_chain(NETWORK, storage).head == last == verify_chain(NETWORK, storage)
    storage.close()


def test_a_block_whose_write_fails_is_no_block_and_its_batches_wait_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, storage = opened(tmp_path)
    close_batches(core, 4)

    def full(*arguments):
        raise StorageError("no space left on device")

    monkeypatch.setattr(storage.store, "write", full)
    with ThreadPoolExecutor(1) as thread:
        leader = leader_of(core, thread.submit)
        with pytest.raises(StorageError, match="no space left"):
            leader.finish_block()
    assert core.chain.head.number == 0 and len(core.chain.applied) == 4
    storage.close()
    again, storage = opened(tmp_path)
    assert again.chain.cursor == core.chain.cursor and again.chain.head.number == 0
    storage.close()


def test_a_node_closes_batches_and_answers_queries_while_its_block_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(QUICK, tmp_path, map_size_bytes=MAP)
    gate = Gate(monkeypatch)
    node.start()
    assert gate.entered.wait(60)

    async def watch() -> tuple[int, int]:
        stream = node.subscribe()
        seqs = [(await stream.get()).seq for _ in range(20)]
        return seqs[-1] - seqs[0], await node.query(lambda reader: reader.head.number)

    batches, head = asyncio.run(watch())
    assert (batches, head) == (19, 0), "the gate let a block through, or held a batch up"
    gate.opened.set()

    async def next_block() -> int:
        async for published in node.subscribe():
            for new in published.blocks:
                return new.block.number
        raise AssertionError("the node stopped")

    assert asyncio.run(next_block()) >= 1 and node.halted is None
    node.stop()


def test_a_node_that_stops_in_the_middle_of_a_write_finishes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(QUICK, tmp_path, map_size_bytes=MAP)
    gate = Gate(monkeypatch)
    node.start()
    assert gate.entered.wait(60)
    threading.Timer(0.05, gate.opened.set).start()
    node.stop()
    storage = open_storage(tmp_path, identity_of(QUICK), MAP)
    assert storage.blocks.head().number >= 1
    assert verify_chain(QUICK, storage).number == storage.blocks.head().number
    storage.close()
