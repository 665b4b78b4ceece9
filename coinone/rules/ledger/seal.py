"""Seals: proofs of who made a block.

Code that handles one matches on its kind, so that an unhandled kind is a type error (`check_seal` in
consensus/federation.py). Mined blocks will come with their own, and a header that has a place for it.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.records import codec_of, record
from coinone.base.primitives.types import U16, Signature65


@record
@dataclass(frozen=True, slots=True)
class FederatedSeal:
    """A member's signature of the block's hash; on dev the federation is the node alone."""

    member: U16
    signature: Signature65


@dataclass(frozen=True, slots=True)
class GenesisSeal:
    """No seal: genesis is agreed upon, not made. Written as member 0 with a signature of zeros."""


_SIGNED = codec_of(FederatedSeal)
_UNSIGNED = FederatedSeal(0, bytes(65))


def _encode(seal: FederatedSeal | GenesisSeal) -> bytes:
    return _SIGNED.encode(_UNSIGNED if isinstance(seal, GenesisSeal) else seal)


def _decode(item: rlp.Item) -> FederatedSeal | GenesisSeal:
    seal: FederatedSeal = _SIGNED.decode(item)
    return GenesisSeal() if seal == _UNSIGNED else seal


Seal: TypeAlias = Annotated[FederatedSeal | GenesisSeal, Codec(_encode, _decode)]
