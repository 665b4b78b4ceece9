"""A running node: submit, query, subscribe, restart."""

import asyncio
from contextlib import contextmanager

import pytest

from coinone.base.forms.ethereum import SET_CODE, EthereumTransaction, sign_authorization, sign_transaction
from coinone.base.primitives.errors import InvalidInput, InvalidSignature, NotSupported, StorageError
from coinone.node.dev.tools import Dev
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.protocols.relay.attestation import check_attestation
from tests.rules.chain.chain_world import KEYS, account, order, transfer

NETWORK = load_network("dev")
MAP_BYTES = 2**28


@contextmanager
def running(folder, clock=None):
    node = Node(NETWORK, folder, clock=clock, map_size_bytes=MAP_BYTES)
    node.start()
    try:
        yield node
    finally:
        node.stop()


def roots(node) -> tuple[bytes, bytes, int]:
    head = node.view.head
    return head.state_root, head.exchange_root, head.number


def balance_of(address):
    return lambda reader: reader.state.balance(address)


def test_a_member_signs_for_a_connection_with_the_key_that_genesis_names(tmp_path):
    handshake_hash = b"\x07" * 32
    with running(tmp_path) as node:
        number, signature = node.attest(handshake_hash)
        assert (number, node.member_number, node.is_one_of_several) == (0, 0, False)
        check_attestation(node.genesis.federation, NETWORK.chain_id, handshake_hash, number, signature)
        with pytest.raises(InvalidSignature):
            check_attestation(node.genesis.federation, NETWORK.chain_id, b"\x08" * 32, number, signature)


def test_a_transfer_is_mined_and_an_order_is_answered_and_both_survive_a_restart(tmp_path):
    async def trade(node):
        now_ms = node.view.time_ms
        tx_hash = await node.submit_ethereum(transfer(KEYS[0], 0, account(1), 10**18))
        outcome = await node.submit(order(KEYS[0], now_ms + 1, 0, False, "98000", "0.01"))
        await Dev(node).mine()
        place = node.archive.place_of(tx_hash)
        record = node.archive.records(place.number)[place.index]
        assert record.record.hash == tx_hash and record.record.succeeded
        return outcome

    with running(tmp_path) as node:
        outcome = asyncio.run(trade(node))
        assert outcome.status == "executed"
        oid = outcome.response["data"]["statuses"][0]["resting"]["oid"]
        balance = asyncio.run(node.query(balance_of(account(1))))
        asks = node.view.markets[0].asks
    with running(tmp_path) as node:
        assert asyncio.run(node.query(balance_of(account(1)))) == balance == 1001 * 10**18
        assert node.view.markets[0].asks == asks == ((980000, 1000, 1),)  # 10^-1 dollars, 10^-5 BTC
        again = asyncio.run(node.submit(order(KEYS[0], node.view.time_ms + 1, 0, False, "99000", "0.01")))
        assert again.response["data"]["statuses"][0]["resting"]["oid"] > oid


@pytest.mark.parametrize("name", ["test", "main"])
def test_a_network_that_is_not_launched_does_not_start(tmp_path, name):
    with pytest.raises(NotSupported, match="not launched"):
        Node(load_network(name), tmp_path)


def test_two_nodes_cannot_share_a_data_folder(tmp_path):
    with running(tmp_path), pytest.raises(StorageError, match="in use"):
        Node(NETWORK, tmp_path)


def test_keys_are_readable_by_their_owner_only(tmp_path):
    with running(tmp_path):
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert modes == {"federation": 0o600, "reporter": 0o600, "seeds": 0o600}


def test_a_stranger_s_action_is_refused_before_it_costs_anything(tmp_path):
    with running(tmp_path) as node, pytest.raises(InvalidInput, match="does not exist"):
        asyncio.run(node.submit(order((77).to_bytes(32, "big"), node.view.time_ms, 0, True, "97000", "0.01")))


def test_a_subscriber_sees_its_order_and_later_blocks(tmp_path):
    async def listen(node):
        subscription = node.subscribe()
        await node.submit(order(KEYS[0], node.view.time_ms + 1, 0, True, "90000", "0.01"))
        await Dev(node).mine()
        seen = []
        while not any(item.blocks for item in seen):
            seen.append(await asyncio.wait_for(subscription.get(), 5))
        return seen

    with running(tmp_path) as node:
        seen = asyncio.run(listen(node))
    seqs = [item.seq for item in seen if not item.blocks]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert any(outcome.status == "executed" for item in seen for outcome in item.outcomes)


