"""The same batches give the same roots in another process, with another hash seed, time zone and locale."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coinone.base.primitives.errors import StorageError
from coinone.node.dev.tools import Dev
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.recovery.startup import identity_of
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage.storage import open_storage
from coinone.node.storage.tables import NodeTable, u64
from tests.rules.chain.chain_world import (
    KEYS,
    SYSTEM,
    TOKEN,
    account,
    erc20_transfer,
    order,
    spot_send,
    transfer,
)

NETWORK = load_network("dev")


async def trade(node) -> None:
    """Some of everything, over a few blocks."""
    for turn in range(4):
        now = node.view.time_ms
        orders = [
            node.submit(order(key, now + place, 0, place % 2 == 0, str(96_900 + 50 * place), "0.01"))
            for place, key in enumerate(KEYS[:5])
        ]
        await asyncio.gather(*orders)
        await node.submit(spot_send(KEYS[5], now, SYSTEM, "12.5"))
        await node.submit_ethereum(transfer(KEYS[6], turn, account(7), 10**15))
        await node.submit_ethereum(transfer(KEYS[7], turn, TOKEN, 0, erc20_transfer(SYSTEM, 3 * 10**6)))
        await Dev(node).mine()


@pytest.fixture
def traded(tmp_path):
    node = Node(NETWORK, tmp_path, map_size_bytes=2**28)
    node.start()
    asyncio.run(trade(node))
    node.stop()
    return tmp_path, node.view.head


def in_another_process(folder, **variables) -> list[str]:
    script = Path(__file__).with_name("verify_child.py")
    ran = subprocess.run(
        [sys.executable, script, folder],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return ran.stdout.split()


def test_replaying_in_processes_with_other_hash_seeds_gives_equal_roots(traded):
    folder, head = traded
    want = [
        str(head.number),
        str(head.batch_seq),
        head.hash.hex(),
        head.state_root.hex(),
        head.exchange_root.hex(),
    ]
    assert head.number >= 4
    assert in_another_process(folder, PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C") == want
    assert in_another_process(folder, PYTHONHASHSEED="77", TZ="America/Lima", LC_ALL="C.UTF-8") == want


def test_a_block_that_was_changed_on_disk_does_not_verify(traded):
    folder, _head = traded
    storage = open_storage(folder, identity_of(NETWORK), 2**28)
    row = storage.store.get(NodeTable.BATCH, u64(3))
    storage.store.write({NodeTable.BATCH: {u64(3): storage.store.get(NodeTable.BATCH, u64(2))}})
    assert row is not None
    with pytest.raises(StorageError, match="does not verify"):
        verify_chain(NETWORK, storage)
    storage.close()
