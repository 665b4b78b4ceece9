"""The pool of Ethereum transactions: waiting by sender and nonce, taken by what they pay.

A sender's transactions run in nonce order. One that pays at least 10 % more, in both of its fees, replaces
another of the same nonce. Everything is bounded by count and bytes; when the pool is full, the cheapest
transaction makes room. State is passed in: the pool knows no chain.

Most batches have room for little gas, and now and then comes a wide one (D2). A transaction that asks for more gas
than the small limit waits for that, and goes first there, whatever the others pay: those can run at any time. Among
themselves the large ones are ordered by what they pay, as the small ones are.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from coinone.base.primitives.errors import InvalidTransaction, LimitExceeded
from coinone.base.primitives.limits import (
    POOL_ACCOUNT_BYTES_MAX,
    POOL_ACCOUNT_TRANSACTIONS_MAX,
    POOL_BYTES_MAX,
    POOL_REPLACEMENT_PERCENT,
    POOL_TRANSACTION_BYTES_MAX,
)
from coinone.base.primitives.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the pool needs to know of a transaction whose signature was checked."""

    raw: bytes
    hash: Hash32
    sender: Address
    nonce: int
    gas: int
    max_fee: int
    max_tip: int
    value: int

    @property
    def cost_max(self) -> int:
        return self.gas * self.max_fee + self.value

    def tip(self, base_fee: int) -> int:
        return min(self.max_tip, self.max_fee - base_fee)


@dataclass(slots=True)
class _Queue:
    """One sender's transactions by nonce."""

    by_nonce: dict[int, Candidate] = field(default_factory=dict)
    bytes_held: int = 0

    def ready(self, nonce: int) -> Iterator[Candidate]:
        """Those that can run now, in order, without a gap."""
        while nonce in self.by_nonce:
            yield self.by_nonce[nonce]
            nonce += 1


