"""Whatever bytes a stranger sends: the answer is a value that encodes to them, or a named error, never our fault."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.rules.bitcoin.header import decode_header
from coinone.rules.bitcoin.inclusion import InclusionProof, check_inclusion
from coinone.rules.bitcoin.merged_mining import (
    COINONE,
    MergedMiningProof,
    check_merged_mining,
    prove,
    tag_output,
)
from coinone.rules.bitcoin.merkle import merkle_branch
from coinone.rules.bitcoin.partial_merkle import build, decode_merkle_block, matches
from coinone.rules.bitcoin.script import destination_of, operations, returned
from coinone.rules.bitcoin.transaction import decode_transaction
from tests.rules.bitcoin.blocks import coinbase, inclusion, sample

BLOCK = sample(5)
TAGGED = coinbase(9, (), (tag_output(bytes(44), COINONE),)).base()


def read_transaction(data: bytes) -> bytes:
    return decode_transaction(data).encode()


def read_merkle_block(data: bytes) -> bytes:
    header, tree = decode_merkle_block(data)
    matches(tree)
    return header.encode() + tree.encode()


def read_inclusion(data: bytes) -> bytes:
    proof = decode(InclusionProof, data)
    check_inclusion(proof, BLOCK.header.merkle_root)
    return encode(proof)


def read_merged_mining(data: bytes) -> bytes:
    proof = decode(MergedMiningProof, data)
    check_merged_mining(BLOCK.header.encode(), proof, bytes(44), 1, BLOCK.header.time, COINONE)
    return encode(proof)


def read_script(data: bytes) -> bytes:
    destination_of(data)
    returned(data)
    operations(data)
    return data


READERS: dict[str, tuple[Callable[[bytes], bytes], bytes]] = {
    "header": (lambda data: decode_header(data).encode(), BLOCK.header.encode()),
    "transaction": (read_transaction, BLOCK.transactions[1].encode()),
    "merkle block": (read_merkle_block, BLOCK.header.encode() + build(BLOCK.txids, [0, 3]).encode()),
    "inclusion": (read_inclusion, encode(inclusion(BLOCK, 3))),
    "merged mining": (read_merged_mining, encode(prove(TAGGED, merkle_branch(BLOCK.txids, 0), COINONE))),
    "script": (read_script, BLOCK.transactions[0].outputs[1].script),
}


@st.composite
def changed(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid encoding with a stretch of it exchanged for other bytes, or bytes that never were one."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=300))
    start = draw(st.integers(0, len(valid)))
    end = draw(st.integers(start, min(len(valid), start + 40)))
    return valid[:start] + draw(st.binary(max_size=40)) + valid[end:]


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150)
@given(st.data())
def test_bytes_of_a_stranger_are_read_or_refused(name: str, data: st.DataObject) -> None:
    read, valid = READERS[name]
    sent = data.draw(changed(valid))
    try:
        assert read(sent) == sent
    except InvalidInput as refused:
        assert refused.reason
