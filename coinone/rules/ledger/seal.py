"""Seals: proofs of who made a block.

Code that handles one matches on its kind, so that an unhandled kind is a type error (`check_seal` in
consensus/federation.py). A federation's seal is a list of two fields, a mined one of three.
"""

from dataclasses import dataclass, fields
from typing import Annotated, TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.records import codec_of, record
from coinone.base.primitives.types import U16, Signature65, Size
from coinone.rules.bitcoin.header import HEADER_BYTES
from coinone.rules.bitcoin.merged_mining import COINONE, MergedMiningProof


@record
@dataclass(frozen=True, slots=True)
class FederatedSeal:
    """A member's signature of the block's hash; on dev the federation is the node alone."""

    member: U16
    signature: Signature65


@record
@dataclass(frozen=True, slots=True)
class MinedSeal:
    """Bitcoin's work: a Bitcoin header, and where its coinbase commits to the block (rules/bitcoin)."""

    bitcoin_header: Annotated[bytes, Size(HEADER_BYTES, HEADER_BYTES)]
    branch: Annotated[bytes, Size(0, COINONE.branch_bytes_max)]
    coinbase: Annotated[bytes, Size(0, COINONE.coinbase_bytes_max)]

    @property
    def proof(self) -> MergedMiningProof:
        return MergedMiningProof(self.branch, self.coinbase)


@dataclass(frozen=True, slots=True)
class GenesisSeal:
    """No seal: genesis is agreed upon, not made. Written as member 0 with a signature of zeros."""


_SIGNED, _MINED = codec_of(FederatedSeal), codec_of(MinedSeal)
_MINED_FIELDS = len(fields(MinedSeal))
_UNSIGNED = FederatedSeal(0, bytes(65))
AnySeal: TypeAlias = FederatedSeal | MinedSeal | GenesisSeal


def _encode(seal: AnySeal) -> bytes:
    match seal:
        case MinedSeal():
            return _MINED.encode(seal)
        case FederatedSeal():
            return _SIGNED.encode(seal)
        case GenesisSeal():
            return _SIGNED.encode(_UNSIGNED)


def _decode(item: rlp.Item) -> AnySeal:
    if isinstance(item, list) and len(item) == _MINED_FIELDS:
        mined: MinedSeal = _MINED.decode(item)
        return mined
    seal: FederatedSeal = _SIGNED.decode(item)
    return GenesisSeal() if seal == _UNSIGNED else seal


Seal: TypeAlias = Annotated[AnySeal, Codec(_encode, _decode)]
