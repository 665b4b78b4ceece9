"""A batch while it is executed: what every step reads from and reports to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.accounts.credits import add_cash
from coinone.rules.exchange.context import Answer, BatchContext, Outcome
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.ledger import Ledger
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.ledger.crossings import Withdrawal


@dataclass
class Execution:
    """The context of executing a batch. It is not state, and is dropped when the batch is done."""

    ex: Exchange
    ctx: BatchContext
    events: EventLog = field(default_factory=EventLog)
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by the action's index
    withdrawals: list[Withdrawal] = field(default_factory=list)
    mark_changes: dict[int, int] = field(default_factory=dict)  # market -> new mark - old
    books_funding: bool = False  # whether any position's funding became cash in this batch
    money_in: int = 0  # what entered and left the exchange: the conserved sum changes by exactly this
    money_out: int = 0

    @property
    def rows(self) -> Rows:
        return self.ex.rows

    @property
    def ledger(self) -> Ledger:
        return self.ex.ledger

    @property
    def now(self) -> int:
        return self.ctx.time_ms

    def executed(self, item: Item, answer: Answer) -> None:
        self.outcomes[item.index] = Outcome(item.tx_hash, "executed", answer)

    def failed(self, item: Item, text: str) -> None:
        self.outcomes[item.index] = Outcome(item.tx_hash, "failed", error=text)

    def open_account(self, address: Address) -> int:
        """Open an account and return its slot (for the conditions see actions/opening.py)."""
        self.rows.journal.globals()
        return self.rows.add_account(address, self.now)

    def move_cash(self, slot: int, amount: int) -> None:
        """Add `amount`, which may be negative, to an account's cash."""
        add_cash(self.ex, [slot], [amount], self.now)

    def move_global(self, name: str, amount: int) -> None:
        """Add `amount` to a column of the globals row (insurance, fees, unclaimed, ...)."""
        self.rows.journal.globals()
        self.rows.globals[name][0] += amount

    def set_cursor(self, **values: Any) -> None:
        self.ledger.cursors.put("all", replace(self.ledger.cursor, **values))

    @property
    def here(self) -> tuple[int, int]:
        """(seq, time): the first fields of every event."""
        return self.ctx.seq, self.ctx.time_ms


NO_HASH: Hash32 = bytes(32)
