"""The state at every block, against copies that were made while it was the newest."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from coinone.base.primitives.errors import LimitExceeded, NotSupported
from coinone.node.limits import UNDO_BLOCKS_MAX
from coinone.node.storage import past, versions
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.past import after_block, before_block, oldest_state
from coinone.node.storage.storage import BlockCommit, Storage, open_storage
from coinone.node.storage.store import MemoryStore
from coinone.node.storage.versions import AtBlock
from coinone.rules.state.database import Changes, Table

MAP = 64 * 1024 * 1024
Copy = dict[Table, dict[bytes, bytes]]
TABLES = (Table.ACCOUNT, Table.STORAGE, Table.TRIE, Table.EXCHANGE, Table.META)
# Of TRIE and META one key may go on where another ends, even as a number would
KEYS: dict[Table, list[bytes]] = {
    Table.ACCOUNT: [bytes([n]) * 20 for n in range(6)],
    Table.STORAGE: [bytes([n // 3]) * 20 + bytes([n]) * 32 for n in range(9)],
    Table.TRIE: [b"a" + b"\0" * n for n in range(12)] + [b"a" + b"\0" * 7 + b"\1"],
    Table.EXCHANGE: [b"m\0\0\0\0", b"m\0\0\0\1", b"g", *(b"o" + bytes([n]) * 16 for n in range(5))],
    Table.META: [b"cursor", b"cursor" + b"\0" * 8, b"bests"],
}


def commit(number: int, changes: Changes) -> BlockCommit:
    return BlockCommit(
        number=number, hash=number.to_bytes(32, "big"), last_seq=number, block=b"block", receipts=b"",
        changes=changes, batches={}, transactions={},
    )  # fmt: skip


def drawn(random: Random) -> Changes:
    return {
        table: {
            key: None if random.random() < 0.3 else random.randbytes(random.randrange(4))
            for key in KEYS[table]
            if random.random() < 0.2
        }
        for table in TABLES
    }


def applied(copy: Copy, changes: Changes) -> Copy:
    made = {table: dict(rows) for table, rows in copy.items()}
    for table, rows in changes.items():
        for key, row in rows.items():
            if row is None:
                made[table].pop(key, None)
            else:
                made[table][key] = row
    return made


def memory(tmp_path: Path) -> Storage:
    return Storage(MemoryStore(), FileDisk(tmp_path / "log"), b"dev", os.urandom, archive=True)


def on_disk(tmp_path: Path) -> Storage:
    return open_storage(tmp_path, b"dev", MAP, archive=True)


@pytest.fixture(params=[memory, on_disk])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    made = request.param(tmp_path)
    yield made
    made.close()


def check(storage: Storage, number: int, copy: Copy) -> None:
    with storage.store.snapshot() as snapshot:
        rows = after_block(snapshot, number)
        for table in TABLES:
            for key in KEYS[table]:
                assert rows.get(table, key) == copy[table].get(key), (number, table, key)
        for table, prefix in ((Table.STORAGE, b"\1" * 20), (Table.EXCHANGE, b"o"), (Table.EXCHANGE, b"m")):
            want = sorted((key, row) for key, row in copy[table].items() if key.startswith(prefix))
            assert list(rows.scan(table, prefix)) == want, (number, table)


def test_every_block_is_found_as_it_was_also_after_blocks_were_taken_back(storage: Storage) -> None:
    random, copies = Random(7), [{table: {} for table in TABLES}]
    storage.commit_block(commit(0, {}))
    for _ in range(60):
        if len(copies) > 2 and random.random() < 0.2:
            storage.undo_block()
            copies.pop()
            continue
        changes = drawn(random)
        storage.commit_block(commit(len(copies), changes))
        copies.append(applied(copies[-1], changes))
    for number, copy in enumerate(copies):
        check(storage, number, copy)
    with storage.store.snapshot() as snapshot:
        assert isinstance(after_block(snapshot, 1), AtBlock) and oldest_state(snapshot) == 0
        assert before_block(snapshot, 2).get(Table.META, b"bests") == copies[1][Table.META].get(b"bests")


def grow(storage: Storage, first: int, last: int) -> None:
    for number in range(first, last + 1):
        storage.commit_block(commit(number, {Table.ACCOUNT: {b"\1" * 20: b"%d" % number}}))


def row_at(storage: Storage, number: int) -> bytes | None:
    with storage.store.snapshot() as snapshot:
        return after_block(snapshot, number).get(Table.ACCOUNT, b"\1" * 20)


def test_an_archive_reaches_beyond_the_undo_records_back_to_where_it_began(tmp_path: Path) -> None:
    plain = open_storage(tmp_path, b"dev", MAP)
    grow(plain, 0, 5)
    plain.close()
    archive = open_storage(tmp_path, b"dev", MAP, archive=True)
    last = 6 + UNDO_BLOCKS_MAX
    grow(archive, 6, last)
    assert row_at(archive, 5) == b"5" and row_at(archive, 6) == b"6"
    with archive.store.snapshot() as snapshot:
        assert oldest_state(snapshot) == 5
    with pytest.raises(NotSupported, match="missing trie node: the state of block 4 is not kept any more"):
        row_at(archive, 4)
    archive.close()


def test_a_gap_ends_what_an_archive_had(tmp_path: Path) -> None:
    """Blocks that a plain node writes leave no versions, so what was kept before them would be told wrongly."""
    archive = open_storage(tmp_path, b"dev", MAP, archive=True)
    grow(archive, 0, 3)
    archive.close()
    plain = open_storage(tmp_path, b"dev", MAP)
    grow(plain, 4, 5)
    assert versions.since(plain.store) is None and row_at(plain, 2) == b"2"  # by undo records
    plain.close()
    again = open_storage(tmp_path, b"dev", MAP, archive=True)
    grow(again, 6, 7 + UNDO_BLOCKS_MAX)
    assert versions.since(again.store) == 5 and row_at(again, 5) == b"5"
    with pytest.raises(NotSupported):
        row_at(again, 3)
    again.close()


def test_what_an_archive_kept_goes_with_a_block_that_a_plain_node_takes_back(tmp_path: Path) -> None:
    """By hand: an archive writes blocks 0 to 3, and block 3 finds b"new" under key 2. A plain node writes 4, takes 4
    to 2 back and writes another 2 with b"old". An archive writes another 3, which leaves key 2 alone, and 4: what the
    first block 3 found says nothing about the other block 2."""
    one, two = b"\1" * 20, b"\2" * 20
    archive = open_storage(tmp_path, b"dev", MAP, archive=True)
    archive.commit_block(commit(0, {Table.ACCOUNT: {two: b"new"}}))
    grow(archive, 1, 2)
    archive.commit_block(commit(3, {Table.ACCOUNT: {one: b"3", two: b"lost"}}))
    archive.close()
    plain = open_storage(tmp_path, b"dev", MAP)
    grow(plain, 4, 4)
    for _ in range(3):
        plain.undo_block()
    plain.commit_block(commit(2, {Table.ACCOUNT: {two: b"old"}}))
    plain.close()
    again = open_storage(tmp_path, b"dev", MAP, archive=True)
    grow(again, 3, 3)
    again.commit_block(commit(4, {Table.ACCOUNT: {two: b"newest"}}))
    with again.store.snapshot() as snapshot:
        found = [after_block(snapshot, number).get(Table.ACCOUNT, two) for number in (2, 3, 4)]
    assert found == [b"old", b"old", b"newest"]
    again.close()


def test_a_range_with_too_many_keys_is_refused(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "ARCHIVE_SCAN_ROWS_MAX", 3)
    orders: Changes = {Table.EXCHANGE: {b"o" + bytes([n]) * 16: b"x" for n in range(4)}}
    storage.commit_block(commit(0, {}))
    storage.commit_block(commit(1, orders))
    storage.commit_block(commit(2, {Table.EXCHANGE: dict.fromkeys(orders[Table.EXCHANGE])}))
    with storage.store.snapshot() as snapshot, pytest.raises(LimitExceeded):
        list(after_block(snapshot, 1).scan(Table.EXCHANGE, b"o"))


def test_who_reads_an_account_at_an_older_block_decodes_no_other_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A balance a hundred busy blocks back took 2 s, nearly all of it for leaves of orders."""
    storage = Storage(MemoryStore(), FileDisk(tmp_path / "log"), b"dev", os.urandom)
    address = bytes(20)
    for number in range(4):
        changes: Changes = {Table.ACCOUNT: {address: bytes([number])}, Table.EXCHANGE: {b"o" * 17: bytes(9)}}
        storage.commit_block(commit(number, changes))
    decoded, rows = [], past._ROWS
    monkeypatch.setattr(
        past, "_ROWS", SimpleNamespace(decode=lambda raw: decoded.append(raw) or rows.decode(raw))
    )
    with storage.store.snapshot() as snapshot:
        before = after_block(snapshot, 1)
        assert [before.get(Table.ACCOUNT, address) for _ in range(3)] == [b"\1"] * 3
    assert len(decoded) == 2  # the accounts that blocks 2 and 3 changed, once
    storage.close()
