"""What happened in the newest batches, by transaction hash: for those who ask before a block includes it.

The store knows where a transaction is once its block is written. Until then, and for the outcome of an action,
this memory answers; it is bounded, and lost with the process.
"""

from collections import OrderedDict
from dataclasses import dataclass

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.limits import RECENT_TRANSACTIONS_MAX
from coinone.node.runtime.published import Published
from coinone.rules.chain.records import TransactionRecord
from coinone.rules.exchange.context import Outcome


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a transaction ran: an action with its outcome, or an Ethereum transaction with its record."""

    seq: int
    outcome: Outcome | None = None
    record: TransactionRecord | None = None


class Recent:
    def __init__(self) -> None:
        self._seen: OrderedDict[Hash32, Seen] = OrderedDict()

    def take(self, published: Published) -> None:
        """Remember a batch."""
        if published.rewound:
            self._seen.clear()
        for outcome in published.outcomes:
            self._seen[outcome.tx_hash] = Seen(published.seq, outcome=outcome)
        for record in published.records:
            self._seen[record.hash] = Seen(published.seq, record=record)
        while len(self._seen) > RECENT_TRANSACTIONS_MAX:
            self._seen.popitem(last=False)

    def get(self, tx_hash: Hash32) -> Seen | None:
        return self._seen.get(tx_hash)
