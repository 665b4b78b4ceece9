"""An action: its row of the table, and what it says.

A row holds all that tells one kind of action from another: its name, how it is read and signed, which class it is in,
what it costs, what a contract writes, and what it does. Rows stand beside what they do (actions/, above state), and
the table of them is actions/table.py. Here is their shape alone, so that everything between the wire and the engine
carries any action without knowing which there are.

What an action does takes one of two ways:

    Applied     in Python, at once: settings, transfers
    Traded      by the kernel, together with its whole segment: orders, modifies, cancels

`Traded.add` has the segment at hand, so an action need not be shaped like the kernel's operations: it may bring as many
as its state asks for, or none yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from coinone.base.forms.user_signed import UserSigned
from coinone.base.primitives.types import Address
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.trades import Operations


class Segment(IntEnum):
    """The classes of actions, numbered as the steps of a batch are (segments.py)."""

    CANCELS = 3
    ACCOUNT = 4
    POST_ONLY = 5
    TAKERS = 6
    TRANSFERS_OUT = 7


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """Carried out in Python when its turn comes: `apply(batch, item, says)` writes the outcome."""

    apply: Callable[[Any, Any, Any], None]
    of_the_solvent: bool = False  # refused while others pay for the account's closing (accounts/locks.py)


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """Carried out by the kernel: `add(trading, item, says)` puts operations to those of its segment, and
    `answer(answers, start, stop)` says what became of them (trading/segment.py)."""

    add: Callable[[Any, Any, Any], None]
    answer: Callable[[Any, int, int], dict[str, Any]]
    fails_with_its_operation: bool = False  # it has one, and its refusal is the action's


@dataclass(frozen=True, slots=True, eq=False)
class ActionType:
    """A row of the table of actions.

    Where segment or cost depend on what the action says, a function tells them."""

    name: str  # as it is signed and sent, e.g. "order", "usdSend"
    read: Callable[[Mapping[str, Any]], Any]  # what its fields say; raises InvalidInput
    does: Applied | Traded
    segment: Segment | Callable[[Any, Address], Segment] = Segment.ACCOUNT
    cost: int | Callable[[Any], int] = 1  # credits that are charged before it runs
    signed: UserSigned | None = None  # its fields under EIP-712; None: an L1 action, signed as msgpack
    contract: ContractForm | None = None  # how a contract writes it; None: it cannot
    rests: Callable[[Any, int, Any], bool] | None = None
    """Of cancels: whether all that it would remove rests, given the rows and the account's slot. Who owes credits may
    send no others (accounts/credits.py)."""
    ends_agency: bool = False  # its signer speaks for itself alone: no account and no credit, once per agency


@dataclass(frozen=True, slots=True)
class Action:
    """What was decoded: a row of the table and what its fields say, as the row reads them."""

    type: ActionType
    says: Any = None

    @property
    def is_cancel(self) -> bool:
        """Whether it does nothing but cancel orders."""
        return self.type.segment is Segment.CANCELS

    @property
    def cost(self) -> int:
        """Credits that are charged before it runs."""
        cost = self.type.cost
        return cost if isinstance(cost, int) else cost(self.says)

    @property
    def count(self) -> int:
        """Orders that it places or cancels; one, where a cancel does not name them."""
        return self.says.count if isinstance(self.says, Operations) else int(self.is_cancel)

    def segment(self, system_address: Address) -> Segment:
        """Its class."""
        segment = self.type.segment
        return segment if isinstance(segment, Segment) else segment(self.says, system_address)


def _unsigned(*_: Any) -> None:
    raise AssertionError("nobody signs or runs what the rules ask themselves")


SYSTEM = Action(ActionType("", _unsigned, Applied(_unsigned)))
"""Of items that the rules make themselves: liquidations, cancels that are due, meetings."""
