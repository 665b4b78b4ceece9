"""Admit exchange actions, and choose those that go into the next batch.

A batch may contain nothing that the state before it excludes (exchange/batch/inclusion.py). So an action is judged
against the newest state when it arrives, and again when the batch is made, since it may have waited. If it is refused,
its sender gets an error and the action is barred: an answer is given once, and is final
(docs/protocol/accounts-and-credits.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.forms.exchange import ORACLE_TYPE
from coinone.base.primitives.errors import CoinoneError, InvalidInput, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.parameters import NONCE_PAST_MS
from coinone.base.primitives.types import Hash32
from coinone.node.executor.barred import Barred
from coinone.node.limits import ACTION_REPLIES_MAX, FORWARDS_PER_TICK_MAX
from coinone.node.views.published import BatchOutcome
from coinone.protocols.txpool.actions import ActionPool, Waiting
from coinone.rules.chain.batch_limits import BatchLimits
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.exchange.batch.inclusion import Judge, is_spent, judging_key
from coinone.rules.exchange.trading import open_orders
from coinone.rules.exchange.wire.types import VerifiedAction

Reply: TypeAlias = Callable[[BatchOutcome | CoinoneError], None]
Waiter: TypeAlias = Waiting[VerifiedAction]


class Door:
    def __init__(self, barred: Barred | None = None) -> None:
        self.pool: ActionPool[VerifiedAction] = ActionPool()
        self._barred = barred or Barred()
        self._replies: dict[Hash32, list[Reply]] = {}

    def add(self, chain: ChainState, raw: bytes, action: VerifiedAction, reply: Reply) -> None:
        """Queue an action for the next batch; `reply` gets its outcome, also if the action is already queued. Raises
        InvalidInput, which is final."""
        replies = self._replies.get(action.tx_hash, [])
        if action.tx_hash in self.pool and len(replies) >= ACTION_REPLIES_MAX:
            raise LimitExceeded("too many wait for this action's outcome", most=ACTION_REPLIES_MAX)
        self.admit(chain, raw, action)
        self._replies[action.tx_hash] = [*replies, reply]

    def admit(self, chain: ChainState, raw: bytes, action: VerifiedAction) -> None:
        """Queue an action, unless it is queued, for whose outcome nobody waits here: another member was given it.
        Raises InvalidInput, which is final."""
        if action.tx_hash in self.pool:
            return
        self._barred.check(action.tx_hash, action.signer)
        try:
            self._enter(chain, raw, action)
        except InvalidInput:
            self.bar(chain, action)
            raise
        chain.verify.remember(raw, action)

    def choose(
        self,
        chain: ChainState,
        limits: BatchLimits,
        taken: Sequence[bytes],
        forced: Sequence[bytes],
        time_ms: int,
    ) -> list[Waiter]:
        """Choose the actions for the batch of `time_ms`, in addition to the prices and Ethereum transactions in
        `taken` and after the forced ones. A quarter of the places goes to cancels first; they may also have places
        that others leave empty. Actions that no batch can include any more are refused and leave the pool for good."""
        judge = Judge(chain.exchange, time_ms)
        verified = [action for action in map(chain.verify, forced) if isinstance(action, VerifiedAction)]
        for action in sorted(verified, key=judging_key):  # in the batch's order, which decides what fits
            _admits(judge, action)
        refused: list[Hash32] = []

        def admit(item: Waiter) -> bool:
            return self._is_admitted(chain, judge, item, refused)

        ordinary = [raw for raw in taken if raw[0] != ORACLE_TYPE]
        room = _Room(limits.transactions, limits.bytes).without(taken)
        others = _Room(limits.ordinary_transactions, limits.ordinary_bytes).without(ordinary)
        kept = self.pool.take(True, div_down(room.places, 4), div_down(room.size, 4), admit)
        room = room.without([item.raw for item in kept])
        rest = self.pool.take(False, min(room.places, others.places), min(room.size, others.size), admit)
        room = room.without([item.raw for item in rest])
        known = {item.hash for item in kept}
        more = self.pool.take(
            True, room.places, room.size, lambda item: item.hash not in known and admit(item)
        )
        self.pool.remove(refused)
        return [*kept, *rest, *more]

    def settle(self, result: BatchResult) -> None:
        """Remove a durable batch's actions from the pool, and answer their callers."""
        self.pool.remove(outcome.tx_hash for outcome in result.exchange.outcomes)
        seq, time_ms = result.batch.seq, result.batch.time_ms
        for outcome in result.exchange.outcomes if self._replies else ():
            hash_, status = outcome.tx_hash, outcome.status
            self._answer(hash_, BatchOutcome(hash_, seq, status, outcome.answer, outcome.error, time_ms))

    def bar_skipped(self, chain: ChainState, result: BatchResult) -> None:
        """Bar forced actions that were skipped: they used no nonce, yet their senders were answered that they
        failed."""
        forced = result.batch.transactions[: result.batch.forced]
        skipped = {outcome.tx_hash for outcome in result.exchange.outcomes if outcome.status == "skipped"}
        for action in map(chain.verify, forced):
            if isinstance(action, VerifiedAction) and action.tx_hash in skipped:
                self.bar(chain, action)

    def refuse_excluded(self, chain: ChainState) -> None:
        """Refuse actions that no batch can include any more, as the leader does when it makes one: where another member
        leads, nobody else says so."""
        judge, refused = Judge(chain.exchange, chain.cursor.time_ms + 1), list[Hash32]()
        for item in self.pool.waiting()[:FORWARDS_PER_TICK_MAX]:
            self._is_admitted(chain, judge, item, refused)
        self.pool.remove(refused)

    def drop_waiting(self, error: CoinoneError) -> None:
        """Answer all callers that wait for an outcome with `error`, and empty the pool."""
        self.pool = ActionPool()
        replies, self._replies = self._replies, {}
        for tx_hash in replies:
            for reply in replies[tx_hash]:
                reply(error)

    def _is_admitted(self, chain: ChainState, judge: Judge, item: Waiter, refused: list[Hash32]) -> bool:
        """Whether a batch may include the item now. One that none can include any more gets its answer, and its hash
        is added to `refused`."""
        error = _admits(judge, item.action)
        if error is not None and not isinstance(error, LimitExceeded):
            refused.append(item.hash)
            self.bar(chain, item.action)
            self._answer(item.hash, error)
        return error is None

    def _answer(self, tx_hash: Hash32, outcome: BatchOutcome | CoinoneError) -> None:
        for reply in self._replies.pop(tx_hash, ()):
            reply(outcome)

    def bar(self, chain: ChainState, action: VerifiedAction) -> None:
        """Bar a refused action, unless no batch could include it anyway."""
        time_ms, ledger = chain.cursor.time_ms, chain.exchange.ledger
        gone = action.nonce <= time_ms - NONCE_PAST_MS or is_spent(ledger, action.signer, action.nonce)
        if not gone and (action.expires_after is None or action.expires_after > time_ms):
            self._barred.add(action.tx_hash, action.signer, chain.exchange.knows(action.signer))

    def _enter(self, chain: ChainState, raw: bytes, action: VerifiedAction) -> None:
        ex, credits = chain.exchange, action.action.cost
        judge = Judge(ex, chain.cursor.time_ms + 1)
        account = judge.account_of(action)
        # Actions that end an agency queue apart from the master's own, whose queue may be full.
        line = action.signer if action.action.type.ends_agency else ex.number(account)
        judge.admit(action, self.pool.credits_of(line) if credits else 0)
        item = Waiting(
            raw=raw,
            hash=action.tx_hash,
            signer=action.signer,
            nonce=action.nonce,
            line=line,
            is_cancel=action.action.is_cancel,
            count=action.action.count,
            credits=credits,
            action=action,
        )
        self.pool.add(item, open_orders.count(ex, account))


def _admits(judge: Judge, action: VerifiedAction) -> InvalidInput | None:
    """The error that excludes the action, if any."""
    try:
        judge.admit(action)
    except InvalidInput as error:
        return error
    return None


@dataclass(frozen=True, slots=True)
class _Room:
    """The number of transactions and bytes that still fit, never below zero."""

    places: int
    size: int

    def without(self, taken: Sequence[bytes]) -> "_Room":
        return _Room(max(self.places - len(taken), 0), max(self.size - sum(map(len, taken)), 0))
