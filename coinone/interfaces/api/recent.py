"""Results of the newest batches by transaction hash, for queries before a block includes them.

The store knows where a transaction is once its block is written. Until then, and for the outcome of an action, this
cache answers; it is bounded, and lost with the process. An answer is made of its segment's rows when it is requested,
and keeps all of them in memory, so only the newest are kept; of older actions only the final status is known.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, replace

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.limits import RECENT_ANSWERS_MAX, RECENT_TRANSACTIONS_MAX
from coinone.node.views.published import Published
from coinone.rules.exchange.context import Outcome


@dataclass(frozen=True, slots=True)
class RecentResult:
    """The batch of a transaction, and the outcome of an action. The result of an Ethereum transaction is not kept:
    it may be tens of thousands of logs."""

    seq: int
    outcome: Outcome | None = None


class RecentOutcomes:
    def __init__(self) -> None:
        self._seen: OrderedDict[Hash32, RecentResult] = OrderedDict()
        self._answered: deque[Hash32] = deque()  # those that keep their answers, oldest first

    def take(self, published: Published) -> None:
        """Add a batch."""
        if published.rewound:
            self._seen.clear()
            self._answered.clear()
        for outcome in published.outcomes:
            self._seen[outcome.tx_hash] = RecentResult(published.seq, outcome=outcome)
            self._answered.append(outcome.tx_hash)
        for record in published.records:
            self._seen[record.hash] = RecentResult(published.seq)
        while len(self._seen) > RECENT_TRANSACTIONS_MAX:
            self._seen.popitem(last=False)
        while len(self._answered) > RECENT_ANSWERS_MAX:
            self._forget_answer(self._answered.popleft())

    def _forget_answer(self, tx_hash: Hash32) -> None:
        seen = self._seen.get(tx_hash)
        if seen is not None and seen.outcome is not None:
            self._seen[tx_hash] = replace(seen, outcome=replace(seen.outcome, answer=None))

    def get(self, tx_hash: Hash32) -> RecentResult | None:
        return self._seen.get(tx_hash)
