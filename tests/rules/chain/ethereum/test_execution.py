"""Applying transactions: who pays what to whom, and what may not be included."""

from dataclasses import replace

import pytest

from coinone.base.crypto.secp256k1 import address_of
from coinone.base.forms.ethereum import EthereumTransaction, sign_authorization, sign_transaction
from coinone.base.primitives.errors import InvalidTransaction
from coinone.rules.chain.ethereum.execution import FeePolicy, TransactionResult, apply_transaction
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv
from coinone.rules.vm.errors import OutOfGas, Revert

OSAKA = FORKS["Osaka"]
KEY, OTHER_KEY = b"\1" * 32, b"\2" * 32
SENDER, OTHER = address_of(KEY), address_of(OTHER_KEY)
CONTRACT, COINBASE = b"\xcc" * 20, b"\xdd" * 20
COINS = 10**18
ENV = BlockEnv(926_002, 5, 77, COINBASE, 30_000_000, 10, bytes(32), lambda number: bytes(32))
PLAIN = EthereumTransaction(2, 926_002, 0, 100, 3, 100_000, OTHER, 5, b"")


def world(code: str = "") -> State:
    state = State(MemoryDatabase())
    for address in (SENDER, OTHER):
        state.set_account(address, Account(0, COINS))
    state.set_account(CONTRACT, Account(1, 0))
    state.set_code(CONTRACT, bytes.fromhex(code))
    state.freeze()
    return state


def apply(state: State, tx: EthereumTransaction, **options: object) -> TransactionResult:
    return apply_transaction(state, ENV, sign_transaction(tx, KEY), OSAKA, **options)  # type: ignore[arg-type]


def total(state: State) -> int:
    return sum(state.balance(address) for address in (SENDER, OTHER, CONTRACT, COINBASE))


def test_the_whole_fee_goes_to_the_reward_pool_so_no_coin_is_lost() -> None:
    state = world()
    result = apply(state, PLAIN)
    assert (result.success, result.gas_used, result.effective_gas_price) == (True, 21_000, 13)
    assert state.balance(COINBASE) == 21_000 * 13
    assert state.balance(SENDER) == COINS - 21_000 * 13 - 5
    assert total(state) == 2 * COINS


def test_ethereums_own_policy_burns_the_base_fee() -> None:
    state = world()
    apply(state, PLAIN, fee_policy=FeePolicy.BURN)
    assert state.balance(COINBASE) == 21_000 * 3
    assert total(state) == 2 * COINS - 21_000 * 10


def test_a_failed_message_still_pays_and_counts() -> None:
    state = world("60016000fd")  # revert with one byte, after paying for memory
    result = apply(state, replace(PLAIN, to=CONTRACT))
    assert isinstance(result.error, Revert) and result.output == b"\0"
    assert result.gas_used == 21_000 + 6 + 3
    assert (state.nonce(SENDER), state.balance(CONTRACT)) == (1, 0)
    assert total(state) == 2 * COINS


def test_running_out_of_gas_takes_all_of_it() -> None:
    state = world("5b600056")
    result = apply(state, replace(PLAIN, to=CONTRACT))
    assert isinstance(result.error, OutOfGas) and result.gas_used == 100_000
    assert state.balance(COINBASE) == 100_000 * 13


def test_at_most_a_fifth_of_the_gas_used_is_refunded() -> None:
    code = "".join(f"5f60{slot:02x}55" for slot in range(10)) + "00"  # clear ten slots
    state = world(code)
    for slot in range(10):
        state.set_storage(CONTRACT, slot, 1)
    state.freeze()
    result = apply(state, replace(PLAIN, to=CONTRACT, value=0))
    # PUSH0 2, PUSH1 3, cold 2,100 + change 2,900; refund 4,800 each would be 48,000 of 71,050
    used = 21_000 + 10 * (5 + 5_000)
    assert result.gas_used == used - used // 5


