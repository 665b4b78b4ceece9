"""Call objects, storage keys and filter objects as geth reads them: unknown fields and nulls are nothing."""

from typing import Any

import pytest

from coinone.base.primitives.errors import CoinoneError
from coinone.base.primitives.types import ZERO_ADDRESS
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.json.params import (
    BlockId,
    block_id,
    boolean,
    call_data,
    call_request,
    required_block,
    storage_key_shown,
    storage_slot,
)
from coinone.interfaces.api.limits import CALL_GAS_MAX
from coinone.rules.chain.ethereum.trial_fees import CallRequest

TO = "0x" + "00" * 19 + "99"
CHAIN = 5
# Fields that libraries send and geth does not know; web3.js v4 sends gasLimit, networkId, chain and hardfork
UNKNOWN = {
    "gasLimit": "0x5208",
    "networkId": 5,
    "chain": "x",
    "hardfork": "london",
    "hash": None,
    "note": [1],
}
CALL_FIELDS = (
    "from", "to", "data", "input", "value", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "nonce",
    "type", "chainId", "accessList", "authorizationList", "blobVersionedHashes", "maxFeePerBlobGas",
)  # fmt: skip


def read(**fields: Any) -> CallRequest:
    return call_request(fields, CHAIN)


def test_unknown_fields_of_a_call_are_ignored() -> None:
    assert read(to=TO, **UNKNOWN) == read(to=TO)


def test_null_in_a_call_is_the_same_as_absent() -> None:
    assert call_request(dict.fromkeys(CALL_FIELDS), CHAIN) == read()
    assert read() == CallRequest(ZERO_ADDRESS, None, gas=CALL_GAS_MAX)


def test_an_empty_list_of_authorizations_is_not_the_same_as_none() -> None:
    """It makes a set-code message, which no transaction may be."""
    assert read(to=TO, authorizationList=[]).authorizations == ()
    assert read(to=TO).authorizations is None


def test_hex_is_read_as_geth_reads_it() -> None:
    """The prefix may be 0X, an empty string is no bytes and no amount; what has a fixed length has no empty form."""
    assert read(to="0X" + TO[2:], data="0XAB", value="0X1") == read(to=TO, data="0xab", value="0x1")
    assert read(to=TO, data="", value="", gasPrice="", nonce="") == read(to=TO)
    assert (read(gas="").gas, call_data({"data": "", "input": "0x"})) == (0, b"")
    assert block_id("0X1f") == BlockId(number=31)
    assert block_id("0X" + "ab" * 32) == BlockId(hash=b"\xab" * 32)
    assert log_filter({"address": "0X" + TO[2:]}).addresses == {bytes.fromhex(TO[2:])}


@pytest.mark.parametrize(
    "fields",
    [
        {"from": ""},
        {"from": "0x"},
        {"to": ""},  # no address: only a call without `to`, or with null, creates a contract
        {"to": "0x"},
        {"to": "00" * 20},
        {"data": "0x0"},
        {"value": "0x"},
        {"value": "0x01"},
        {"value": 1},
    ],
)
def test_what_geth_refuses_in_hex_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(CoinoneError):
        read(**fields)


@pytest.mark.parametrize("block", ["", "0x", "1f", "LATEST", 1])
def test_a_block_has_no_empty_number(block: Any) -> None:
    with pytest.raises(CoinoneError):
        block_id(block)


def test_a_plain_price_is_both_the_cap_and_the_tip() -> None:
    assert (read(gasPrice="0x9").fee_cap, read(gasPrice="0x9").tip_cap) == (9, 9)
    made = read(maxFeePerGas="0x9", maxPriorityFeePerGas="0x2")
    assert (made.fee_cap, made.tip_cap) == (9, 2)
    assert (read(maxPriorityFeePerGas="0x2").fee_cap, read(maxPriorityFeePerGas="0x2").tip_cap) == (0, 2)


