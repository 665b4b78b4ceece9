"""The pool of Ethereum transactions: queued by sender and nonce, taken by the fee they pay.

A sender's transactions run in nonce order. One that pays at least 10 % more, in both of its fees, replaces
another of the same nonce. Everything is bounded by count and bytes. State is passed in: the pool knows no chain.

A transaction that cannot run because a nonce before it is missing pays nothing, whatever it offers. So a full pool
evicts those first, oldest first, then the ones with the smallest tip: the base fee is the same for all. After each
batch, transactions that have become useless or unpayable are dropped; others may have changed the account
through a delegation (EIP-7702).

Most batches have a small gas limit and some a wide one (D2). A transaction that asks for more gas than the small limit
waits for a wide batch and goes first there, whatever the others pay: those can run at any time. Large transactions are
ordered among themselves by the fee they pay, as small ones are.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from coinone.base.primitives.errors import InvalidTransaction, LimitExceeded
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Address, Hash32
from coinone.protocols.txpool.limits import (
    POOL_ACCOUNT_BYTES_MAX,
    POOL_ACCOUNT_TRANSACTIONS_MAX,
    POOL_BYTES_MAX,
    POOL_OVERHEAD_BYTES,
    POOL_REPLACEMENT_PERCENT,
    POOL_TIP_RATIO_MAX,
    POOL_TIP_WALK_MAX,
    POOL_TRANSACTION_BYTES_MAX,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the pool needs of a transaction whose signature is verified."""

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

    @property
    def size(self) -> int:
        """Approximate bytes of memory, mostly Python's overhead for a small transaction."""
        return len(self.raw) + POOL_OVERHEAD_BYTES

    def tip(self, base_fee: int) -> int:
        return min(self.max_tip, self.max_fee - base_fee)


class Holdings(Protocol):
    """Nonce and balance of an account after a batch."""

    @property
    def nonce(self) -> int: ...
    @property
    def balance(self) -> int: ...


@dataclass(slots=True)
class _Queue:
    """One sender's transactions by nonce. Those from `next` to before `end` can run now."""

    by_nonce: dict[int, Candidate] = field(default_factory=dict)
    bytes_held: int = 0
    next: int = 0  # the account's nonce
    end: int = 0

    def ready(self) -> Iterator[Candidate]:
        """The transactions that can run now, by nonce."""
        return (self.by_nonce[nonce] for nonce in range(self.next, self.end))


