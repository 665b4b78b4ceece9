"""Bitcoin's networks: what differs between them in the rules of headers (Core's kernel/chainparams.cpp)."""

from dataclasses import dataclass

from coinone.base.primitives.integers import div_down
from coinone.rules.bitcoin.header import BitcoinHeader

_FIRST_ROOT = bytes.fromhex("3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a")


@dataclass(frozen=True, slots=True)
class BitcoinNetwork:
    name: str
    genesis: BitcoinHeader
    limit: int  # the easiest target
    version_heights: tuple[
        int, int, int
    ]  # from which a header's version is at least 2 (BIP34), 3 (BIP66), 4 (BIP65)
    spacing: int = 600  # seconds between blocks
    timespan: int = 14 * 86_400  # seconds in which a period is meant to be mined
    allows_easy_blocks: bool = False  # at the limit, after twice the spacing without a block
    retargets: bool = True
    bip94: bool = (
        False  # retargets from the period's first bits, and its first block is not far before the last one
    )

    @property
    def period(self) -> int:
        """Headers between two changes of the target."""
        return div_down(self.timespan, self.spacing)


def _genesis(time: int, bits: int, nonce: int, root: bytes = _FIRST_ROOT) -> BitcoinHeader:
    return BitcoinHeader(1, bytes(32), root, time, bits, nonce)


_LIMIT = (1 << 224) - 1

MAIN = BitcoinNetwork(
    "main", _genesis(1_231_006_505, 0x1D00FFFF, 2_083_236_893), _LIMIT, (227_931, 363_725, 388_381)
)
TESTNET3 = BitcoinNetwork(
    "testnet3",
    _genesis(1_296_688_602, 0x1D00FFFF, 414_098_458),
    _LIMIT,
    (21_111, 330_776, 581_885),
    allows_easy_blocks=True,
)
TESTNET4 = BitcoinNetwork(
    "testnet4",
    _genesis(
        1_714_777_860,
        0x1D00FFFF,
        393_743_547,
        bytes.fromhex("4e7b2b9128fe0291db0693af2ae418b767e657cd407e80cb1434221eaea7a07a"),
    ),
    _LIMIT,
    (1, 1, 1),
    allows_easy_blocks=True,
    bip94=True,
)
REGTEST = BitcoinNetwork(
    "regtest",
    _genesis(1_296_688_602, 0x207FFFFF, 2),
    (1 << 255) - 1,
    (1, 1, 1),
    timespan=86_400,
    allows_easy_blocks=True,
    retargets=False,
)
