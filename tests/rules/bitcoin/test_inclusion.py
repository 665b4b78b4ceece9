"""Proofs of inclusion: real ones, and the attacks on a reader who only folds a branch."""

import hashlib
from dataclasses import replace

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import decode_header
from coinone.rules.bitcoin.inclusion import (
    WITNESS_HEADER,
    InclusionProof,
    check_inclusion,
    check_partial,
    commitment_to,
    witness_commitment,
)
from coinone.rules.bitcoin.merkle import fold, merkle_branch, merkle_root
from coinone.rules.bitcoin.partial_merkle import PartialMerkleTree, build, matches
from coinone.rules.bitcoin.transaction import (
    BitcoinTransaction,
    TxInput,
    TxOutput,
    decode_transaction,
)
from tests.rules.bitcoin import samples
from tests.rules.bitcoin.blocks import RESERVED, coinbase, inclusion, sample, spend

NODE_SIZED = BitcoinTransaction((TxInput(b"\x11" * 32, 0, b"abc"),), (TxOutput(7, b"\x51"),))
"""64 bytes: 4 + 1 + (36 + 1 + 3 + 4) + 1 + (8 + 1 + 1) + 4, which is a transaction and could be a node."""


def split(data: str) -> tuple[bytes, ...]:
    raw = bytes.fromhex(data)
    return tuple(raw[at : at + 32] for at in range(0, len(raw), 32))


def test_real_proofs_of_transactions_lead_to_their_headers() -> None:
    cases = samples.cases("btc_spv_proofs.json")
    for case in cases:
        root = decode_header(bytes.fromhex(case["headers"])[:80]).merkle_root
        txid = bytes.fromhex(case["txid"])[::-1]
        if case["raw_tx"]:
            assert decode_transaction(bytes.fromhex(case["raw_tx"])).txid == txid
        branch = split(case["merkle_proof"])
        assert fold(txid, case["index"], branch) == root
        for height in range(len(branch)):
            changed = (*branch[:height], bytes(32), *branch[height + 1 :])
            assert fold(txid, case["index"], changed) != root
            assert fold(txid, case["index"] ^ 1 << height, branch) != root
    assert [len(split(case["merkle_proof"])) for case in cases] == [4, 7, 7, 5, 11]


def test_real_coinbases_show_how_high_their_tree_is() -> None:
    """Three cases give the coinbase by its hash, one as it is."""
    shown = 0
    for case in samples.cases("btc_spv_proofs.json"):
        if "coinbase_proof" not in case:
            continue
        if "coinbase_raw" in case:
            coinbase_txid = decode_transaction(bytes.fromhex(case["coinbase_raw"])).txid
        else:
            coinbase_txid = hashlib.sha256(
                bytes.fromhex(case["coinbase_preimage"].removeprefix("0x"))
            ).digest()
        branch = split(case["coinbase_proof"])
        assert len(branch) == len(split(case["merkle_proof"]))
        assert (
            fold(coinbase_txid, 0, branch) == decode_header(bytes.fromhex(case["headers"])[:80]).merkle_root
        )
        shown += 1
    assert shown == 4


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 13])
@pytest.mark.parametrize("witness", [True, False])
def test_every_transaction_of_a_block_can_be_proved(count: int, witness: bool) -> None:
    block = sample(count)
    for place, transaction in enumerate(block.transactions):
        proof = inclusion(block, place, witness=witness)
        shown = check_inclusion(decode(InclusionProof, encode(proof)), block.header.merkle_root)
        assert (shown.txid, shown.has_witness) == (transaction.txid, witness)


@pytest.mark.parametrize("witness", [True, False])
def test_no_byte_of_a_proof_can_be_another(witness: bool) -> None:
    block = sample(5)
    for place in (0, 3, 4):
        raw = encode(inclusion(block, place, witness=witness))
        for at in range(len(raw)):
            changed = bytearray(raw)
            changed[at] ^= 1 << at % 8
            with pytest.raises(InvalidInput):
                check_inclusion(decode(InclusionProof, bytes(changed)), block.header.merkle_root)


def test_parts_of_a_proof_left_out_added_or_exchanged_are_refused() -> None:
    block = sample(7)
    good, other = inclusion(block, 3), inclusion(block, 4)
    check_inclusion(good, block.header.merkle_root)
    wrong = [
        replace(good, **{name: value})
        for name in ("branch", "coinbase_branch", "witness_branch")
        for value in (
            getattr(good, name)[:-1],
            getattr(good, name)[1:],
            (*getattr(good, name), bytes(32)),
            getattr(good, name)[::-1],
            (),
        )
    ]
    names = ("transaction", "place", "branch", "witness_branch")
    wrong += [replace(good, **{name: getattr(other, name)}) for name in names]
    wrong += [replace(good, coinbase=good.transaction), replace(good, coinbase=coinbase(7).encode())]
    wrong += [replace(good, coinbase=block.transactions[0].base())]  # without the reserved value
    wrong += [replace(good, branch=good.branch[:-1], coinbase_branch=good.coinbase_branch[:-1])]
    for each in wrong:
        with pytest.raises(InvalidInput):
            check_inclusion(each, block.header.merkle_root)


