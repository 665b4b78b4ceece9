"""Proof that a Bitcoin block's work was also spent on ours: the coinbase, compressed, commits to our content.

A miner puts `tag` and value into the last outputs of the coinbase. The proof, beside the 80 bytes of Bitcoin's header,
is the Merkle branch of the coinbase and the coinbase itself as a *midstate* (midstate.py) and its end, the *tail*. The
block need not be valid on Bitcoin: an invalid one costs the same work. One header must stand for one value, or its
work would count twice; each rule below closes a way around that (RSKIP92, Rootstock's Rskip92MerkleProofValidator).
Several chains can share a coinbase: each looks at its own tag and cuts at its own place.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.records import record
from coinone.base.primitives.types import Hash32, Size
from coinone.rules.bitcoin.commitment import FORK_DATA_BYTES
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import BitcoinHeader, decode_header
from coinone.rules.bitcoin.merkle import fold
from coinone.rules.bitcoin.midstate import BLOCK_BYTES, START, advance, finish
from coinone.rules.bitcoin.script import OP_RETURN, push
from coinone.rules.bitcoin.target import as_number
from coinone.rules.bitcoin.transaction import TxOutput

_COUNT, _STATE = 8, 32  # bytes of a compressed coinbase before its tail


@dataclass(frozen=True, slots=True)
class MergedMiningRules:
    """What forks a chain if it changes. The limits are Rootstock's, and ours."""

    tag: bytes
    value_bytes: int  # that follow the tag
    siblings_reversed: bool = False  # as explorers show them; Rootstock's branches are written so
    behind_max: int = 128  # bytes behind the value: another chain's output, witness commitment, lock time
    branch_bytes_max: int = 960  # 30 siblings (RSKIP180); a block of today's size has 15 at most
    count_max: int = 1 << 20  # bytes before the tail: a coinbase is smaller than a block
    time_distance: int = 300  # seconds: Bitcoin's time and the side chain's differ by less (RSKIP179)

    @property
    def coinbase_bytes_max(self) -> int:
        """Of a compressed coinbase."""
        return _COUNT + _STATE + BLOCK_BYTES - 1 + len(self.tag) + self.value_bytes + self.behind_max


COINONE = MergedMiningRules(b"CNOBLOCK:", 32 + FORK_DATA_BYTES)


@record
@dataclass(frozen=True, slots=True)
class MergedMiningProof:
    """What stands beside a header and is not part of its hash."""

    branch: Annotated[bytes, Size(0, COINONE.branch_bytes_max)]
    coinbase: Annotated[bytes, Size(0, COINONE.coinbase_bytes_max)]


def check_merged_mining(
    header: bytes,
    proof: MergedMiningProof,
    value: bytes,
    difficulty: int,
    time: int,
    rules: MergedMiningRules,
) -> None:
    """Whether the work of this Bitcoin header was spent on `value`. Raises InvalidBitcoin, or DecodeError."""
    bitcoin = decode_header(header)
    if difficulty < 1 or as_number(bitcoin.hash) > div_down(1 << 256, difficulty):
        raise InvalidBitcoin("not enough work", have=bitcoin.hash, difficulty=difficulty)
    if abs(bitcoin.time - time) >= rules.time_distance:
        raise InvalidBitcoin("Bitcoin's time is far from the block's", want=time, have=bitcoin.time)
    if _committed_value(proof.coinbase, rules) != value:
        raise InvalidBitcoin("committed to another block")
    _check_branch(bitcoin, proof, rules)


def _committed_value(coinbase: bytes, rules: MergedMiningRules) -> bytes:
    """The value behind the last tag of a compressed coinbase."""
    count, state, tail = _parts(coinbase)
    if count % BLOCK_BYTES or count > rules.count_max:
        raise InvalidBitcoin("bytes before the midstate", have=count, most=rules.count_max)
    if count == 0 and state != START:
        raise InvalidBitcoin("midstate of nothing is not SHA-256's first")
    if count + len(tail) <= BLOCK_BYTES:
        raise InvalidBitcoin("coinbase could be a node of the tree", have=count + len(tail))
    place = tail.rfind(rules.tag)
    if not 0 <= place < BLOCK_BYTES:
        raise InvalidBitcoin("tag is not in the first block of the tail", have=place)
    after = tail[place + len(rules.tag) :]
    if not rules.value_bytes <= len(after) <= rules.value_bytes + rules.behind_max:
        raise InvalidBitcoin(
            "bytes behind the tag", have=len(after), most=rules.value_bytes + rules.behind_max
        )
    return after[: rules.value_bytes]


def _check_branch(bitcoin: BitcoinHeader, proof: MergedMiningProof, rules: MergedMiningRules) -> None:
    if len(proof.branch) % 32 or len(proof.branch) > rules.branch_bytes_max:
        raise InvalidBitcoin("length of the branch", have=len(proof.branch), most=rules.branch_bytes_max)
    count, state, tail = _parts(proof.coinbase)
    once = finish(state, count, tail)
    step = -1 if rules.siblings_reversed else 1
    siblings = [proof.branch[at : at + 32][::step] for at in range(0, len(proof.branch), 32)]
    if fold(hashlib.sha256(once).digest(), 0, siblings) != bitcoin.merkle_root:
        raise InvalidBitcoin("coinbase is not in the block")


def _parts(coinbase: bytes) -> tuple[int, bytes, bytes]:
    if len(coinbase) < _COUNT + _STATE:
        raise DecodeError("compressed coinbase too short", have=len(coinbase))
    count = int.from_bytes(coinbase[:_COUNT], "big")
    return count, coinbase[_COUNT : _COUNT + _STATE], coinbase[_COUNT + _STATE :]


def tag_output(value: bytes, rules: MergedMiningRules) -> TxOutput:
    """The output that a miner adds to a coinbase, behind all that varies and is long."""
    assert len(value) == rules.value_bytes, "a value of another size than the rules'"
    return TxOutput(0, bytes((OP_RETURN,)) + push(rules.tag + value))


def prove(coinbase: bytes, branch: tuple[Hash32, ...], rules: MergedMiningRules) -> MergedMiningProof:
    """The proof of a coinbase (its bytes without witness) that holds the tag, and of its branch."""
    place = coinbase.rfind(rules.tag)
    assert place >= 0, "a coinbase without the tag"
    cut = place - place % BLOCK_BYTES
    step = -1 if rules.siblings_reversed else 1
    compressed = cut.to_bytes(_COUNT, "big") + advance(START, coinbase[:cut]) + coinbase[cut:]
    return MergedMiningProof(b"".join(sibling[::step] for sibling in branch), compressed)
