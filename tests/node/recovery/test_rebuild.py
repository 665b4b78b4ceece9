"""A folder of another format becomes one of this format, with the same chain and the same history."""

from pathlib import Path
from typing import Any

import pytest

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.errors import StorageError
from coinone.node.executor.core import Core
from coinone.node.recovery.rebuild import FOLDER, rebuild
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.recovery.verify import verify_chain
from coinone.node.roles.reporter import report_prices
from coinone.node.storage.storage import FORMAT, OtherFormat, Storage, open_storage
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.exchange.state import leaf_rows
from coinone.rules.state.database import Table
from tests.node.leading import leader_of
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    SECRETS,
    START_MS,
    TOKEN,
    account,
    erc20_transfer,
    order,
    transfer,
)

MAP = 2**27


def opened(folder: Path) -> tuple[Core, Storage]:
    storage = open_storage(folder, identity_of(NETWORK), MAP)
    return Core(
        open_chain(NETWORK, storage, SECRETS, START_MS), storage, SECRETS, lambda published: None
    ), storage


def live(core: Core, blocks: int) -> None:
    """Blocks of eight batches with trades and token transfers, and one more that is taken back."""
    leader = leader_of(core)
    prices = tuple((market, spec.start_price) for market, spec in enumerate(NETWORK.markets))
    for number in range(8 * blocks + 8):
        now = core.chain.cursor.time_ms + 250
        report_prices(core, now, prices, SECRETS.reporter)
        for sender, is_buy in ((1, True), (2, False)):
            raw = order(KEYS[sender], now, 0, is_buy, "97000", "0.01")
            core.add_action(raw, core.chain.verify(raw), lambda outcome: None)
        raw = transfer(
            KEYS[0], core.chain.state.nonce(account(0)), TOKEN, 0, erc20_transfer(account(3), number + 1)
        )
        if NETWORK.batches.is_evm(core.chain.cursor.seq + 1):
            core.add_ethereum(raw, decode_transaction(raw))
        core.close_batch(now)
        if number % 8 == 7:
            leader.finish_block()
    core.storage.undo_block()


def history(storage: Storage) -> list[Any]:
    kept, found = storage.history, []
    for number in range(4):
        found += [
            kept.fills(account(number)),
            kept.ended_orders(account(number)),
            kept.ledger(account(number)),
        ]
    return [*found, kept.trades(0), kept.candles(0, "1m", START_MS, START_MS + 10**7)]


def tables(storage: Storage) -> dict[Any, dict[bytes, bytes]]:
    return {table: dict(storage.store.scan(table)) for table in (*Table, *NodeTable)}


def made_old(folder: Path) -> None:
    """As another version would have left it: another mark, and tables that this one cannot read."""
    storage = open_storage(folder, identity_of(NETWORK), MAP)
    for table in (NodeTable.TRADE, NodeTable.ORDER, NodeTable.CANDLE, NodeTable.UNDO, Table.TRIE):
        storage.store.write({table: {key: b"of old" for key, _ in storage.store.scan(table)}})
    storage.store.write({Table.META: {b"format": b"0.beef"}})
    storage.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    core, storage = opened(tmp_path)
    live(core, blocks=3)
    storage.close()
    return tmp_path


def test_a_folder_of_another_format_is_built_again_from_its_blocks(folder: Path) -> None:
    core, storage = opened(folder)
    before = tables(storage), history(storage), core.chain.cursor, core.chain.head
    assert before[3].number == 3 and before[2].seq > before[3].batch_seq, "batches wait above the last block"
    storage.close()
    made_old(folder)
    with pytest.raises(OtherFormat, match=r"has format 0\.beef, this version reads 8\."):
        opened(folder)
    seen: list[tuple[int, int]] = []
    assert rebuild(NETWORK, folder, MAP, lambda done, of: seen.append((done, of))) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
    core, storage = opened(folder)
    assert (tables(storage), history(storage), core.chain.cursor, core.chain.head) == before
    assert len(history(storage)[-2]) > 10 and storage.store.get(Table.META, b"format") == FORMAT
    assert verify_chain(NETWORK, storage) == before[3] and not (folder / FOLDER).exists()
    storage.close()


def test_a_rebuild_that_is_cut_short_changes_nothing_and_begins_anew(folder: Path) -> None:
    made_old(folder)
    image = (folder / "state.lmdb").read_bytes()

    class Cut(BaseException):
        """As a signal would end it."""

    def cut(done: int, of: int) -> None:
        if done == 2:
            raise Cut

    with pytest.raises(Cut):
        rebuild(NETWORK, folder, MAP, cut)
    assert (folder / "state.lmdb").read_bytes() == image
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "state.lmdb").write_bytes(b"half of one")  # what a kill would have left
    assert rebuild(NETWORK, folder, MAP) == 3
    opened(folder)[1].close()


def test_blocks_that_cannot_be_executed_again_are_left_alone_and_named(folder: Path) -> None:
    made_old(folder)
    storage_before = (folder / "state.lmdb").read_bytes()
    _spoil(folder, NodeTable.BATCH, u64(9))
    spoiled = (folder / "state.lmdb").read_bytes()
    assert spoiled != storage_before
    with pytest.raises(StorageError, match=r"damaged record on disk.*coinone up --reset"):
        rebuild(NETWORK, folder, MAP)
    assert (folder / "state.lmdb").read_bytes() == spoiled and not (folder / FOLDER).exists()
    with pytest.raises(OtherFormat):
        opened(folder)


def test_blocks_of_a_format_with_other_leaves_are_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions had other columns: what its batches certify is not what ours come to, so no tables come of them."""
    with monkeypatch.context() as older:
        older.setattr(leaf_rows, "POSITION_COLUMNS", tuple(reversed(leaf_rows.POSITION_COLUMNS)))
        core, storage = opened(tmp_path)
        live(core, blocks=2)
        storage.close()
    made_old(tmp_path)
    image = (tmp_path / "state.lmdb").read_bytes()
    with pytest.raises(StorageError, match=r"other results than were certified.*coinone up --reset"):
        rebuild(NETWORK, tmp_path, MAP)
    assert (tmp_path / "state.lmdb").read_bytes() == image
    with pytest.raises(OtherFormat):
        opened(tmp_path)


def _spoil(folder: Path, table: NodeTable, key: bytes) -> None:
    from coinone.node.storage.lmdb_store import LmdbStore

    store = LmdbStore(folder, MAP)
    store.write({table: {key: b"\xc1\x00"}})
    store.close()
