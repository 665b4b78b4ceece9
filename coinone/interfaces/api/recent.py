"""What happened in the newest batches, by transaction hash: for those who ask before a block includes it.

The store knows where a transaction is once its block is written. Until then, and for the outcome of an action,
this memory answers; it is bounded, and lost with the process. An answer is made of its segment's rows when somebody
asks, and holds on to all of them, so only the newest keep theirs; of older actions it is known how they ended.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, replace

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.limits import RECENT_ANSWERS_MAX, RECENT_TRANSACTIONS_MAX
from coinone.node.views.published import Published
from coinone.rules.exchange.context import Outcome


@dataclass(frozen=True, slots=True)
class RecentResult:
    """Where a transaction ran, and the outcome of an action. What an Ethereum transaction left behind is not kept: that
    may be tens of thousands of logs."""

    seq: int
    outcome: Outcome | None = None


class RecentOutcomes:
    def __init__(self) -> None:
        self._seen: OrderedDict[Hash32, RecentResult] = OrderedDict()
        self._answered: deque[Hash32] = deque()  # of those that keep their answers, oldest first

    def take(self, published: Published) -> None:
        """Remember a batch."""
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