def test_a_node_is_not_taken_for_a_transaction() -> None:
    """Two txids that together spell a transaction: whoever only folds believes it was paid."""
    raw = NODE_SIZED.encode()
    assert len(raw) == 64
    first = coinbase(9)
    txids = [first.txid, b"\x22" * 32, raw[:32], raw[32:]]
    root, branch = merkle_root(txids), (hash256(txids[0] + txids[1]),)
    assert fold(NODE_SIZED.txid, 1, branch) == root  # the attack works on a mere fold
    left = (txids[1], hash256(txids[2] + txids[3]))
    with pytest.raises(InvalidBitcoin, match="could be a node"):
        check_inclusion(InclusionProof(raw, 1, branch, first.base(), left, ()), root)


def test_a_transaction_is_not_taken_for_a_node() -> None:
    """A transaction of 64 bytes, the second half of which is the txid of a payment that never was."""
    payment, first = spend(b"\x33" * 32, 10**8), coinbase(9)
    half = b"\x44" * 32  # a real attack finds a first half that makes a transaction of both
    txids = [first.txid, hash256(half + payment.txid)]
    root, branch = merkle_root(txids), (half, txids[0])
    assert fold(payment.txid, 3, branch) == root  # the attack works on a mere fold
    with pytest.raises(InvalidBitcoin, match="not as deep as the coinbase"):
        check_inclusion(InclusionProof(payment.base(), 3, branch, first.base(), (txids[1],), ()), root)


def test_the_same_by_a_partial_tree_that_claims_more_transactions() -> None:
    payment, first = spend(b"\x33" * 32, 10**8), coinbase(9)
    half = b"\x44" * 32
    root = merkle_root([first.txid, hash256(half + payment.txid)])
    forged = PartialMerkleTree(4, (first.txid, half, payment.txid), bytes((0b10101,)))
    assert matches(forged) == (root, ((3, payment.txid),))  # the attack works on a mere tree
    with pytest.raises(InvalidBitcoin, match="other transactions"):
        check_partial(forged, payment.base(), first.base(), root)
    honest = build([first.txid, payment.txid], [0, 1])
    assert check_partial(
        honest, payment.base(), first.base(), merkle_root([first.txid, payment.txid])
    ) == decode_transaction(payment.base())


def test_a_partial_tree_must_prove_the_coinbase_and_one_more() -> None:
    block = sample(7)
    root, first, paying = block.header.merkle_root, block.transactions[0].base(), block.transactions[4].base()
    assert check_partial(build(block.txids, [0, 4]), paying, first, root).txid == block.txids[4]
    for wanted in ([4], [0], [0, 3], [0, 3, 4], [3, 4], []):
        with pytest.raises(InvalidBitcoin, match="other transactions"):
            check_partial(build(block.txids, wanted), paying, first, root)
    with pytest.raises(InvalidBitcoin, match="another block"):
        check_partial(build(block.txids, [0, 4]), paying, first, ZERO_HASH)
    with pytest.raises(InvalidBitcoin, match="proves nothing"):
        check_partial(build(block.txids, [0, 4]), block.transactions[4].encode(), first, root)


def test_a_witness_that_the_block_does_not_hold_is_refused() -> None:
    """The txid is the same, so only the commitment in the coinbase tells one signature from another."""
    block = sample(7)
    good = inclusion(block, 3)
    real = block.transactions[3]
    forged = replace(real, inputs=(real.inputs[0]._replace(witness=(b"\x52",)),))
    assert forged.txid == real.txid
    with pytest.raises(InvalidBitcoin, match="witness is not in the block"):
        check_inclusion(replace(good, transaction=forged.encode()), block.header.merkle_root)
    with pytest.raises(InvalidBitcoin, match="proves nothing"):
        check_inclusion(replace(good, transaction=real.base()), block.header.merkle_root)


