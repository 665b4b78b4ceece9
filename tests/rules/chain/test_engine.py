"""Whatever runs contracts on a chain runs them on the chain's own engine, and nowhere is another one chosen."""

from coinone.interfaces.api.ethereum.calls.trials import CallJob, Purpose, try_out
from coinone.node.storage.past import before_block
from coinone.node.views.archive import Archive
from coinone.rules.chain.apply import call_env
from coinone.rules.chain.bridge.own import Whole
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.chain.replay import replay
from coinone.rules.vm import REFERENCE, Evm, ExecutionResult, Message
from tests.rules.chain.chain_world import (
    KEYS,
    NETWORK,
    START_MS,
    SYSTEM,
    TOKEN,
    World,
    account,
    erc20_transfer,
    spot_send,
    transfer,
)
from tests.rules.chain.test_replay import sealed


class Counting:
    """The reference, and how many messages it was handed."""

    name = "counting"

    def __init__(self) -> None:
        self.messages = 0

    def execute(self, evm: Evm, message: Message) -> ExecutionResult:
        self.messages += 1
        return REFERENCE.execute(evm, message)


def counted_world() -> tuple[World, Counting]:
    """A withdrawal that is paid and two transactions, in one batch."""
    world, engine = World(), Counting()
    world.chain.engine = engine
    world.batch(spot_send(KEYS[3], START_MS + 9, SYSTEM, "25"))
    world.evm_batch(
        transfer(KEYS[0], 0, account(1), 8), transfer(KEYS[1], 0, TOKEN, 0, erc20_transfer(SYSTEM, 10**7))
    )
    return world, engine


def test_batches_run_on_the_engine_of_their_chain():
    assert counted_world()[1].messages == 3


def test_a_block_is_replayed_on_the_engine_that_is_asked_for():
    world, _ = counted_world()
    block, engine = sealed(world), Counting()
    results = [certified.batch for certified in world.certified if certified.batch.seq >= block.first_seq]
    records = [row.record for row in Archive(world.storage.blocks).records(block.number)]
    past, seen = before_block(world.storage.store, block.number), Whole(world.chain.exchange)
    steps = replay(past, NETWORK, results, records, world.chain.headers, lambda seq: seen, engine=engine)
    assert len(list(steps)) == engine.messages == 3


def test_calls_and_estimates_run_on_the_engine_that_is_asked_for():
    world, engine = World(), Counting()
    request = CallRequest(account(0), TOKEN, data=erc20_transfer(account(1), 1))
    for purpose in (Purpose.CALL, Purpose.ESTIMATE):
        before = engine.messages
        trial = CallJob(request, purpose, 0, call_env(world.chain), NETWORK.fork)
        assert try_out(trial, world.chain.state, world.chain.rules.precompiles, engine=engine).error is None
        assert engine.messages > before
