"""What of a genesis that a stranger sends is refused."""

import pytest

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.parameters import FEDERATION_MEMBERS_MAX
from coinone.base.primitives.records import decode, encode
from coinone.rules.chain.genesis import Genesis
from coinone.rules.consensus.federation import Federation


def member(n: int) -> bytes:
    return n.to_bytes(20, "big")


@pytest.mark.parametrize(
    "members", [[member(1), member(1)], [member(n) for n in range(FEDERATION_MEMBERS_MAX + 1)]]
)
def test_a_genesis_with_a_member_twice_or_with_too_many_is_refused(members: list[bytes]) -> None:
    with pytest.raises(DecodeError):
        decode(Genesis, rlp.encode([1, members, [], bytes(32)]))


def test_a_genesis_is_read_as_it_was_written() -> None:
    genesis = Genesis(1, Federation((member(1), member(2))), (member(3),), bytes(32))
    assert decode(Genesis, encode(genesis)) == genesis