class EthereumPool:
    def __init__(self, base_fee: int, small_gas: int, wide_gas: int, bytes_max: int = POOL_BYTES_MAX) -> None:
        self._base_fee = base_fee
        self._small_gas = small_gas
        self._gas_max = max(small_gas, wide_gas)
        self._bytes_max = bytes_max
        self._queues: dict[Address, _Queue] = {}
        self._running: dict[Address, _Queue] = {}  # senders with a transaction that can run now
        self._by_hash: dict[Hash32, Candidate] = {}
        self._by_tip: list[tuple[int, int, Hash32]] = []  # transactions that can run now, cheapest first
        self._kept: dict[Hash32, None] = {}  # those that cannot, oldest first
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    @property
    def ready_count(self) -> int:
        """The number of transactions that can run now."""
        return len(self._by_tip)

    def get(self, tx_hash: Hash32) -> Candidate | None:
        return self._by_hash.get(tx_hash)

    def pending(self) -> Iterator[Candidate]:
        """All waiting transactions by sender and nonce."""
        for sender in self._queues:
            yield from self.of(sender)

    def of(self, sender: Address) -> list[Candidate]:
        """One sender's waiting transactions by nonce."""
        queue = self._queues.get(sender)
        return [queue.by_nonce[nonce] for nonce in sorted(queue.by_nonce)] if queue else []

    def next_nonce(self, sender: Address, state_nonce: int) -> int:
        """The nonce after the sender's waiting transactions without a gap: `pending` of
        eth_getTransactionCount."""
        queue = self._queues.get(sender)
        return queue.end if queue else state_nonce

    def add(self, tx: Candidate, state_nonce: int, balance: int) -> None:
        """Add `tx`. Raises InvalidTransaction or LimitExceeded, with the pool unchanged."""
        if tx.hash in self._by_hash:
            raise InvalidTransaction("already known")
        self._check_alone(tx, state_nonce)
        queue = self._queues.get(tx.sender) or _Queue(next=state_nonce, end=state_nonce)
        replaced = queue.by_nonce.get(tx.nonce)
        if replaced is not None:
            _check_replacement(tx, replaced)
        _check_account(tx, queue, replaced, balance)
        self._make_room(tx, replaced, can_run=tx.nonce <= queue.end)
        if replaced is not None:
            self._forget(replaced, queue)
        self._insert(tx, state_nonce)

    def take(self, gas_limit: int, bytes_max: int) -> list[bytes]:
        """The best paying transactions that fit, each sender's in nonce order; those too large for a small batch come
        first. They stay in the pool until `settle`."""
        heads = []
        for order, queue in enumerate(self._running.values()):
            rest = queue.ready()
            first = next(rest)
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

    def tip_to_enter(self) -> int:
        """The tip, in wei, that gets a transaction of an eighth of a batch's gas into the next small batch, given what
        waits now. It is at least 1, and bounded by a multiple of the base fee: else a stranger who offers much, and
        pays little, would make every wallet pay it."""
        room = self._small_gas
        needed = div_down(room, 8)
        for paid, _, tx_hash in islice(reversed(self._by_tip), POOL_TIP_WALK_MAX):
            gas = self._by_hash[tx_hash].gas
            if gas <= room:
                room -= gas
            if room < needed:
                return min(max(paid, 0) + 1, POOL_TIP_RATIO_MAX * self._base_fee)
        return 1

    def _rank(self, tx: Candidate) -> tuple[bool, int]:
        return tx.gas <= self._small_gas, -tx.tip(self._base_fee)

    def settle(self, changed: Mapping[Address, Holdings | None]) -> None:
        """Update accounts after a batch: drop transactions that can never run and those that are not payable."""
        for sender, account in changed.items():
            queue = self._queues.get(sender)
            if queue is None:
                continue
            queue.next, left = (account.nonce, account.balance) if account else (0, 0)
            for tx in self.of(sender):
                left -= tx.cost_max if tx.nonce >= queue.next else 0
                if tx.nonce < queue.next or left < 0:
                    self._forget(tx, queue)
            self._regrade(sender, queue)

    def drop(self, tx_hash: Hash32) -> None:
        """Remove a transaction, for instance one that was skipped at execution."""
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

    def _make_room(self, tx: Candidate, replaced: Candidate | None, can_run: bool) -> None:
        """Evict until `tx` fits: those that cannot run, oldest first; then, if `tx` can run, smaller tips."""
        missing = self._bytes + tx.size - self._bytes_max - (replaced.size if replaced else 0)
        victims = []
        for victim in self._in_order_of_going(tx.tip(self._base_fee) if can_run else None):
            if missing <= 0:
                break
            if victim.sender != tx.sender:  # else it might evict its own predecessor
                victims.append(victim)
                missing -= victim.size
        if missing > 0:
            raise LimitExceeded("txpool is full: a larger tip, and no nonce left out, make room")
        for victim in victims:
            self._remove(victim)

    def _in_order_of_going(self, tip: int | None) -> Iterator[Candidate]:
        for tx_hash in self._kept:
            yield self._by_hash[tx_hash]
        for paid, _, tx_hash in self._by_tip:
            if tip is None or paid >= tip:
                return
            yield self._by_hash[tx_hash]

    def _insert(self, tx: Candidate, state_nonce: int) -> None:
        queue = self._queues.setdefault(tx.sender, _Queue())
        queue.next = state_nonce
        queue.by_nonce[tx.nonce] = tx
        queue.bytes_held += len(tx.raw)
        self._by_hash[tx.hash] = tx
        self._kept[tx.hash] = None
        self._bytes += tx.size
        self._regrade(tx.sender, queue)

    def _remove(self, tx: Candidate) -> None:
        queue = self._queues[tx.sender]
        self._forget(tx, queue)
        self._regrade(tx.sender, queue)

    def _forget(self, tx: Candidate, queue: _Queue) -> None:
        del queue.by_nonce[tx.nonce]
        queue.bytes_held -= len(tx.raw)
        if tx.hash in self._kept:
            del self._kept[tx.hash]
        else:
            del self._by_tip[bisect_left(self._by_tip, self._entry(tx))]
        del self._by_hash[tx.hash]
        self._bytes -= tx.size

    def _regrade(self, sender: Address, queue: _Queue) -> None:
        """Update which transactions of a sender can run after its queue changed."""
        queue.end = queue.next
        while queue.end in queue.by_nonce:
            queue.end += 1
        for nonce, tx in queue.by_nonce.items():
            can_run = queue.next <= nonce < queue.end
            if can_run and tx.hash in self._kept:
                del self._kept[tx.hash]
                insort(self._by_tip, self._entry(tx))
            elif not can_run and tx.hash not in self._kept:
                del self._by_tip[bisect_left(self._by_tip, self._entry(tx))]
                self._kept[tx.hash] = None
        if not queue.by_nonce:
            del self._queues[sender]
        if queue.end > queue.next:
            self._running[sender] = queue
        else:
            self._running.pop(sender, None)

    def _entry(self, tx: Candidate) -> tuple[int, int, Hash32]:
        """The eviction order: by tip, then later nonces first, since nothing waits for them."""
        return tx.tip(self._base_fee), -tx.nonce, tx.hash


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
