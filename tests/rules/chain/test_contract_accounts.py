"""Contracts whose address somebody approved as an agent: they sign nothing, so their money opens their account."""

import pytest
from eth_abi import decode, encode

from coinone.base.forms.ethereum import (
    SET_CODE,
    EthereumTransaction,
    encode_transaction,
    sign_authorization,
    sign_transaction,
)
from coinone.rules.chain.apply import apply_batch, call_env, undo_batch
from coinone.rules.chain.bridge.precompiles import precompiles_over
from coinone.rules.chain.ethereum.call import call
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.vm.addresses import create_address
from tests.rules.chain.chain_world import (
    CHAIN_ID,
    GWEI,
    KEYS,
    SYSTEM,
    TOKEN,
    World,
    account,
    approve_agent,
    erc20_transfer,
    order,
    spot_send,
    transfer,
)

UNIT = 10**6  # micro-quote in one quote unit
GIVEN = 2_000 * UNIT
KEY = (77).to_bytes(32, "big")  # of an agent
# CALLDATACOPY all of it, then CALL the token with it: whoever calls says what the contract does with its tokens.
PASSES_ON = bytes.fromhex("365f5f375f5f365f5f73") + TOKEN + bytes.fromhex("5af100")


def init_code(first: bytes = b"") -> bytes:
    """Makes a contract of `PASSES_ON` that, where `first` is given, calls the token with it in its constructor."""
    calls = b""
    if first:  # 36 bytes: CODECOPY `first`, which comes last, to memory; CALL; POP
        copies = bytes((0x60, len(first), 0x60, 36 + 9 + len(PASSES_ON), 0x5F, 0x39))
        calls = copies + bytes((0x5F, 0x5F, 0x60, len(first), 0x5F, 0x5F, 0x73)) + TOKEN + b"\x5a\xf1\x50"
    # 9 bytes: CODECOPY the contract to memory, RETURN it
    ends = bytes((0x60, len(PASSES_ON), 0x80, 0x60, len(calls) + 9, 0x5F, 0x39, 0x5F, 0xF3))
    return calls + ends + PASSES_ON + first


def withdrawable(world: World, address: bytes) -> int:
    """What a contract reads at 0x0803."""
    chain, env = world.chain, call_env(world.chain)
    request = CallRequest(bytes(20), (0x0803).to_bytes(20, "big"), encode(["address"], [address]))
    result = call(chain.state, env, request, chain.rules, precompiles_over(chain.rules, chain.exchange))
    return int(decode(["uint64"], result.output)[0])


def waiting(world: World, address: bytes) -> int:
    return world.chain.exchange.ledger.unclaimed.get(address) or 0


def named(agent: bytes) -> World:
    """A chain where account 1 approved `agent`, which then got tokens; account 0 has sent one transaction."""
    world = World()
    result = world.batch(approve_agent(KEYS[1], world.now_ms, agent))
    assert result.exchange.outcomes[0].status == "executed"
    world.evm_batch(transfer(KEYS[0], 0, TOKEN, 0, erc20_transfer(agent, GIVEN)))
    return world


CONTRACT = create_address(account(0), 1)


def deployed() -> World:
    world = named(CONTRACT)
    assert world.evm_batch(transfer(KEYS[0], 1, None, 0, init_code(), gas=200_000)).records[0].succeeded
    return world


def test_a_contract_that_deposits_sees_it_whoever_approved_its_address():
    """Of 1,000 opening takes 1."""
    world = deployed()
    world.evm_batch(transfer(KEYS[4], 0, CONTRACT, 0, erc20_transfer(SYSTEM, 1_000 * UNIT)))
    world.batch()
    assert withdrawable(world, CONTRACT) == 999 * UNIT and waiting(world, CONTRACT) == 0
    assert world.chain.exchange.ledger.agents.get(CONTRACT) is None
    world.batch(approve_agent(KEYS[1], world.now_ms, CONTRACT))
    assert withdrawable(world, CONTRACT) == 999 * UNIT


