"""EIP-712 against eth-account, and against the example in the EIP itself."""

import hypothesis.strategies as st
import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings

from coinone.base.forms.eip712 import StructType, domain_separator, signing_digest
from coinone.base.primitives.errors import InvalidInput

FIELDS = (
    ("address", "wallet"),
    ("uint64", "nonce"),
    ("int128", "delta"),
    ("bool", "is_agent"),
    ("string", "hyperliquidChain"),
    ("bytes", "blob"),
    ("bytes32", "connectionId"),
    ("bytes4", "selector"),
)


@settings(max_examples=50)
@given(
    st.tuples(
        st.binary(min_size=20, max_size=20),
        st.integers(0, 2**64 - 1),
        st.integers(-(2**127), 2**127 - 1),
        st.booleans(),
        st.text(max_size=20),
        st.binary(max_size=40),
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=4, max_size=4),
    ),
    st.integers(0, 2**64),
)
def test_digests_equal_those_of_eth_account(values: tuple, chain_id: int) -> None:
    message = dict(zip((name for _, name in FIELDS), values, strict=True))
    domain = {"name": "Exchange", "version": "1", "chainId": chain_id, "verifyingContract": "0x" + "00" * 20}
    types = {"Sample": [{"type": kind, "name": name} for kind, name in FIELDS]}
    theirs = _hash_eip191_message(encode_typed_data(domain, types, message))
    struct = StructType("Sample", FIELDS)
    assert signing_digest(domain_separator("Exchange", "1", chain_id), struct.hash(message)) == theirs


def test_the_domain_of_the_eip_example_has_its_published_hash() -> None:
    separator = domain_separator("Ether Mail", "1", 1, bytes.fromhex("cc" * 20))
    assert separator.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", True),
        ("uint8", "1"),
        ("int8", 128),
        ("int8", -129),
        ("bool", 1),
        ("string", b""),
        ("address", b"\x01" * 19),
        ("bytes4", b"\x01" * 5),
        ("bytes", "text"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(InvalidInput):
        StructType("Sample", ((kind, "field"),)).hash({"field": value})  # type: ignore[dict-item]