class EthereumPool:
    def __init__(self, base_fee: int, small_gas: int, wide_gas: int, bytes_max: int = POOL_BYTES_MAX) -> None:
        self._base_fee = base_fee
        self._small_gas = small_gas
        self._gas_max = max(small_gas, wide_gas)
        self._bytes_max = bytes_max
        self._queues: dict[Address, _Queue] = {}
        self._by_hash: dict[Hash32, Candidate] = {}
        self._by_fee: list[tuple[int, Hash32]] = []  # cheapest first
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: Hash32) -> Candidate | None:
        return self._by_hash.get(tx_hash)

    def pending(self) -> Iterator[Candidate]:
        """All waiting transactions, sender by sender, nonces rising."""
        for queue in self._queues.values():
            for nonce in sorted(queue.by_nonce):
                yield queue.by_nonce[nonce]

    def next_nonce(self, sender: Address, state_nonce: int) -> int:
        """The nonce after the sender's waiting transactions without a gap: `pending` of
        eth_getTransactionCount."""
        queue = self._queues.get(sender)
        return state_nonce + (sum(1 for _ in queue.ready(state_nonce)) if queue else 0)

    def add(self, tx: Candidate, state_nonce: int, balance: int) -> None:
        """Take `tx` in. Raises InvalidTransaction or LimitExceeded and changes nothing."""
        if tx.hash in self._by_hash:
            raise InvalidTransaction("already known")
        self._check_alone(tx, state_nonce)
        queue = self._queues.get(tx.sender) or _Queue()
        replaced = queue.by_nonce.get(tx.nonce)
        if replaced is not None:
            _check_replacement(tx, replaced)
        _check_account(tx, queue, replaced, balance)
        self._make_room(tx, replaced)
        if replaced is not None:
            self._remove(replaced)
        self._insert(tx)

    def take(self, gas_limit: int, bytes_max: int, nonce_of: Callable[[Address], int]) -> list[bytes]:
        """The best paying transactions that fit, each sender's in nonce order, those first that fit in no small
        batch. They stay until `settle`."""
        heads = []
        for order, (sender, queue) in enumerate(self._queues.items()):
            rest = queue.ready(nonce_of(sender))
            first = next(rest, None)
            if first is not None:
                heads.append((self._rank(first), order, first, rest))
        heapq.heapify(heads)
        chosen: list[bytes] = []
        while heads:
            _, order, tx, rest = heads[0]
            if tx.gas > gas_limit or len(tx.raw) > bytes_max:
                heapq.heappop(heads)  # its sender waits for the next batch; others may still fit
                continue
            chosen.append(tx.raw)
            gas_limit -= tx.gas
            bytes_max -= len(tx.raw)
            following = next(rest, None)
            if following is None:
                heapq.heappop(heads)
            else:
                heapq.heapreplace(heads, (self._rank(following), order, following, rest))
        return chosen

    def _rank(self, tx: Candidate) -> tuple[bool, int]:
        return tx.gas <= self._small_gas, -tx.tip(self._base_fee)

    def settle(self, nonce_of: Callable[[Address], int], senders: list[Address]) -> None:
        """Drop what can never run again: `senders` had transactions executed."""
        for sender in dict.fromkeys(senders):
            queue = self._queues.get(sender)
            if queue is None:
                continue
            nonce = nonce_of(sender)
            for tx in [tx for tx in queue.by_nonce.values() if tx.nonce < nonce]:
                self._remove(tx)

    def drop(self, tx_hash: Hash32) -> None:
        """Forget one, for instance because it was skipped at execution."""
        tx = self._by_hash.get(tx_hash)
        if tx is not None:
            self._remove(tx)

    def _check_alone(self, tx: Candidate, state_nonce: int) -> None:
        if len(tx.raw) > POOL_TRANSACTION_BYTES_MAX:
            raise LimitExceeded("oversized data", have=len(tx.raw), most=POOL_TRANSACTION_BYTES_MAX)
        if tx.nonce < state_nonce:
            raise InvalidTransaction("nonce too low", want=state_nonce, have=tx.nonce)
        if tx.nonce >= state_nonce + POOL_ACCOUNT_TRANSACTIONS_MAX:
            raise InvalidTransaction("nonce too high", next=state_nonce, have=tx.nonce)
        if tx.max_fee < self._base_fee:
            raise InvalidTransaction(
                "max fee per gas less than block base fee", want=self._base_fee, have=tx.max_fee
            )
        if tx.gas > self._gas_max:
            raise InvalidTransaction("exceeds block gas limit", most=self._gas_max, have=tx.gas)

    def _make_room(self, tx: Candidate, replaced: Candidate | None) -> None:
        """Evict the cheapest until `tx` fits, or refuse it if it is the cheapest itself."""
        freed = len(replaced.raw) if replaced else 0
        victims = []
        for fee, tx_hash in self._by_fee:
            if self._bytes - freed + len(tx.raw) <= self._bytes_max:
                break
            if fee >= tx.max_fee:
                raise LimitExceeded("txpool is full", want=fee + 1, have=tx.max_fee)
            victim = self._by_hash[tx_hash]
            if victim is not replaced:
                victims.append(victim)
                freed += len(victim.raw)
        for victim in victims:
            self._remove(victim)

    def _insert(self, tx: Candidate) -> None:
        queue = self._queues.setdefault(tx.sender, _Queue())
        queue.by_nonce[tx.nonce] = tx
        queue.bytes_held += len(tx.raw)
        self._by_hash[tx.hash] = tx
        insort(self._by_fee, (tx.max_fee, tx.hash))
        self._bytes += len(tx.raw)

    def _remove(self, tx: Candidate) -> None:
        queue = self._queues[tx.sender]
        del queue.by_nonce[tx.nonce]
        queue.bytes_held -= len(tx.raw)
        if not queue.by_nonce:
            del self._queues[tx.sender]
        del self._by_hash[tx.hash]
        del self._by_fee[bisect_left(self._by_fee, (tx.max_fee, tx.hash))]
        self._bytes -= len(tx.raw)


def _check_replacement(tx: Candidate, replaced: Candidate) -> None:
    for name in ("max_fee", "max_tip"):
        least = getattr(replaced, name) * (100 + POOL_REPLACEMENT_PERCENT)
        if getattr(tx, name) * 100 < least:
            raise InvalidTransaction("replacement transaction underpriced", nonce=tx.nonce)


def _check_account(tx: Candidate, queue: _Queue, replaced: Candidate | None, balance: int) -> None:
    freed = len(replaced.raw) if replaced else 0
    if queue.bytes_held - freed + len(tx.raw) > POOL_ACCOUNT_BYTES_MAX:
        raise LimitExceeded("too many bytes waiting for this account", most=POOL_ACCOUNT_BYTES_MAX)
    # All that waits must be payable together, or one balance could fill the pool many times over.
    waiting = sum(other.cost_max for other in queue.by_nonce.values() if other is not replaced)
    if waiting + tx.cost_max > balance:
        raise InvalidTransaction(
            "insufficient funds for gas * price + value", want=waiting + tx.cost_max, have=balance
        )
