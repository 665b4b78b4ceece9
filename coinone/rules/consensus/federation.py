"""The federation: members that certify batches in two rounds of votes (D1).

A member votes *prepare* for a batch, and after a quorum of prepares *commit* for the batch together with the
digest of its results. Only a quorum of commits is a certificate. Quorum is floor(2n/3) + 1, so any two
quorums share an honest member while fewer than a third are not; a federation of one has a quorum of one and
runs the same code. A member signs at most one content per (term, seq, kind), and persists it before it
signs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

from coinone.base.crypto.secp256k1 import Signature, recover, sign
from coinone.base.primitives.errors import InvalidBatch, InvalidSignature
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import (
    Certificate,
    Signatures,
    SignedVote,
    Vote,
)
from coinone.rules.ledger.seal import FederatedSeal, GenesisSeal, MinedSeal, Seal


@dataclass(frozen=True, slots=True)
class Federation:
    """The members in a fixed order, which gives each its index."""

    members: tuple[Address, ...]

    def __post_init__(self) -> None:
        assert len(self.members) <= FEDERATION_MEMBERS_MAX, "federation too large"
        assert len(dict.fromkeys(self.members)) == len(self.members), "a member twice"

    @property
    def quorum(self) -> int:
        return div_down(2 * len(self.members), 3) + 1

    def leader(self, term: int) -> int:
        return term % len(self.members)


def sign_vote(vote: Vote, chain_id: int, member: int, key: bytes) -> SignedVote:
    return SignedVote(vote, member, pack_signature(sign(vote.content(chain_id), key)))


def check_vote(signed: SignedVote, chain_id: int, federation: Federation) -> None:
    """Raise InvalidSignature unless the named member signed the vote."""
    check_member(federation, signed.member, signed.vote.content(chain_id), signed.signature)


def certificate_of(votes: Sequence[SignedVote]) -> Certificate:
    """The certificate from a quorum of equal commits."""
    vote = votes[0].vote
    assert all(signed.vote == vote for signed in votes), "votes differ"
    return Certificate(vote.term, vote.seq, vote.batch_hash, vote.results, signatures_of(votes))


def signatures_of(votes: Iterable[SignedVote]) -> Signatures:
    return tuple(sorted((signed.member, signed.signature) for signed in votes))


def check_certificate(certificate: Certificate, chain_id: int, federation: Federation) -> None:
    """Raise InvalidBatch unless a quorum of the federation signed it."""
    check_quorum("certificate", [member for member, _ in certificate.signatures], federation)
    check_signatures("certificate", certificate.vote, certificate.signatures, chain_id, federation)


def check_quorum(what: str, members: Sequence[int], federation: Federation) -> None:
    """Raise InvalidBatch unless `members` are distinct, in order, and a quorum."""
    if any(left >= right for left, right in pairwise(members)):
        raise InvalidBatch(f"{what}: members not rising")
    if len(members) < federation.quorum:
        raise InvalidBatch(f"{what}: no quorum", want=federation.quorum, have=len(members))


def check_signatures(
    what: str, vote: Vote, signatures: Signatures, chain_id: int, federation: Federation
) -> None:
    """Raise InvalidBatch unless all these members signed `vote`."""
    content = vote.content(chain_id)
    for member, signature in signatures:
        try:
            check_member(federation, member, content, signature)
        except InvalidSignature as error:
            raise InvalidBatch(f"{what}: bad signature", member=member) from error


def check_member(federation: Federation, member: int, content: Hash32, signature: bytes) -> None:
    """Raise InvalidSignature unless member number `member` signed `content`."""
    if not 0 <= member < len(federation.members):
        raise InvalidSignature("no such member", member=member)
    if recover(content, *unpack_signature(signature)) != federation.members[member]:
        raise InvalidSignature("signed by somebody else", member=member)


def check_seal(seal: Seal, block_hash: Hash32, federation: Federation) -> None:
    """Raise InvalidSignature unless a member of the federation sealed the block."""
    match seal:
        case FederatedSeal(member, signature):
            check_member(federation, member, block_hash, signature)
        case MinedSeal():
            raise InvalidSignature("mined, and this network's blocks are its federation's")
        case GenesisSeal():
            raise InvalidSignature("nobody sealed it")
        case _:
            assert_never(seal)


def pack_signature(signature: Signature) -> bytes:
    return signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes((signature.v,))


def unpack_signature(data: bytes) -> Signature:
    if len(data) != 65:
        raise InvalidSignature("signature has the wrong length", have=len(data))
    return Signature(int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big"), data[64])


def check_certified(certified: CertifiedBatch, chain_id: int, federation: Federation) -> None:
    """Raise InvalidBatch unless a quorum signed results of exactly this batch."""
    batch, certificate = certified.batch, certified.certificate
    if (certificate.seq, certificate.batch_hash) != (batch.seq, batch.hash):
        raise InvalidBatch("certificate is for another batch", seq=batch.seq, certified=certificate.seq)
    check_certificate(certificate, chain_id, federation)
