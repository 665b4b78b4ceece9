"""Seals of the three kinds in a block's body: their bytes, and which of them a federation's network accepts."""

import pytest

from coinone.base.crypto.secp256k1 import address_of, sign
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidSignature
from coinone.base.primitives.records import decode, encode
from coinone.rules.bitcoin.commitment import ForkData, committed
from coinone.rules.bitcoin.merged_mining import COINONE, check_merged_mining, prove, tag_output
from coinone.rules.bitcoin.merkle import merkle_branch
from coinone.rules.consensus.federation import Federation, check_seal, pack_signature
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.seal import FederatedSeal, GenesisSeal, MinedSeal, Seal
from tests.rules.bitcoin.blocks import block, spend
from tests.vectors.golden_bytes import Draw, header_of

TIME, DIFFICULTY, KEY = 1_700_000_000, 512, bytes(31) + b"\1"
HEADER = header_of(Draw(7))
VALUE = committed(HEADER.hash, ForkData(bytes(7), 0, HEADER.number % 2**32))
ALONE = Federation((address_of(KEY),))


def mined() -> MinedSeal:
    """Of a Bitcoin block of five transactions whose coinbase commits to `HEADER`."""
    others = [spend(bytes((n,)) * 32, 10**8) for n in range(1, 5)]
    found = block(bytes(32), 120, TIME, others, (tag_output(VALUE, COINONE),), target=2**256 // DIFFICULTY)
    proof = prove(found.transactions[0].base(), merkle_branch(found.txids, 0), COINONE)
    return MinedSeal(found.header.encode(), proof.branch, proof.coinbase)


@pytest.mark.parametrize(
    "seal",
    [mined(), GenesisSeal(), FederatedSeal(0, pack_signature(sign(HEADER.hash, KEY)))],
    ids=["mined", "genesis", "federated"],
)
def test_a_block_is_read_back_with_its_seal(seal: Seal) -> None:
    body = encode(Block(HEADER, (), seal))
    assert decode(Block, body).seal == seal


def test_a_mined_seal_holds_all_that_shows_bitcoins_work() -> None:
    seal = decode(Block, encode(Block(HEADER, (), mined()))).seal
    assert isinstance(seal, MinedSeal)
    check_merged_mining(seal.bitcoin_header, seal.proof, VALUE, DIFFICULTY, TIME, COINONE)


@pytest.mark.parametrize(
    "parts",
    [
        [bytes(79), b"", b""],
        [bytes(81), b"", b""],
        [bytes(80), bytes(COINONE.branch_bytes_max + 1), b""],
        [bytes(80), b"", bytes(COINONE.coinbase_bytes_max + 1)],
        [bytes(80), b"", b"", b""],
    ],
)
def test_a_seal_of_another_size_is_refused(parts: list[bytes]) -> None:
    fields = rlp.decode(encode(Block(HEADER, (), mined())))
    assert isinstance(fields, list) and len(fields[2]) == 3, "the seal is the third field"
    with pytest.raises(DecodeError):
        decode(Block, rlp.encode([*fields[:2], parts, *fields[3:]]))


def test_a_federations_network_accepts_the_seals_of_its_members_only() -> None:
    check_seal(FederatedSeal(0, pack_signature(sign(HEADER.hash, KEY))), HEADER.hash, ALONE)
    with pytest.raises(InvalidSignature, match="mined"):
        check_seal(mined(), HEADER.hash, ALONE)
    with pytest.raises(InvalidSignature, match="nobody"):
        check_seal(GenesisSeal(), HEADER.hash, ALONE)
