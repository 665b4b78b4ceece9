"""Whole blocks of regtest: what a miner and wallets would make, so that proofs have something to prove.

Coins are paid to a script that anybody may spend (OP_1 behind a witness), so nothing needs a key.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from coinone.base.primitives.types import ZERO_HASH
from coinone.rules.bitcoin.encoding import compact_size
from coinone.rules.bitcoin.header import BitcoinHeader
from coinone.rules.bitcoin.inclusion import WITNESS_HEADER, InclusionProof, commitment_to
from coinone.rules.bitcoin.merkle import merkle_branch, merkle_root
from coinone.rules.bitcoin.script import Destination, OutputKind, push
from coinone.rules.bitcoin.transaction import BitcoinTransaction, TxInput, TxOutput
from tests.rules.bitcoin.mining import mine

OPEN = b"\x51"  # OP_1: whoever shows this script may spend
OPEN_OUTPUT = Destination(OutputKind.P2WSH, hashlib.sha256(OPEN).digest()).script
SUBSIDY = 50 * 10**8  # satoshi; a block of the first 150 of regtest
RESERVED = bytes(32)


@dataclass(frozen=True)
class Block:
    header: BitcoinHeader
    transactions: tuple[BitcoinTransaction, ...]  # the coinbase first

    def encode(self) -> bytes:
        count = compact_size(len(self.transactions))
        return self.header.encode() + count + b"".join(each.encode() for each in self.transactions)

    @cached_property
    def txids(self) -> list[bytes]:
        return [each.txid for each in self.transactions]

    @cached_property
    def wtxids(self) -> list[bytes]:
        return [ZERO_HASH, *(each.wtxid for each in self.transactions[1:])]


def height_push(height: int) -> bytes:
    """How a coinbase's script begins (BIP34); behind it a byte, since a script of one is too short."""
    if height <= 16:
        return bytes((0x50 + height, 0))
    return push(height.to_bytes(height.bit_length() // 8 + 1, "little"))


def spend(
    txid: bytes, value: int, outputs: Sequence[TxOutput] = (), *, output: int = 0
) -> BitcoinTransaction:
    """Spends an open output of `value`; what `outputs` leave, less a fee, is paid to an open output again."""
    rest = value - 1_000 - sum(paid.value for paid in outputs)
    spent = TxInput(txid, output, witness=(OPEN,))
    return BitcoinTransaction((spent,), (TxOutput(rest, OPEN_OUTPUT), *outputs))


def coinbase(
    height: int, others: Sequence[BitcoinTransaction] = (), last: Sequence[TxOutput] = (), extra: bytes = b""
) -> BitcoinTransaction:
    root = merkle_root([ZERO_HASH, *(each.wtxid for each in others)])
    outputs = (
        TxOutput(SUBSIDY >> height // 150, OPEN_OUTPUT),
        TxOutput(0, WITNESS_HEADER + commitment_to(root, RESERVED)),
        *last,
    )
    script = height_push(height) + extra
    return BitcoinTransaction((TxInput(ZERO_HASH, 0xFFFFFFFF, script, witness=(RESERVED,)),), outputs)


def block(
    parent: bytes,
    height: int,
    time: int,
    others: Sequence[BitcoinTransaction] = (),
    last: Sequence[TxOutput] = (),
    *,
    target: int | None = None,
) -> Block:
    transactions = (coinbase(height, others, last), *others)
    root = merkle_root([each.txid for each in transactions])
    header = BitcoinHeader(0x20000000, parent, root, time, 0x207FFFFF, 0)
    return Block(mine(header, target), transactions)


def inclusion(found: Block, place: int, *, witness: bool = True) -> InclusionProof:
    """The proof of the transaction at `place`, with its witness or without."""
    transaction, first = found.transactions[place], found.transactions[0]
    return InclusionProof(
        transaction.encode() if witness else transaction.base(),
        place,
        merkle_branch(found.txids, place),
        first.encode() if witness else first.base(),
        merkle_branch(found.txids, 0),
        merkle_branch(found.wtxids, place) if witness else (),
    )


def sample(count: int = 7) -> Block:
    """A block of so many transactions, of a chain that does not exist."""
    others = [spend(hashlib.sha256(bytes((n,))).digest(), SUBSIDY) for n in range(1, count)]
    return block(ZERO_HASH, 120, 1_700_000_000, others)
