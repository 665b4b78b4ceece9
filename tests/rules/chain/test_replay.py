"""Replaying a block's contracts from the state before it: the records, and the root, come out the same."""

from coinone.base.crypto.secp256k1 import sign
from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.records import encode
from coinone.node.storage.past import before_block
from coinone.node.views.archive import commit_of
from coinone.rules.chain.bridge.own import Whole
from coinone.rules.chain.ethereum.trace import trace_transaction
from coinone.rules.chain.replay import replay
from coinone.rules.chain.sealing import commit_block, seal_block
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.seal import FederatedSeal
from coinone.rules.state.database import Table
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    SECRETS,
    START_MS,
    SYSTEM,
    TOKEN,
    World,
    account,
    erc20_transfer,
    spot_send,
    transfer,
)

OTHER = b"\x5e" * 20


def sealed(world: World) -> Block:
    """All that waits, as a block on disk with its batches."""
    chain, store = world.chain, world.storage.store
    found = seal_block(store, chain, len(chain.applied), 0)
    signature = sign(found.header.hash, SECRETS.federation)
    seal = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes((signature.v,))
    block = Block(found.header, tuple(result.batch.hash for result in found.results), FederatedSeal(0, seal))
    kept = {certified.batch.seq: encode(certified) for certified in world.certified}
    world.storage.commit_block(commit_of(block, found, kept))
    commit_block(chain, found)
    return block


def busy_world() -> tuple[World, Block]:
    """Two blocks; the second holds a deposit, a withdrawal and transfers, in several batches."""
    world = World()
    world.evm_batch(transfer(KEYS[0], 0, OTHER, 7))
    sealed(world)
    world.batch(spot_send(KEYS[3], START_MS + 9, SYSTEM, "25"))
    world.evm_batch(
        transfer(KEYS[0], 1, OTHER, 8), transfer(KEYS[1], 0, TOKEN, 0, erc20_transfer(SYSTEM, 10**7))
    )
    world.evm_batch(transfer(KEYS[0], 2, TOKEN, 0, erc20_transfer(OTHER, 3)))
    return world, sealed(world)


def test_each_transaction_finds_the_state_it_had() -> None:
    world, block = busy_world()
    store, number = world.storage.store, block.number
    results = [certified.batch for certified in world.certified if certified.batch.seq >= block.first_seq]
    records = [row.record for row in _archive(world).records(number)]
    assert [record.is_system for record in records].count(True) == 1 and len(records) == 4
    past = before_block(store, number)
    steps, gas = 0, []
    state = None
    seen = Whole(world.chain.exchange)  # nobody reads it
    for step in replay(past, NETWORK, results, records, world.chain.headers, lambda seq: seen):
        steps, state = steps + 1, step.state
        if not step.record.is_system:
            tx = decode_transaction(step.record.raw)
            traced = trace_transaction(step.state, step.env, tx, step.rules, step.precompiles)
            gas.append((traced["gas"], step.record.gas_used))
    assert steps == 4 and len(gas) == 3
    assert all(have == want for have, want in gas)
    assert state is not None
    for address in (OTHER, account(0), account(1), NETWORK.reward_pool):
        assert state.account(address) == world.chain.state.account(address)


def test_the_past_is_what_the_database_held() -> None:
    world, block = busy_world()
    store = world.storage.store
    now, then = store.get(Table.ACCOUNT, OTHER), before_block(store, block.number).get(Table.ACCOUNT, OTHER)
    assert now != then and then is not None
    assert before_block(store, 1).get(Table.ACCOUNT, OTHER) is None
    accounts = dict(before_block(store, 1).scan(Table.ACCOUNT))
    assert OTHER not in accounts and account(0) in accounts


def _archive(world: World):
    from coinone.node.views.archive import Archive

    return Archive(world.storage.blocks)
