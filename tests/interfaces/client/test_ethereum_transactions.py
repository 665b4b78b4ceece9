"""The client's own Ethereum transactions against eth-account."""

from eth_account import Account
from eth_utils import keccak, to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.interfaces.client.ethereum import (
    Transaction,
    balance_of_data,
    system_address,
    transfer_data,
)

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")
SMALL = st.integers(0, 2**64 - 1)


@settings(max_examples=60)
@given(SMALL, SMALL, SMALL, SMALL, st.integers(0, 2**128), st.binary(max_size=80), st.booleans())
def test_a_signed_transaction_is_the_one_that_eth_account_signs(
    nonce: int, tip: int, fee: int, gas: int, value: int, data: bytes, creates: bool
) -> None:
    to = None if creates else bytes(range(20))
    ours = Transaction(926002, nonce, tip, fee, gas, to, value, data).sign(KEY)
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 926002,
            "nonce": nonce,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": fee,
            "gas": gas,
            "value": value,
            "data": data,
            **({} if to is None else {"to": to_checksum_address(to)}),
        },
        KEY,
    )
    assert ours == bytes(theirs.raw_transaction)
    assert Account.recover_transaction(ours) == Account.from_key(KEY).address


def test_call_data_follows_the_erc20_abi() -> None:
    to = bytes(range(20))
    transfer, balance_of = keccak(text="transfer(address,uint256)"), keccak(text="balanceOf(address)")
    assert transfer_data(to, 5) == transfer[:4] + bytes(12) + to + bytes(31) + b"\5"
    assert balance_of_data(to) == balance_of[:4] + bytes(12) + to


def test_system_addresses_are_hyperliquids() -> None:
    # Hyperliquid's documentation, "HyperCore <> HyperEVM transfers", gives the address of token 200.
    assert system_address(200).hex() == "20000000000000000000000000000000000000c8"
    assert system_address(0).hex() == "2000000000000000000000000000000000000000"
