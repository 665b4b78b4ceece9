"""Which connections are members' of the federation, and which of them a message to a member takes.

Each side proves itself as soon as it has the other's hello (attestation.py); a node that is no member only checks the
proofs of others. Two nodes may connect to each other, so a member may have several connections: what is said to it
takes the one that was proved last, and what it says counts on each of them.
"""

from collections.abc import Callable
from typing import TypeAlias

from coinone.base.primitives.errors import DecodeError, InvalidSignature
from coinone.base.primitives.types import Hash32
from coinone.protocols.relay.attestation import check_attestation
from coinone.protocols.relay.limits import MEMBER_CONNECTIONS_MAX
from coinone.protocols.relay.messages import Attestation
from coinone.rules.consensus.federation import Federation

Attest: TypeAlias = Callable[[Hash32], tuple[int, bytes]]
"""This node's number as a member, and its signature for the connection with this handshake hash."""


class MemberLinks:
    """`attest` is None on a node that is no member, or the only one."""

    def __init__(self, chain_id: int, federation: Federation, attest: Attest | None) -> None:
        self._chain_id = chain_id
        self._federation = federation
        self._attest = attest
        self._own: int | None = None  # known since the first proof that this node made
        self._members: dict[int, int] = {}  # by peer, in the order of their proofs

    @property
    def has_voice(self) -> bool:
        """Whether this node is one of several members."""
        return self._attest is not None

    @property
    def connected(self) -> list[int]:
        """The members with a connection; from any thread."""
        return sorted(dict.fromkeys(list(self._members.values())))

    def member_of(self, peer: int) -> int | None:
        """The member that a connection proved to be, if it did."""
        return self._members.get(peer)

    def own_proof(self, handshake_hash: Hash32 | None) -> list[Attestation]:
        """What this node proves on a new connection: nothing, if it is no member or there is no channel."""
        if self._attest is None or handshake_hash is None:
            return []
        self._own, signature = self._attest(handshake_hash)
        return [Attestation(self._own, signature)]

    def prove(self, peer: int, proof: Attestation, handshake_hash: Hash32 | None) -> None:
        """Check a peer's proof. Raises InvalidSignature, or DecodeError for a second one."""
        if peer in self._members:
            raise DecodeError("proved twice which member it is")
        if proof.member == self._own:
            raise InvalidSignature("claims to be the member that this node is", member=proof.member)
        if handshake_hash is None:
            raise DecodeError("proves a member where there is no channel")
        check_attestation(self._federation, self._chain_id, handshake_hash, proof.member, proof.signature)
        self._members[peer] = proof.member

    def excess(self, member: int) -> list[int]:
        """The oldest connections of a member that has too many."""
        return [peer for peer, other in self._members.items() if other == member][:-MEMBER_CONNECTIONS_MAX]

    def sender(self, peer: int) -> int:
        """The member whose message this peer sends. Raises DecodeError."""
        if not self.has_voice:
            raise DecodeError("sent a message between members to a node that is none")
        if peer not in self._members:
            raise DecodeError("sent a message between members without proof that it is one")
        return self._members[peer]

    def routes(self, member: int | None) -> list[int]:
        """The connection to a member, or to each of them for None; a member without one is left out."""
        newest = {each: peer for peer, each in self._members.items()}
        if member is None:
            return list(newest.values())
        return [newest[member]] if member in newest else []

    def closed(self, peer: int) -> None:
        self._members.pop(peer, None)
