"""The order of transactions of one segment: by account, taking turns, accounts ranked by the seed (D2).

An account's own transactions keep their order. Nobody can choose a place: the rank of an account follows from
a seed that is unknown while transactions are submitted, and sending more of them gains no earlier turn.
"""

from collections.abc import Iterable
from typing import TypeVar

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Address, Hash32

T = TypeVar("T")


def round_robin(seed: Hash32, items: Iterable[tuple[Address, T]]) -> list[T]:
    """The items of (account, item) pairs in execution order; each account's remain in their own order."""
    of_account: dict[Address, list[T]] = {}
    for account, item in items:
        of_account.setdefault(account, []).append(item)
    ranked = sorted(of_account, key=lambda account: keccak256(seed + account))
    turns: list[list[T]] = []
    for account in ranked:
        for turn, item in enumerate(of_account[account]):
            if turn == len(turns):
                turns.append([])
            turns[turn].append(item)
    return [item for turn_items in turns for item in turn_items]
