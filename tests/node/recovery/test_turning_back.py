"""Time turned back on dev, and the process ended in the middle of it: the next start finishes what was begun."""

from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.errors import NotSupported
from coinone.node.executor.core import Core
from coinone.node.recovery.rebuild import rebuild
from coinone.node.recovery.startup import identity_of, load_chain, open_chain
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage import storage as module
from coinone.node.storage.storage import Storage, open_storage
from coinone.rules.state.database import Table
from tests.node.leading import leader_of
from tests.rules.chain.chain_world import KEYS, NETWORK, SECRETS, START_MS, order

MAP = 2**27


class Ended(BaseException):
    """As a kill would end it."""


class After:
    """Calls `what` so many times, and ends then."""

    def __init__(self, what: Any, times: int) -> None:
        self._what, self._left = what, times

    def __call__(self, *arguments: Any) -> Any:
        if self._left == 0:
            raise Ended
        self._left -= 1
        return self._what(*arguments)


def opened(folder: Path) -> Core:
    storage = open_storage(folder, identity_of(NETWORK), MAP)
    return Core(open_chain(NETWORK, storage, SECRETS, START_MS), storage, SECRETS, lambda published: None)


def live(core: Core, blocks: int) -> None:
    """Blocks of two batches with an order each, and two batches more."""
    leader = leader_of(core)
    for number in range(2 * blocks + 2):
        now = core.chain.cursor.time_ms + 250
        raw = order(KEYS[1], now, 0, True, "97000", "0.01")
        core.add_action(raw, core.chain.verify(raw), lambda outcome: None)
        core.close_batch(now)
        if number % 2 and number < 2 * blocks:
            leader.finish_block()


def turned_back(core: Core, number: int) -> None:
    core.storage.turn_back(number)
    core.rewind(load_chain(NETWORK, core.storage))


def end(storage: Storage) -> None:
    storage.log.close()
    storage.store.close()
    assert storage._lock is not None
    storage._lock.release()


@pytest.mark.parametrize("writes", range(6))
def test_whoever_ends_it_anywhere_finds_all_after_the_block_gone(
    writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: five blocks of two batches, and back to the second. Written are the intention, blocks 5, 4 and 3 taken
    back, and that batches 5 to 12 are void: five writes, of which 0 to 4 are done, or all with nothing after them.
    Where not even the intention was, all is as before; else block 2 with batch 4 is the head, and others follow."""
    core = opened(tmp_path)
    live(core, 5)
    storage = core.storage
    monkeypatch.setattr(storage.store, "write", After(storage.store.write, writes))
    try:
        turned_back(core, 2)
        assert writes >= 5
    except Ended:
        assert writes < 5
    monkeypatch.undo()
    end(storage)
    again = opened(tmp_path)
    stands = again.chain.head.number, again.chain.cursor.seq
    assert stands == ((5, 12) if writes == 0 else (2, 4))
    live(again, 1)
    end(again.storage)
    last = opened(tmp_path)
    assert last.chain.cursor.seq == stands[1] + 4 and last.chain.head.number == stands[0] + 1
    assert verify_chain(NETWORK, last.storage) == last.chain.head
    last.storage.close()


def test_a_folder_that_is_built_again_in_the_middle_of_it_finishes_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five blocks, back to the second, and ended when block 5 had been taken back."""
    core = opened(tmp_path)
    live(core, 5)
    storage = core.storage
    monkeypatch.setattr(storage.store, "write", After(storage.store.write, 2))
    with pytest.raises(Ended):
        turned_back(core, 2)
    monkeypatch.undo()
    storage.store.write({Table.META: {b"format": b"0.beef"}})
    end(storage)
    assert rebuild(NETWORK, tmp_path, MAP) == 4
    again = opened(tmp_path)
    assert (again.chain.head.number, again.chain.cursor.seq) == (2, 4)
    live(again, 1)
    again.storage.close()


def test_a_snapshot_that_undo_records_do_not_reach_is_refused_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three records lead from block 5 to block 2 and no further."""
    monkeypatch.setattr(module, "UNDO_BLOCKS_MAX", 3)
    core = opened(tmp_path)
    live(core, 5)
    with pytest.raises(NotSupported, match="block 1 is too far back"):
        turned_back(core, 1)
    assert core.storage.blocks.head() is not None and core.chain.head.number == 5
    live(core, 1)
    turned_back(core, 3)
    assert core.chain.head.number == 3
    core.storage.close()