def test_without_a_witness_nothing_of_witnesses_is_shown() -> None:
    """Or one proof had two spellings."""
    block = sample(7)
    plain, full = inclusion(block, 3, witness=False), inclusion(block, 3)
    for wrong in (
        replace(plain, coinbase=full.coinbase),
        replace(plain, witness_branch=full.witness_branch),
    ):
        with pytest.raises(InvalidBitcoin, match="proves nothing"):
            check_inclusion(wrong, block.header.merkle_root)
    tree = build(block.txids, [0, 3])
    with pytest.raises(InvalidBitcoin, match="proves nothing"):
        check_partial(tree, plain.transaction, full.coinbase, block.header.merkle_root)


def test_a_node_of_the_witness_tree_is_not_taken_for_a_transaction() -> None:
    """60 bytes that are in the block, with a witness that makes 64: the ids of two other transactions."""
    real = BitcoinTransaction((TxInput(b"\x11" * 32, 0),), (TxOutput(7, b""),))
    forged = replace(real, inputs=(real.inputs[0]._replace(witness=(b"",)),))
    raw = forged.encode()
    assert (len(real.base()), len(raw)) == (60, 64)
    beside = hash256(ZERO_HASH + b"\x66" * 32)
    root = hash256(beside + hash256(raw))  # of the witness tree: zero, 66..., and the halves of `raw`
    first = with_commitment(commitment_to(root, RESERVED))
    txids = [first.txid, real.txid, b"\x77" * 32, b"\x78" * 32]
    assert fold(forged.wtxid, 1, (beside,)) == root  # the attack works on a mere fold
    branches = merkle_branch(txids, 1), first.encode(), merkle_branch(txids, 0)
    with pytest.raises(InvalidBitcoin, match="witness not as deep"):
        check_inclusion(InclusionProof(raw, 1, *branches, (beside,)), merkle_root(txids))


@pytest.mark.parametrize("reserved", [(), (bytes(31),), (bytes(33),), (bytes(32), b"")])
def test_the_coinbase_s_witness_is_one_reserved_value(reserved: tuple[bytes, ...]) -> None:
    paying = spend(b"\x33" * 32, 10**8)
    root = merkle_root([ZERO_HASH, paying.wtxid])
    first = with_commitment(commitment_to(root, b"".join(reserved)), reserved)
    txids = [first.txid, paying.txid]
    branches = merkle_branch(txids, 1), first.encode(), merkle_branch(txids, 0)
    with pytest.raises(InvalidBitcoin, match="reserved value"):
        check_inclusion(InclusionProof(paying.encode(), 1, *branches, (ZERO_HASH,)), merkle_root(txids))


def with_commitment(commitment: bytes, reserved: tuple[bytes, ...] = (RESERVED,)) -> BitcoinTransaction:
    made = coinbase(9)
    outputs = (made.outputs[0], TxOutput(0, WITNESS_HEADER + commitment))
    return replace(made, inputs=(made.inputs[0]._replace(witness=reserved),), outputs=outputs)


def test_the_last_commitment_of_full_length_counts() -> None:
    """BIP141: the highest output whose script has at least 38 bytes and begins so."""
    one, two = b"\x01" * 32, b"\x02" * 32
    made = coinbase(9)
    scripts = [WITNESS_HEADER + one, WITNESS_HEADER + two + b"more", b"\x6a", WITNESS_HEADER + one[:-1]]
    found = replace(made, outputs=tuple(TxOutput(0, script) for script in scripts))
    assert witness_commitment(found) == two
    assert witness_commitment(replace(made, outputs=made.outputs[:1])) is None


def test_the_first_leaf_must_be_a_coinbase() -> None:
    """What is fixed in a coinbase is what keeps anybody from forging the height."""
    first, paying = spend(b"\x33" * 32, 10**8), spend(b"\x34" * 32, 10**8)
    txids = [first.txid, paying.txid]
    root = merkle_root(txids)
    with pytest.raises(InvalidBitcoin, match="not a coinbase"):
        check_inclusion(InclusionProof(paying.base(), 1, (txids[0],), first.base(), (txids[1],), ()), root)
    late = coinbase(9)
    txids = [first.txid, late.txid, paying.txid]
    with pytest.raises(InvalidBitcoin, match="other transactions"):
        check_partial(build(txids, [1, 2]), paying.base(), late.base(), merkle_root(txids))


def test_the_coinbase_s_own_witness_cannot_be_another() -> None:
    """Its place in the witness tree is zero, so the tree does not cover it."""
    block = sample(3)
    proof, first = inclusion(block, 0), block.transactions[0]
    forged = replace(first, inputs=(first.inputs[0]._replace(witness=(b"\x01" * 32,)),))
    with pytest.raises(InvalidBitcoin, match="another coinbase"):
        check_inclusion(replace(proof, transaction=forged.encode()), block.header.merkle_root)