def test_data_that_does_little_else_pays_the_floor() -> None:
    result = apply(world(), replace(PLAIN, to=CONTRACT, data=b"\1" * 100, value=0))
    assert result.gas_used == 21_000 + 10 * 4 * 100  # not 4 * 4 * 100


def test_a_creation_gives_the_address_that_ethereum_gives() -> None:
    # published example: account 0x6ac7...37d0 makes 0xcd23...77b4 at nonce 0 (Yellow Paper address rule)
    from coinone.rules.vm.addresses import create_address

    creator = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    made = "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert create_address(creator, 0).hex() == made
    state = world()
    result = apply(state, replace(PLAIN, to=None, data=bytes.fromhex("60015f5360015ff3"), value=7))
    assert result.contract_address == create_address(SENDER, 0)
    assert state.code(result.contract_address) == b"\1" and state.balance(result.contract_address) == 7


REFUSED = [
    ("wrong chain id", {"chain_id": 1}),
    ("nonce too high", {"nonce": 1}),
    ("intrinsic gas too low", {"gas": 20_999}),
    ("intrinsic gas too low", {"gas": 21_000 + 400, "data": b"\1" * 20}),
    ("transaction gas limit too high", {"gas": 2**24 + 1}),
    ("max fee per gas less than block base fee", {"max_fee_per_gas": 9, "max_priority_fee_per_gas": 0}),
    ("max priority fee per gas higher than max fee per gas", {"max_priority_fee_per_gas": 101}),
    ("insufficient funds for gas * price + value", {"value": COINS}),
    ("max initcode size exceeded", {"to": None, "data": bytes(49_153), "gas": 2**24}),
    ("empty authorization list", {"type": 4}),
    ("nonce has reached its maximum", {"nonce": 2**64 - 1}),
    ("gas limit * price overflows", {"max_fee_per_gas": 2**255}),
]


@pytest.mark.parametrize(("reason", "changed"), REFUSED)
def test_what_may_not_be_included_is_refused_by_name_without_a_trace(
    reason: str, changed: dict[str, object]
) -> None:
    state = world()
    with pytest.raises(InvalidTransaction) as refused:
        apply(state, replace(PLAIN, **changed))  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert state.freeze().is_empty


def test_an_old_nonce_a_full_block_and_a_contract_as_sender_are_refused() -> None:
    state = world()
    apply(state, PLAIN)
    with pytest.raises(InvalidTransaction, match="nonce too low"):
        apply(state, PLAIN)
    with pytest.raises(InvalidTransaction, match="what the block has left"):
        apply(state, replace(PLAIN, nonce=1), gas_available=99_999)
    state.set_code(SENDER, b"\1")
    with pytest.raises(InvalidTransaction, match="sender is a contract"):
        apply(state, replace(PLAIN, nonce=1))


def test_an_authorized_account_runs_the_code_it_named_until_it_takes_that_back() -> None:
    state = world("33" + "5f55" + "00")  # store the caller at slot 0
    agreed = sign_authorization(926_002, CONTRACT, 0, OTHER_KEY)
    result = apply(state, replace(PLAIN, type=4, authorizations=(agreed,)))
    assert result.success and state.code(OTHER) == b"\xef\x01\x00" + CONTRACT
    assert state.storage(OTHER, 0) == int.from_bytes(SENDER, "big")
    assert state.nonce(OTHER) == 1
    # the authority existed: half of the 25,000 is refunded, but no more than a fifth of all
    used = 21_000 + 25_000 + 2 + 2 + 2_100 + 20_000
    assert result.gas_used == used - min(12_500, used // 5)

    replayed = apply(state, replace(PLAIN, nonce=1, type=4, authorizations=(agreed,), value=0))
    assert replayed.success and state.nonce(OTHER) == 1, "an authorization holds once"
    revoked = sign_authorization(0, bytes(20), 1, OTHER_KEY)
    apply(state, replace(PLAIN, nonce=2, type=4, authorizations=(revoked,)))
    assert state.code(OTHER) == b"" and state.nonce(OTHER) == 2
