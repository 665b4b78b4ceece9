"""Rootstock's blocks of July 2022, the only chain whose merged mining can be checked against real work.

A header is an RLP list; the rules are those of rskj: BlockHeader.getEncoded and getHashForMergedMining, RSKIP92, 110,
156 and 177. They are a test's only: our own chain has another header and another rule of difficulty.
"""

from dataclasses import dataclass
from functools import cache

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.rules.bitcoin.merged_mining import MergedMiningProof, MergedMiningRules
from tests.rules.bitcoin import samples

RULES = MergedMiningRules(b"RSKBLOCK:", 32, siblings_reversed=True)
FORK_DATA_STEP = 64
SECONDS, DIVISOR = 14, 400  # of a solution; of a step of the difficulty
FIELDS_BEFORE_BITCOIN, WITH_BITCOIN = 17, 18


@dataclass(frozen=True)
class RskHeader:
    hash: bytes
    fields: list[bytes]

    def number_at(self, index: int) -> int:
        return int.from_bytes(self.fields[index], "big")

    @property
    def parent_hash(self) -> bytes:
        return self.fields[0]

    @property
    def difficulty(self) -> int:
        return self.number_at(7)

    @property
    def number(self) -> int:
        return self.number_at(8)

    @property
    def timestamp(self) -> int:
        return self.number_at(11)

    @property
    def minimum_gas_price(self) -> int:
        return self.number_at(14)

    @property
    def uncles(self) -> int:
        return self.number_at(15)

    @property
    def bitcoin(self) -> bytes:
        return self.fields[17]

    @property
    def proof(self) -> MergedMiningProof:
        return MergedMiningProof(self.fields[18], self.fields[19])

    @property
    def content(self) -> bytes:
        """20 bytes of the hash of all that is not about Bitcoin."""
        short = keccak256(rlp.encode(self.fields[:FIELDS_BEFORE_BITCOIN]))[:20]
        umm_root = self.fields[16]
        return keccak256(short + umm_root)[:20] if umm_root else short


@cache
def headers() -> tuple[RskHeader, ...]:
    found = []
    for number, block_hash, raw in samples.rows("rsk_mainnet_headers_4479841_4480943.txt"):
        fields = rlp.decode(bytes.fromhex(raw))
        header = RskHeader(bytes.fromhex(block_hash), fields)
        assert header.number == int(number)
        found.append(header)
    return tuple(found)


def next_difficulty(parent: RskHeader, timestamp: int, uncles: int) -> int:
    """DifficultyCalculator after RSKIP156."""
    seconds, aim = timestamp - parent.timestamp, SECONDS * (1 + uncles)
    step = parent.difficulty // DIVISOR
    return parent.difficulty + (step if seconds < aim else -step if seconds > aim else 0)
