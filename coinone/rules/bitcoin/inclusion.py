"""Proofs that a transaction is in the block of a header, and checks against what only looks like one.

A node of the tree is the hash of 64 bytes. A transaction of exactly 64 bytes can therefore be taken for a node, and a
node for a transaction, so that a branch one level too short or too long proves a payment that never was
(CVE-2017-12842). Both are refused: no transaction here has 64 bytes, and the block's coinbase is proved beside it,
which shows how high the tree is. A coinbase cannot be such a forgery: 28 of its first 32 bytes are fixed, and a
transaction whose hash has those bytes takes 2^224 tries to find.

A txid does not cover the witnesses. Where a transaction is shown with them, a second branch leads to the commitment in
the coinbase (BIP141); shown without them, it says nothing about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from coinone.base.primitives.records import record
from coinone.base.primitives.types import U32, ZERO_HASH, Count, Hash32
from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.merkle import BRANCH_MAX, fold
from coinone.rules.bitcoin.partial_merkle import PartialMerkleTree, matches
from coinone.rules.bitcoin.transaction import BitcoinTransaction, decode_transaction

NODE_BYTES = 64
WITNESS_HEADER = bytes.fromhex("6a24aa21a9ed")  # of the output that commits to the witnesses
_COMMITMENT_BYTES = 38  # of its script, at least


@record
@dataclass(frozen=True, slots=True)
class InclusionProof:
    transaction: bytes
    place: U32  # in the block
    branch: Annotated[tuple[Hash32, ...], Count(BRANCH_MAX)]
    coinbase: bytes  # with its witness where `transaction` has one
    coinbase_branch: Annotated[tuple[Hash32, ...], Count(BRANCH_MAX)]
    witness_branch: Annotated[
        tuple[Hash32, ...], Count(BRANCH_MAX)
    ]  # empty where `transaction` has no witness


def check_inclusion(proof: InclusionProof, merkle_root: Hash32) -> BitcoinTransaction:
    """The transaction that the block with this root holds. Raises InvalidBitcoin, DecodeError or LimitExceeded."""
    transaction, coinbase = _decode(proof.transaction), _decode_coinbase(proof.coinbase)
    if len(proof.branch) != len(proof.coinbase_branch):
        raise InvalidBitcoin(
            "leaf not as deep as the coinbase", want=len(proof.coinbase_branch), have=len(proof.branch)
        )
    if fold(coinbase.txid, 0, proof.coinbase_branch) != merkle_root:
        raise InvalidBitcoin("coinbase is not in the block")
    if fold(transaction.txid, proof.place, proof.branch) != merkle_root:
        raise InvalidBitcoin("transaction is not in the block")
    _check_witness(transaction, proof.place, proof.witness_branch, coinbase, len(proof.branch))
    return transaction


def check_partial(
    tree: PartialMerkleTree, transaction: bytes, coinbase: bytes, merkle_root: Hash32
) -> BitcoinTransaction:
    """The same by a partial tree that proves just the coinbase and one more. It says nothing of witnesses."""
    paying, first = _decode(transaction), _decode_coinbase(coinbase)
    found = matches(tree)
    if found.root != merkle_root:
        raise InvalidBitcoin("tree of another block", want=merkle_root, have=found.root)
    if paying.has_witness or first.has_witness:
        raise InvalidBitcoin("witness that proves nothing")
    txids = [txid for _, txid in found.leaves]
    if txids != [first.txid, paying.txid] or found.leaves[0][0] != 0:
        raise InvalidBitcoin("tree proves other transactions", have=len(txids))
    return paying


def witness_commitment(coinbase: BitcoinTransaction) -> Hash32 | None:
    """What a coinbase commits to: of several such outputs the last counts."""
    found = [
        paid.script
        for paid in coinbase.outputs
        if paid.script.startswith(WITNESS_HEADER) and len(paid.script) >= _COMMITMENT_BYTES
    ]
    return found[-1][len(WITNESS_HEADER) : _COMMITMENT_BYTES] if found else None


def commitment_to(witness_root: Hash32, reserved: bytes) -> Hash32:
    """What must stand in the coinbase: `witness_root` is over the wtxids, with zero for the coinbase's own."""
    return hash256(witness_root + reserved)


def _check_witness(
    transaction: BitcoinTransaction,
    place: int,
    branch: Sequence[Hash32],
    coinbase: BitcoinTransaction,
    height: int,
) -> None:
    if transaction.is_coinbase and transaction != coinbase:
        raise InvalidBitcoin("another coinbase")
    if not transaction.has_witness:
        if branch or coinbase.has_witness:
            raise InvalidBitcoin("witness that proves nothing")
        return
    if len(branch) != height:
        raise InvalidBitcoin("witness not as deep as the coinbase", want=height, have=len(branch))
    reserved = coinbase.inputs[0].witness
    if len(reserved) != 1 or len(reserved[0]) != 32:
        raise InvalidBitcoin("coinbase without its reserved value")
    leaf = ZERO_HASH if transaction.is_coinbase else transaction.wtxid
    if commitment_to(fold(leaf, place, branch), reserved[0]) != witness_commitment(coinbase):
        raise InvalidBitcoin("witness is not in the block")


def _decode(data: bytes) -> BitcoinTransaction:
    transaction = decode_transaction(data)
    if len(transaction.base()) == NODE_BYTES:
        raise InvalidBitcoin("transaction could be a node of the tree", have=NODE_BYTES)
    return transaction


def _decode_coinbase(data: bytes) -> BitcoinTransaction:
    coinbase = _decode(data)
    if not coinbase.is_coinbase:
        raise InvalidBitcoin("not a coinbase")
    return coinbase
