"""The order of a batch is fixed by rule, not by whoever builds it (D2).

Segments run one after another: (3) cancels, (4) account actions, (5) actions whose orders are all post-only,
(6) the other orders, (7) transfers to the EVM. An action is classed whole, by its most aggressive order; a
modify by its new order. Cancels before takers lets a maker withdraw a stale quote in the same batch.

Within segments 3, 4 and 7, accounts come by keccak(seed, account), taking turns, one item per turn; in those of
orders, 5 and 6, they race by the margin at stake (batch/race.py). An account's own items go by (nonce, signer, digest).
The seed is unknown when an action is submitted, so nobody can queue-jump.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.wire.types import Action, Form, Operations, SendAsset, VerifiedAction
from coinone.rules.ledger.turns import in_turns


class Segment(IntEnum):
    CANCELS = 3
    ACCOUNT = 4
    POST_ONLY = 5
    TAKERS = 6
    TRANSFERS_OUT = 7


@dataclass(frozen=True, slots=True)
class Item:
    """An included action: `account` is the slot it acts for, `index` its place among the actions handed in.

    `before` ranks an account's system and contract items ahead of its signed ones."""

    index: int
    action: Action
    account: int
    address: Address
    nonce: int
    signer: Address
    digest: Hash32
    tx_hash: Hash32
    before: int = 0
    signed: VerifiedAction | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[int, int, Address, Hash32]:
        """Order among the account's own items."""
        return (self.before, self.nonce, self.signer, self.digest)


def segment_of(action: Action, system_address: Address) -> Segment:
    """The class of an action."""
    if isinstance(action, Operations):
        if action.form is Form.CANCELS:
            return Segment.CANCELS
        return Segment.POST_ONLY if action.post_only else Segment.TAKERS
    if isinstance(action, SendAsset) and action.destination == system_address:
        return Segment.TRANSFERS_OUT
    return Segment.ACCOUNT


def ranked(items: Iterable[Item], seed: Hash32) -> list[Item]:
    """Items in execution order: accounts by hash, taking turns; an account's own by their keys."""
    return in_turns(seed, [(item.address, item) for item in sorted(items, key=lambda item: item.key)])