def test_the_faucet_funds_a_stranger_s_wallet(tmp_path):
    async def ask(node):
        stranger = bytes.fromhex("00000000000000000000000000000000deadbeef")
        dev = Dev(node)
        gift = await dev.faucet(stranger)
        assert gift.quote.status == "executed"
        await dev.mine()
        return await node.query(
            lambda reader: (reader.state.balance(stranger), reader.exchange.knows(stranger))
        )

    with running(tmp_path) as node:
        assert asyncio.run(ask(node)) == (10 * 10**18, True)


def test_reverting_to_a_snapshot_takes_everything_after_it_back(tmp_path):
    async def there_and_back(node):
        dev = Dev(node)
        snapshot = await dev.snapshot()
        before = await node.query(balance_of(account(1)))
        await node.submit_ethereum(transfer(KEYS[0], 0, account(1), 10**18))
        await dev.mine()
        changed = await node.query(balance_of(account(1)))
        assert await dev.revert(snapshot)
        after = await node.query(balance_of(account(1)))
        term = await node.query(lambda reader: reader.chain.cursor.term.number)
        assert not await dev.revert(snapshot)
        return before, changed - before, after, term

    with running(tmp_path) as node:
        before, moved, after, term = asyncio.run(there_and_back(node))
    assert moved == 10**18 and after == before and term == 1
    with running(tmp_path) as node:
        assert asyncio.run(node.query(balance_of(account(1)))) == before


def test_the_next_block_has_the_timestamp_that_was_set(tmp_path):
    async def travel(node):
        dev, target = Dev(node), node.view.head.timestamp + 100_000
        await dev.set_next_block_timestamp(target)
        first = await dev.mine()
        await dev.increase_time(1_000)
        second = await dev.mine()
        return target, first, second

    with running(tmp_path) as node:
        target, first, second = asyncio.run(travel(node))
        exchange_ms = node.view.time_ms
    assert first.timestamp == target
    assert 1_000 <= second.timestamp - first.timestamp <= 1_010
    assert exchange_ms // 1000 < target, "exchange time stays wall time"
    with running(tmp_path) as node:
        header = asyncio.run(Dev(node).mine())
    assert header.timestamp > second.timestamp, "the offset is kept over a restart"


@pytest.mark.parametrize("is_set", [True, False], ids=["set", "moved on"])
def test_pending_shows_the_time_that_was_set_before_a_batch_has_it(tmp_path, is_set):
    """A call or an estimate at once after evm_increaseTime(5000) stood at the time before it, 200 ms long."""

    async def travel(node):
        def job(core, producer):
            before = node.reader().pending().env.timestamp
            if is_set:
                core.pin_timestamp(before + 5_000)
            else:
                core.move_time(5_000)
            seen = node.reader().pending().env.timestamp
            now_ms = core.chain.cursor.time_ms + 1
            core.close_batch(now_ms)
            return seen - before, core.chain.cursor.evm_timestamp - seen

        return await node.run_on_core(job)

    with running(tmp_path) as node:
        moved, left = asyncio.run(travel(node))
    assert 4_990 < moved <= 5_000, (
        "the time before may have been ahead of the clock, as blocks differ by a second"
    )
    assert left == 0, "the next batch has it"


def test_what_waits_of_an_account_goes_when_another_used_its_nonces_by_its_authorizations(tmp_path):
    async def use_up(node):
        chain_id = node.network.chain_id
        waiting = await node.submit_ethereum(transfer(KEYS[2], 1, account(1), 1))  # until nonce 0 was used
        both = tuple(sign_authorization(chain_id, account(5), nonce, KEYS[2]) for nonce in (0, 1))
        fee, gas = node.network.base_fee, 21_000 + 2 * 25_000
        tx = EthereumTransaction(SET_CODE, chain_id, 0, fee, 0, gas, account(1), 0, b"", (), both)
        await node.submit_ethereum(sign_transaction(tx, KEYS[0]).encoded)
        await Dev(node).mine()
        return await node.query(
            lambda reader: (reader.state.nonce(account(2)), reader.pool.get(waiting), len(reader.pool))
        )

    with running(tmp_path) as node:
        assert asyncio.run(use_up(node)) == (2, None, 0)
