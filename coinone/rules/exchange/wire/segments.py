"""Segments: the order of a batch is fixed by rule, not by the leader that builds it (D2).

Segments run one after another: (3) cancels, (4) account actions, (5) actions whose orders are all post-only, (6) the
other orders, (7) transfers to the EVM. An action is classed whole, by its most aggressive order; a modify by its new
order. Cancels before takers lets a maker withdraw a stale quote in the same batch.

Within segments 3, 4 and 7, accounts come by keccak(seed, account), taking turns, one item per turn; in those of orders,
5 and 6, they race by the margin at stake (batch/race.py). An account's own items are ordered by (nonce, signer,
digest). The seed is unknown when an action is submitted, so nobody can queue-jump.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32
from coinone.rules.exchange.wire.action import SYSTEM, Action
from coinone.rules.exchange.wire.types import VerifiedAction
from coinone.rules.ledger.turns import round_robin

ItemKey: TypeAlias = tuple[int, int, Address, Hash32]


@dataclass(frozen=True, slots=True)
class Item:
    """An included action: `account` is the slot it acts for, `index` its place among the batch's actions.

    `before` ranks an account's system and contract items ahead of its signed ones.
    """

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
    def key(self) -> ItemKey:
        """The sort key among the account's own items."""
        return (self.before, self.nonce, self.signer, self.digest)


def system_item(slot: int = 0, address: Address = ZERO_ADDRESS, action: Action = SYSTEM) -> Item:
    """An item of the system, for an account or for none: ahead of all others, and without an outcome."""
    return Item(-1, action, slot, address, 0, address, bytes(32), bytes(32), before=-2)


def ranked(items: Iterable[Item], seed: Hash32) -> list[Item]:
    """Items in execution order: accounts by hash, taking turns; an account's own by their keys."""
    return round_robin(seed, [(item.address, item) for item in sorted(items, key=lambda item: item.key)])