def test_a_first_deposit_below_eleven_waits_for_the_rest_as_anybodys():
    world = deployed()
    for nonce, amount, seen in ((0, 5, 0), (1, 6, 10)):
        world.evm_batch(transfer(KEYS[4], nonce, CONTRACT, 0, erc20_transfer(SYSTEM, amount * UNIT)))
        world.batch()
        assert withdrawable(world, CONTRACT) == seen * UNIT


def test_a_contract_that_deposits_while_it_is_made_has_code_when_it_is_credited():
    world = named(CONTRACT)
    code = init_code(erc20_transfer(SYSTEM, 1_000 * UNIT))
    assert world.evm_batch(transfer(KEYS[0], 1, None, 0, code, gas=300_000)).records[0].succeeded
    world.batch()
    assert withdrawable(world, CONTRACT) == 999 * UNIT and waiting(world, CONTRACT) == 0


def test_what_others_send_to_a_contract_opens_its_account_too():
    world = deployed()
    world.batch(spot_send(KEYS[2], world.now_ms, CONTRACT, "500"))
    assert withdrawable(world, CONTRACT) == 499 * UNIT


def test_what_others_send_before_the_contract_is_there_waits_for_its_next_credit():
    world = named(CONTRACT)
    world.batch(spot_send(KEYS[2], world.now_ms, CONTRACT, "500"))
    world.evm_batch(transfer(KEYS[0], 1, None, 0, init_code(), gas=200_000))
    world.batch()
    assert withdrawable(world, CONTRACT) == 0 and waiting(world, CONTRACT) == 500 * UNIT
    world.batch(spot_send(KEYS[3], world.now_ms, CONTRACT, "0.1"))
    assert withdrawable(world, CONTRACT) == 499 * UNIT + UNIT // 10 and waiting(world, CONTRACT) == 0


@pytest.mark.parametrize("delegated", [False, True])
def test_no_deposit_in_its_name_ends_the_agency_of_a_key_that_runs_a_contracts_code(delegated: bool):
    """A stranger has the delegated account deposit, as its code lets anybody; without code it does so itself."""
    agent = sign_transaction(set_code(KEY, 0), KEY).sender
    world = named(agent)
    world.evm_batch(
        transfer(KEYS[0], 1, None, 0, init_code(), gas=200_000), transfer(KEYS[2], 0, agent, 10**18)
    )
    if delegated:
        result = world.evm_batch(encode_transaction(sign_transaction(set_code(KEY, 0), KEYS[5])))
        assert result.records[0].succeeded and world.chain.state.code(agent)[3:] == CONTRACT
    key, to = (KEYS[4], agent) if delegated else (KEY, TOKEN)
    world.evm_batch(transfer(key, 0, to, 0, erc20_transfer(SYSTEM, 1_000 * UNIT)))
    world.batch()
    assert waiting(world, agent) == 1_000 * UNIT
    world.batch(order(KEY, world.now_ms, 0, True, "96000", "0.01"))
    rows = world.chain.exchange.rows
    assert rows.slot_of(agent) is None
    assert len(rows.book.slots_of(rows, rows.slot_of(account(1)))) == 1


def test_who_follows_and_who_takes_batches_back_see_the_same_contracts():
    world, follower = deployed(), World()
    world.evm_batch(transfer(KEYS[4], 0, CONTRACT, 0, erc20_transfer(SYSTEM, 1_000 * UNIT)))
    before = dict(all_leaves(world.chain.exchange))
    batch = world.batch().batch
    after = dict(all_leaves(world.chain.exchange))
    undo_batch(world.chain)
    assert dict(all_leaves(world.chain.exchange)) == before
    apply_batch(world.chain, batch)
    for certified in world.certified:
        apply_batch(follower.chain, certified.batch)
    assert dict(all_leaves(follower.chain.exchange)) == dict(all_leaves(world.chain.exchange)) == after


def set_code(key: bytes, nonce: int) -> EthereumTransaction:
    """The holder of `key` lets the contract's code run as its own."""
    return EthereumTransaction(
        type=SET_CODE, chain_id=CHAIN_ID, nonce=0, max_fee_per_gas=GWEI, max_priority_fee_per_gas=0,
        gas=200_000, to=bytes(20), value=0, data=b"",
        authorizations=(sign_authorization(CHAIN_ID, CONTRACT, nonce, key),),
    )  # fmt: skip
