"""A branch of headers: each new one is checked against what the rules look back to, and that is all that is kept.

`extend` makes a tip of a tip and a header; both are values, so side branches cost nothing but their tips, and the best
branch is the one with the most `work`. Rules: Core's ContextualCheckBlockHeader, GetNextWorkRequired and
CalculateNextWorkRequired. The one rule that needs a clock stands apart, `check_not_ahead`.
"""

from dataclasses import dataclass
from typing import Annotated

from coinone.base.primitives.integers import clamp, div_down
from coinone.base.primitives.records import record
from coinone.base.primitives.types import U32, U256, Count, Hash32
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import BitcoinHeader
from coinone.rules.bitcoin.networks import BitcoinNetwork
from coinone.rules.bitcoin.target import as_number, bits_of, target_of, work_of

MEDIAN_TIMES = 11  # headers whose median time the next one must exceed
AHEAD_SECONDS_MAX = 7_200  # of a header's time before the reader's clock (MAX_FUTURE_BLOCK_TIME)
BACK_SECONDS_MAX = 600  # of a period's first header behind the one before it (BIP94)


@record
@dataclass(frozen=True, slots=True)
class ChainTip:
    """The newest header of a branch, with what the rules of the next ones need of those below."""

    hash: Hash32
    height: U32
    work: U256  # of the branch
    bits: U32
    usual_bits: U32  # of the newest header that was not an easy one, in this period
    period_time: U32  # of the first header of the period
    period_bits: U32
    times: Annotated[tuple[U32, ...], Count(MEDIAN_TIMES)]  # newest last

    @property
    def time(self) -> int:
        return self.times[-1]

    @property
    def median_time_past(self) -> int:
        return sorted(self.times)[len(self.times) // 2]


def genesis_tip(network: BitcoinNetwork) -> ChainTip:
    genesis = network.genesis
    bits = genesis.bits
    return ChainTip(genesis.hash, 0, work_of(bits), bits, bits, genesis.time, bits, (genesis.time,))


def extend(tip: ChainTip, header: BitcoinHeader, network: BitcoinNetwork) -> ChainTip:
    """The branch with one more header. Raises InvalidBitcoin."""
    height, begins = tip.height + 1, (tip.height + 1) % network.period == 0
    if header.parent_hash != tip.hash:
        raise InvalidBitcoin("another parent", want=tip.hash, have=header.parent_hash)
    bits = next_bits(tip, header.time, network)
    if header.bits != bits:
        raise InvalidBitcoin("another target than the rule gives", want=bits, have=header.bits)
    if header.time <= tip.median_time_past:
        raise InvalidBitcoin("time not after the median", median=tip.median_time_past, have=header.time)
    if network.bip94 and begins and header.time < tip.time - BACK_SECONDS_MAX:
        raise InvalidBitcoin("period begins too far back", parent=tip.time, have=header.time)
    _check_version(header.version, height, network)
    digest = header.hash
    check_work(digest, bits, network)
    easy = bits == bits_of(network.limit) and not begins
    return ChainTip(
        digest,
        height,
        tip.work + work_of(bits),
        bits,
        tip.usual_bits if easy else bits,
        header.time if begins else tip.period_time,
        bits if begins else tip.period_bits,
        (*tip.times[1 - MEDIAN_TIMES :], header.time),
    )


def next_bits(tip: ChainTip, time: int, network: BitcoinNetwork) -> int:
    """The target of the next header, in four bytes, if it has this time."""
    if (tip.height + 1) % network.period:
        if not network.allows_easy_blocks:
            return tip.bits
        return bits_of(network.limit) if time > tip.time + 2 * network.spacing else tip.usual_bits
    if not network.retargets:
        return tip.bits
    old = target_of(tip.period_bits if network.bip94 else tip.bits)
    return retarget(old, tip.time - tip.period_time, network)


def retarget(target: int, seconds: int, network: BitcoinNetwork) -> int:
    """The target after a period that took so long, in four bytes: proportional, within a factor of 4, rounded down.

    The time runs from a period's first header to its last: one spacing less than a period, and Bitcoin keeps it so.
    """
    seconds = clamp(seconds, div_down(network.timespan, 4), network.timespan * 4)
    return bits_of(min(div_down(target * seconds, network.timespan), network.limit))


def check_work(digest: Hash32, bits: int, network: BitcoinNetwork) -> None:
    """Whether a header's hash meets the target that it states, and that is one of the network's."""
    target = target_of(bits)
    if target > network.limit:
        raise InvalidBitcoin("target above the network's limit", have=bits)
    if as_number(digest) > target:
        raise InvalidBitcoin("not enough work", have=digest)


def check_not_ahead(header: BitcoinHeader, now: int) -> None:
    """Whether a header may be taken at this time, in seconds. Refused now, it may be valid later."""
    if header.time > now + AHEAD_SECONDS_MAX:
        raise InvalidBitcoin("time too far ahead", most=now + AHEAD_SECONDS_MAX, have=header.time)


def _check_version(version: int, height: int, network: BitcoinNetwork) -> None:
    least = 1 + sum(height >= start for start in network.version_heights)
    if least > 1 and version < least:
        raise InvalidBitcoin("version too old", least=least, have=version)