def test_a_gas_limit_is_kept_even_if_it_is_nothing_and_never_passes_the_cap() -> None:
    assert read(gas="0x0").gas == 0
    assert read(gas=hex(CALL_GAS_MAX + 1)).gas == CALL_GAS_MAX


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gasPrice": "0x1", "maxFeePerGas": "0x1"}, "both gasPrice and (maxFeePerGas"),
        ({"gasPrice": "0x1", "maxPriorityFeePerGas": "0x1"}, "both gasPrice and (maxFeePerGas"),
        ({"chainId": "0x6"}, "chainId does not match node's (have=6, want=5)"),
    ],
)
def test_a_call_that_contradicts_itself_or_the_chain_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RpcError) as caught:
        read(to=TO, **fields)
    assert caught.value.code == SERVER_ERROR and words in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"gas": 21000},
        {"gas": "21000"},
        {"value": "0x"},
        {"nonce": hex(2**64)},
        {"from": "0x12"},
        {"data": "0x1"},
        {"data": "0x01", "input": "0x02"},
        {"accessList": [None]},
        {"accessList": [{"address": TO, "storageKeys": ["0x0"]}]},
        {"authorizationList": {}},
        {"blobVersionedHashes": ["0x1"]},
    ],
)
def test_fields_that_we_know_are_read_strictly(fields: dict[str, Any]) -> None:
    with pytest.raises(CoinoneError):
        read(to=TO, **fields)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("0x" + "00" * 32, "0x" + "00" * 32),
        ("0x" + "00" * 31 + "2a", "0x" + "00" * 31 + "2a"),
        ("0x" + "AB" * 32, "0x" + "ab" * 32),
        ("0x" + "0" * 63, "0x" + "00" * 32),  # an odd number of digits gets one in front
        ("0x" + "00" * 31, "0x0"),
        ("0x0", "0x0"),
        ("0x002a", "0x2a"),
        ("0x", "0x0"),
        ("2a", "0x2a"),
    ],
)
def test_a_storage_key_is_repeated_as_it_came_if_it_is_a_word_and_else_as_a_quantity(
    asked: str, shown: str
) -> None:
    assert storage_key_shown(asked, storage_slot(asked)) == shown


def test_an_object_names_a_block_by_number_or_by_hash_and_null_is_neither() -> None:
    assert block_id({"blockNumber": "0x2", "blockHash": None}) == BlockId(number=2)
    assert block_id({"blockHash": "0x" + "11" * 32, "requireCanonical": None}).hash == b"\x11" * 32
    for wrong in ({}, {"blockNumber": None}, {"blockNumber": "0x1", "blockHash": "0x" + "11" * 32}):
        with pytest.raises(RpcError):
            block_id(wrong)


def test_null_is_the_newest_block_only_where_a_block_may_be_left_out_and_it_is_false() -> None:
    assert block_id(None) == BlockId(tag="latest") and boolean(None) is False
    with pytest.raises(RpcError, match="missing value for required argument"):
        required_block(None)
    assert required_block("0x2") == BlockId(number=2)
    for wrong in (0, 1, "true", []):
        with pytest.raises(RpcError):
            boolean(wrong)


def test_null_in_a_filter_is_the_same_as_absent_and_unknown_fields_are_ignored() -> None:
    nothing = log_filter({})
    names = ("fromBlock", "toBlock", "blockHash", "address", "topics", "limit")
    assert log_filter(dict.fromkeys(names)) == nothing
    assert log_filter({"address": [], "topics": [], "note": 1}) == nothing
    assert log_filter({"topics": [None, None]}).topics == (frozenset(), frozenset())
    assert log_filter({"topics": [[None, "0x" + "11" * 32]]}).topics == (frozenset(),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": [None]},
        {"address": 1},
        {"topics": {}},
        {"topics": [[1]]},
        {"fromBlock": "pending"},
        {"toBlock": "pending"},
        {"fromBlock": "0x" + "11" * 32},
        {"blockHash": "0x" + "11" * 32, "fromBlock": "latest"},
    ],
)
def test_filters_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CoinoneError):
        log_filter(wrong)


@pytest.mark.parametrize(
    ("bounds", "covered"),
    [
        ({}, [4, 5, 6, 7, 8]),
        ({"fromBlock": "latest", "toBlock": "latest"}, [4, 5, 6, 7, 8]),
        ({"fromBlock": "0x5"}, [5, 6, 7, 8]),
        ({"toBlock": "0x6"}, [4, 5, 6]),
        ({"fromBlock": "0x5", "toBlock": "0x7"}, [5, 6, 7]),
        ({"blockHash": "0x" + "11" * 32}, []),
    ],
)
def test_the_bounds_of_a_filter_hold_for_new_blocks_too(bounds: dict[str, Any], covered: list[int]) -> None:
    assert [number for number in range(4, 9) if log_filter(bounds).covers(number)] == covered
