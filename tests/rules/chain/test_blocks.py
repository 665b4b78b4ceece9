"""Blocks: what one node seals, another computes; what is tampered with, it refuses."""

from dataclasses import replace

import pytest
from rlp import encode as reference_encode

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.primitives.errors import InvalidBatch, InvalidBlock
from coinone.base.primitives.records import decode, encode
from coinone.node.views.archive import commit_of
from coinone.rules.chain.certified import ResultsDiffer
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.sealing import apply_block, commit_block, seal_block
from coinone.rules.consensus.federation import pack_signature
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.records import StoredRecord, TransactionRecord, encode_records, split_records
from coinone.rules.ledger.seal import FederatedSeal
from coinone.rules.state.rebuild import rebuilt_state_root
from tests.rules.chain.chain_world import (
    KEYS,
    SECRETS,
    SYSTEM,
    TOKEN,
    World,
    account,
    erc20_transfer,
    order,
    spot_send,
    transfer,
)


def seal(world: World, count: int | None = None) -> Block:
    """A block of the lowest `count` pending batches, committed."""
    store, chain = world.storage.store, world.chain
    sealed = seal_block(store, chain, len(chain.applied) if count is None else count, 0)
    block = sealed_by_member(sealed.header, [result.batch.hash for result in sealed.results])
    world.storage.commit_block(commit_of(block, sealed, {}))
    commit_block(chain, sealed)
    return block


def sealed_by_member(header, hashes, key: bytes = SECRETS.federation) -> Block:
    return Block(header, tuple(hashes), FederatedSeal(0, pack_signature(sign(header.hash, key))))


def busy_world() -> World:
    """A chain with trades, a deposit, a withdrawal and transfers in its batches, none in a block yet."""
    world = World()
    world.batch(order(KEYS[0], world.now_ms, 0, False, "97000", "0.01"))
    world.batch(order(KEYS[1], world.now_ms, 0, True, "97010", "0.02", "Ioc"))
    world.batch(spot_send(KEYS[2], world.now_ms, SYSTEM, "30"))
    deposit = transfer(KEYS[3], 0, TOKEN, 0, erc20_transfer(SYSTEM, 10**7))
    world.evm_batch(deposit, transfer(KEYS[0], 0, account(1), 1))
    world.batch()
    return world


def test_a_second_node_computes_the_same_roots_from_the_same_batches():
    first, second = busy_world(), World()
    block = seal(first)
    sealed = apply_block(second.chain, second.storage.store, block, first.certified)
    assert sealed.header == block.header
    assert len(sealed.placed.rows) == 3


def test_the_state_root_is_the_one_of_a_trie_built_from_nothing():
    world = busy_world()
    block = seal(world)
    assert block.header.state_root == rebuilt_state_root(world.storage.store)


def test_a_block_may_take_the_first_batches_while_later_ones_stay_pending():
    whole, parts = busy_world(), busy_world()
    last = seal(whole)
    first_part = seal(parts, 2)
    assert first_part.header.batch_seq == 2 and len(parts.chain.applied) == len(last.batch_hashes) - 2
    rest = seal(parts)
    assert rest.header.state_root == last.header.state_root
    assert rest.header.exchange_root == last.header.exchange_root


def test_a_block_without_batches_repeats_its_parent_s_roots():
    world = busy_world()
    parent, empty = seal(world), seal(world)
    assert empty.header.number == parent.header.number + 1
    for name in ("state_root", "exchange_root", "batch_seq", "batch_hash"):
        assert getattr(empty.header, name) == getattr(parent.header, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", 1),
        ("base_fee", 1),
        ("number", 9),
        ("parent_hash", bytes(32)),
        ("forced_root", bytes(32)),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused(name, value):
    first, second = busy_world(), World()
    block = seal(first)
    forged = sealed_by_member(replace(block.header, **{name: value}), block.batch_hashes)
    with pytest.raises(InvalidBlock):
        apply_block(second.chain, second.storage.store, forged, first.certified)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("state_root", bytes(32), "0x" + "00" * 32),
        ("exchange_root", bytes(32), "0x" + "00" * 32),
        ("receipts_root", bytes(32), "0x" + "00" * 32),
        ("transactions_root", bytes(32), "0x" + "00" * 32),
        ("gas_used", 1, "1"),
        ("bloom", bytes(256), "0x" + "00" * 256),
        ("prev_randao", bytes(32), "0x" + "00" * 32),
        ("batch_hash", bytes(32), "0x" + "00" * 32),
    ],
)
def test_a_header_sealed_with_other_results_than_ours_is_not_the_senders_fault(name, value, text):
    first, second = busy_world(), World()
    block = seal(first)
    ours = getattr(block.header, name)
    ours = f"0x{ours.hex()}" if isinstance(ours, bytes) else ours
    forged = sealed_by_member(replace(block.header, **{name: value}), block.batch_hashes)
    with pytest.raises(ResultsDiffer) as found:
        apply_block(second.chain, second.storage.store, forged, first.certified)
    assert str(found.value) == f"block 1 was sealed with {name} {text}, here it is {ours}"


