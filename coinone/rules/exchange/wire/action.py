"""An action: its row of the table, and its decoded fields.

A row contains all that distinguishes one kind of action: its name, how it is read and signed, its class, its cost, how
a contract writes it, and how it is executed. Rows are next to the functions that execute them (actions/, above state),
and the table of them is actions/table.py. Here is only their form, so that everything between the wire and the engine
handles any action without importing them.

An action is executed in one of two ways:

    Applied     in Python, immediately: settings, transfers
    Traded      by the kernel, together with its whole segment: orders, modifies, cancels

`Traded.add` gets the segment, so an action need not have the form of the kernel's operations: it may add as many as its
state requires, or none yet.
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
    """The classes of actions, with the numbers of the steps of a batch (segments.py)."""

    CANCELS = 3
    ACCOUNT = 4
    POST_ONLY = 5
    TAKERS = 6
    TRANSFERS_OUT = 7


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """Executed in Python: `apply(batch, item, says)` writes the outcome."""

    apply: Callable[[Any, Any, Any], None]
    of_the_solvent: bool = False  # refused while others pay for the account's closing (accounts/locks.py)


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """Executed by the kernel with its segment (trading/segment.py).

    `add(trading, item, says)` appends operations to the segment's, and `answer(answers, start, stop)` returns their
    answer.
    """

    add: Callable[[Any, Any, Any], None]
    answer: Callable[[Any, int, int], dict[str, Any]]
    fails_with_its_operation: bool = False  # it has one, and its refusal is the action's


@dataclass(frozen=True, slots=True, eq=False)
class ActionType:
    """A row of the table of actions. Segment or cost are functions if they depend on the action's fields."""

    name: str  # as it is signed and sent, e.g. "order", "usdSend"
    read: Callable[[Mapping[str, Any]], Any]  # decodes its fields; raises InvalidInput
    does: Applied | Traded
    segment: Segment | Callable[[Any, Address], Segment] = Segment.ACCOUNT
    cost: int | Callable[[Any], int] = 1  # credits that are charged before it runs
    signed: UserSigned | None = None  # its fields under EIP-712; None: an L1 action, signed as msgpack
    contract: ContractForm | None = None  # how a contract writes it; None: it cannot
    rests: Callable[[Any, int, Any], bool] | None = None
    """Of cancels: whether all that it would remove is open, given the exchange and the account's slot.

    An account in credit debt may send no others (accounts/credits.py). May raise InvalidAction for another reason.
    """
    ends_agency: bool = False  # acts for its signer alone: no account and no credit, once per agency


@dataclass(frozen=True, slots=True)
class Action:
    """A decoded action: a row of the table and the decoded fields, in the form in which the row reads them."""

    type: ActionType
    says: Any = None

    @property
    def is_cancel(self) -> bool:
        """Whether it only cancels orders."""
        return self.type.segment is Segment.CANCELS

    @property
    def cost(self) -> int:
        """Credits that are charged before it runs."""
        cost = self.type.cost
        return cost if isinstance(cost, int) else cost(self.says)

    @property
    def count(self) -> int:
        """The number of orders that it places or cancels; one if a cancel does not name them."""
        return self.says.count if isinstance(self.says, Operations) else int(self.is_cancel)

    def segment(self, system_address: Address) -> Segment:
        """The action's segment."""
        segment = self.type.segment
        return segment if isinstance(segment, Segment) else segment(self.says, system_address)


def _unsigned(*_: Any) -> Any:
    raise AssertionError("nobody signs, runs or answers what the rules ask themselves")


def traded_by_rule(add: Callable[[Any, Any, Any], None], segment: Segment, says: Any = None) -> Action:
    """An action that the rules themselves send into a segment: nobody has signed it, and nobody is answered."""
    return Action(ActionType("", _unsigned, Traded(add, _unsigned), segment=segment), says)


SYSTEM = Action(ActionType("", _unsigned, Applied(_unsigned)))
"""The action of system items whose operations are added without it: liquidations, uncrossing."""