def test_a_block_sealed_by_a_stranger_is_refused():
    first, second = busy_world(), World()
    block = seal(first)
    forged = sealed_by_member(block.header, block.batch_hashes, keccak256(b"stranger"))
    with pytest.raises(InvalidBlock, match="sealed"):
        apply_block(second.chain, second.storage.store, forged, first.certified)


def test_a_batch_without_a_quorum_is_refused():
    first, second = busy_world(), World()
    block = seal(first)
    bare = [
        CertifiedBatch(entry.batch, replace(entry.certificate, signatures=())) for entry in first.certified
    ]  # fmt: skip
    with pytest.raises(InvalidBatch, match="no quorum"):
        apply_block(second.chain, second.storage.store, block, bare)


def test_a_certificate_of_another_batch_does_not_vouch_for_this_one():
    first, second = busy_world(), World()
    block = seal(first)
    swapped = [
        CertifiedBatch(entry.batch, other.certificate)
        for entry, other in zip(first.certified, first.certified[1:] + first.certified[:1], strict=True)
    ]
    with pytest.raises(InvalidBatch, match="another batch"):
        apply_block(second.chain, second.storage.store, block, swapped)


def test_the_block_hash_is_what_an_ethereum_client_computes_from_the_fields_it_knows():
    header = seal(busy_world()).header
    assert len(header.extra_data) == 32  # the most that Ethereum allows
    fields = [
        header.parent_hash, header.ommers_hash, header.coinbase, header.state_root, header.transactions_root,
        header.receipts_root, header.bloom, 0, header.number, header.gas_limit, header.gas_used, header.timestamp,
        header.extra_data, header.prev_randao, bytes(8), header.base_fee,
        # keccak(rlp("")): no withdrawals; no blobs; no beacon root; sha256(""): no requests
        bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"), 0, 0, bytes(32),
        bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ]  # fmt: skip
    assert keccak256(reference_encode(fields)) == header.hash


def test_everything_survives_being_written_down():
    world = busy_world()
    records = [record for result in world.chain.applied for record in result.records]
    assert [decode(TransactionRecord, record.encoded) for record in records] == records
    stored = [StoredRecord(data) for data in split_records(encode_records(records))]
    names = ("raw", "hash", "is_system", "gas_used", "gas_price")
    for record, same in zip(records, stored, strict=True):
        assert [getattr(same, name) for name in names] == [getattr(record, name) for name in names]
        assert tuple(same.logs()) == record.logs
    assert any(record.logs for record in records)
    assert decode(Cursor, encode(world.chain.cursor)) == world.chain.cursor
    for entry in world.certified:
        assert decode(CertifiedBatch, encode(entry)) == entry
    block = seal(world)
    assert decode(Block, encode(block)) == block and decode(Block, encode(block)).hash == block.hash


def test_taking_the_last_block_back_restores_the_disk_byte_for_byte():
    world = busy_world()
    seal(world, 2)
    tables = world.storage.store._tables
    before = {table: dict(rows) for table, rows in tables.items()}
    seal(world)
    world.storage.undo_block()
    after = {table: dict(rows) for table, rows in world.storage.store._tables.items()}
    kept = {
        table for table in after if table.value == "batch"
    }  # certified batches are pending again, not gone
    assert {t: r for t, r in after.items() if t not in kept and r} == {
        t: r for t, r in before.items() if t not in kept and r
    }
