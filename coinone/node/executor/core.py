"""The single-threaded core of the node: chain, pools, member and log, and the closing of batches.

Nothing here knows threads or event loops: the executor (executor.py) calls it from the one thread that owns the state,
the simulation from its own loop. Callers pass the time.

The steps of a batch: draft from the pools -> the member's votes -> apply -> synced to the log -> answers and view.
Nothing is sent before the sync (docs/design.md).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias, assert_never

from coinone.base.forms.ethereum import EthereumTransaction
from coinone.base.primitives.errors import (
    CoinoneError,
    DecodeError,
    InvalidInput,
    InvalidTransaction,
    LimitExceeded,
    NotSupported,
    StorageError,
)
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Hash32
from coinone.node.executor.barred import Barred
from coinone.node.executor.door import Door, Reply
from coinone.node.executor.forwarding import Forwarding
from coinone.node.executor.promises import promises_in, record_of
from coinone.node.executor.reports import WaitingReports
from coinone.node.keys import Secrets
from coinone.node.storage.storage import Storage
from coinone.node.views.published import NewBlock, Published
from coinone.node.views.view import first_view, next_view
from coinone.protocols.member.effects import Answer, Effect, Enter, Refuse, SendTo, Write
from coinone.protocols.member.member import Member
from coinone.protocols.member.messages import encode_message
from coinone.protocols.sequencer.effects import Execute
from coinone.protocols.sequencer.sequencer import Draft
from coinone.protocols.txpool.ethereum import Candidate, EthereumPool
from coinone.rules.chain.apply import apply_batch, check_proposal, undo_batch
from coinone.rules.chain.batch_limits import limits_of
from coinone.rules.chain.ethereum.execution import check_stateless
from coinone.rules.chain.forced import due_forced, forced_gas, hash_of
from coinone.rules.chain.network import Network
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.exchange.actions.verify import SignedAction
from coinone.rules.exchange.wire.types import OracleReport, VerifiedAction
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.header import Header

Publish: TypeAlias = Callable[[Published], None]
Say: TypeAlias = Callable[[int | None, bytes], None]

NO_LEADER = "this node follows the chain and makes no batches: send to the one it follows"


class Core:
    def __init__(
        self,
        chain: ChainState,
        storage: Storage,
        secrets: Secrets,
        publish: Publish,
        barred: Barred | None = None,
    ) -> None:
        network = chain.network
        self.chain = chain
        self.storage = storage
        self.halted: str | None = None
        self.disk_failed = False
        self.evm_offset_s = chain.cursor.evm_offset_s
        self._reports = WaitingReports()
        self.ethereum_pool = _ethereum_pool(network)
        self.door = Door(barred)
        self.view = first_view(chain)
        self._publish = publish
        self._pinned: int | None = None
        self._forwarding = Forwarding()
        self._executed: BatchResult | None = None  # a batch that no certificate names yet
        self.is_member = secrets.member in chain.federation.members
        self.member_number = chain.federation.members.index(secrets.member) if self.is_member else None
        self.say: Say = lambda member, payload: None  # until a transport is there
        self._member = self._new_member(secrets) if self.is_member else None
        if storage.turns_back:
            self._stand_on_block()

    def _new_member(self, secrets: Secrets) -> Member:
        chain = self.chain
        member = Member(
            chain.network,
            chain.federation,
            chain.federation.members.index(secrets.member),
            secrets.federation,
            secrets.seeds,
            chain.cursor,
            self,
            self.storage.batch,
            promises_in(self.storage.log),
        )
        self._carry_out(member, member.start())
        return member

    @property
    def member(self) -> Member:
        """The federation's member that this node is. Raises NotSupported on a node that only follows
        (roles/follower.py)."""
        self._check_member()
        assert self._member is not None
        return self._member

    @property
    def is_one_of_several(self) -> bool:
        """Whether this node makes batches together with other members."""
        return self.is_member and len(self.chain.federation.members) > 1

    @property
    def awaits_votes(self) -> bool:
        """Whether the state includes a batch that may still be undone: it is executed, and not certified."""
        return self._executed is not None

    # Accept transactions

    def add_action(self, raw: bytes, action: VerifiedAction, reply: Reply) -> None:
        """Queue an action; `reply` gets its final outcome. Raises InvalidInput."""
        self._check_accepting()
        self.door.add(self.chain, raw, action, reply)
        self._forward(raw)

    def add_known_action(self, actions: Sequence[SignedAction], reply: Reply) -> int | None:
        """Queue the first of these readings of one action whose signer exists; return its place, or None if there is
        none. Raises InvalidInput."""
        for place, action in enumerate(actions):
            if self.chain.exchange.knows(action.sender):
                self.add_action(action.raw, action.verified(), reply)
                return place
        return None

    def add_ethereum(self, raw: bytes, tx: EthereumTransaction) -> Hash32:
        """Queue an Ethereum transaction; return its hash. Raises InvalidInput."""
        self._check_accepting()
        if tx.chain_id is None:
            raise NotSupported("only replay-protected (EIP-155) transactions are taken")
        check_stateless(tx, self.chain.network.chain_id, self.chain.rules)
        state = self.chain.state
        candidate = Candidate(
            raw=raw,
            hash=tx.hash,
            sender=tx.sender,
            nonce=tx.nonce,
            gas=tx.gas,
            max_fee=tx.max_fee_per_gas,
            max_tip=tx.max_priority_fee_per_gas,
            value=tx.value,
        )
        self.ethereum_pool.add(candidate, state.nonce(tx.sender), state.balance(tx.sender))
        self.chain.verify.remember(raw, tx)
        self._forward(raw)
        return tx.hash

    def add_oracle(self, raw: bytes, report: OracleReport, now_ms: int) -> None:
        """Queue a reporter's prices for the next batch. Raises InvalidInput."""
        self.check_running()
        self._reports.add(self.chain, raw, report, now_ms)
        self.chain.verify.remember(raw, report)

    def move_time(self, seconds: int) -> None:
        """Advance contracts' time (dev's evm_increaseTime)."""
        self.evm_offset_s += seconds
        if self._pinned is not None:
            self._pinned += seconds

    def pin_timestamp(self, timestamp: int) -> None:
        """Set the time that contracts see in every batch until a block has it (dev's evm_setNextBlockTimestamp)."""
        self._pinned = timestamp

    @property
    def next_timestamp(self) -> int:
        """The timestamp that contracts see in the next batch, if it is made immediately."""
        if self._pinned is not None:
            return self._pinned
        return div_down(self.chain.cursor.time_ms + 1, 1000) + self.evm_offset_s

    # Close batches

    def close_batch(self, now_ms: int) -> BatchResult | None:
        """Make the next batch from the pools and propose it. A federation of one certifies, executes and logs it, then
        answers, and returns it; one of several returns None, and does so when the others have voted."""
        self.check_running()
        base = self._base()
        forced = self._take_forced(base)
        transactions = self._select(base, forced, max(now_ms, self.chain.cursor.time_ms + 1))
        if self._pinned is not None:
            self.evm_offset_s = self._pinned - div_down(max(now_ms, self.chain.cursor.time_ms + 1), 1000)
        draft = Draft(base.number, base.hash, self.evm_offset_s, transactions, len(forced))
        result = self._carry_out(self.member, self.member.propose(now_ms, draft))
        assert result is not None or self.is_one_of_several, (
            "a sole member's proposal is certified immediately"
        )
        self._reports.clear()
        return result

    def hear(self, member: int, payload: bytes, now_ms: int) -> None:
        """Process what another member said. Raises DecodeError or LimitExceeded if the message itself is at fault."""
        self._carry_out(self.member, self.member.received(member, payload, now_ms))

    def tick(self, steady_ms: int) -> None:
        """Process time, as one of several members."""
        self._carry_out(self.member, self.member.tick(steady_ms))
        if not self.member.is_leader and not self.awaits_votes:
            self.door.refuse_excluded(self.chain)
            gas = self.chain.network.batches.evm_gas
            for raw in self._forwarding.again(self.door, self.ethereum_pool, gas):
                self._forward(raw)

    def _forward(self, raw: bytes) -> None:
        """Send what a client gave to this node to the leader, if that is another member."""
        if not self.member.is_leader:
            self._carry_out(self.member, self.member.forward(raw))

    def _enter(self, raw: bytes) -> None:
        """As the leader, take a transaction from another member. Raises InvalidInput if it is none: no honest member
        sends that. One that cannot enter now is ignored, since that member will find out."""
        verified = self.chain.verify(raw)
        if isinstance(verified, OracleReport):
            raise DecodeError("prices are not forwarded")
        with suppress(InvalidInput):
            if isinstance(verified, VerifiedAction):
                self.door.admit(self.chain, raw, verified)
            else:
                self.add_ethereum(raw, verified)

    def rewind(self, chain: ChainState) -> None:
        """Return to `chain`, an earlier state of this node's (dev's evm_revert). Everything queued is dropped."""
        self.drop_waiting(InvalidTransaction("dropped: time was turned back"))
        network = chain.network
        self.chain = chain
        self.ethereum_pool = _ethereum_pool(network)
        self._reports.clear()
        self._pinned = None
        self.evm_offset_s = chain.cursor.evm_offset_s
        self._stand_on_block()
        self.view = first_view(chain)
        self._publish(Published(chain.cursor.seq, chain.cursor.time_ms, self.view, rewound=True))

    def _stand_on_block(self) -> None:
        """Void all batches after the head, to which the chain was rewound; later ones are made in a new term."""
        cursor = self.chain.cursor
        write = self.member.rewind(cursor)
        self.storage.void_batches_from(cursor.seq + 1, [record_of(record) for record in write.records])

    def check(self, batch: Batch) -> None:
        """Raise InvalidBatch or NotSupported if `apply_batch` would; called by the member."""
        check_proposal(self.chain, batch)

    def undo(self) -> None:
        """Undo the last batch, which was not certified; called by the member."""
        undo_batch(self.chain)
        self._executed = None

    def note_block(self, new: NewBlock) -> None:
        """Publish a block that became the head."""
        if self._pinned is not None and self.chain.head.timestamp >= self._pinned:
            self._pinned = None
        self.view = replace(self.view, head=self.chain.head)
        self._publish(Published(self.view.seq, self.view.time_ms, self.view, blocks=(new,)))

    def halt(self, error: Exception) -> None:
        """Stop making batches; reads continue."""
        expected = isinstance(error, StorageError | AssertionError)
        reason = f"{'' if expected else 'unexpected '}{type(error).__name__}: {error}"
        self.halted, self.disk_failed = reason, isinstance(error, StorageError)
        self.view = replace(self.view, halted=reason)
        self.drop_waiting(StorageError(f"node halted: {reason}"))
        self._publish(Published(self.view.seq, self.view.time_ms, self.view))

    def drop_waiting(self, error: CoinoneError) -> None:
        """Answer all callers that wait for an outcome with `error`."""
        self.door.drop_waiting(error)

    def _check_accepting(self) -> None:
        self.check_running()
        self._check_member()

    def _check_member(self) -> None:
        if self._member is None:
            raise NotSupported(NO_LEADER)

    def check_running(self) -> None:
        """Raise StorageError on a node that has halted."""
        if self.halted is not None:
            raise StorageError(f"node halted: {self.halted}")

    def _base(self) -> Header:
        """The newest block with enough descendants, never below the last base. Of several members the others may make
        the newest block a moment later."""
        chain = self.chain
        depth = max(chain.network.blocks.base_depth, 1 if self.is_one_of_several else 0)
        number = max(chain.head.number - depth, chain.cursor.base_number)
        header = chain.headers(number)
        assert header is not None, "the base block is in the chain"
        return header

    def _take_forced(self, base: Header) -> tuple[bytes, ...]:
        """The transactions that blocks force upon the next batch, which are removed from the pools."""
        due = due_forced(self.chain, base.number)
        hashes = [hash_of(self.chain.verify(raw)) for raw in due]
        self.door.pool.remove(hashes)
        for tx_hash in hashes:
            self.ethereum_pool.drop(tx_hash)
        return due

    def _select(self, base: Header, forced: tuple[bytes, ...], time_ms: int) -> tuple[bytes, ...]:
        """Select the next batch's transactions. Contracts get at most half of the bytes, so that they never crowd
        out the exchange."""
        cadence, seq = self.chain.network.batches, self.chain.cursor.seq + 1
        limits = limits_of(cadence, seq, base)
        oracle = self._reports.all()
        oracle = oracle[: limits.transactions] if sum(map(len, oracle)) <= limits.bytes else []
        ethereum: list[bytes] = []
        if cadence.is_evm(seq):
            room = div_down(limits.ordinary_bytes, 2)
            gas = limits.gas - forced_gas(self.chain, forced, limits.gas)
            ethereum = self.ethereum_pool.take(gas, room)
            ethereum = ethereum[: max(0, limits.ordinary_transactions - len(oracle))]
        actions = self.door.choose(self.chain, limits, [*oracle, *ethereum], forced, time_ms)
        return (*forced, *oracle, *[item.raw for item in actions], *ethereum)

    def _carry_out(self, member: Member, effects: list[Effect]) -> BatchResult | None:
        """Carry out the member's effects; return the batch that was certified, if any. A federation of one certifies it
        immediately, and writes its promises with it: nothing is sent before that."""
        certified: BatchResult | None = None
        for effect in effects:
            match effect:
                case Write():
                    self._write(effect)
                case Execute(batch):
                    self._executed = self._execute(batch)
                    after, digest = self._executed.after, self._executed.digest
                    certified = self._carry_out(member, member.executed(after, digest))
                case Answer():
                    certified, self._executed = self._executed, None
                    assert certified is not None, "what is certified was executed"
                    self.settle(certified)
                case SendTo(peer, message):
                    self.say(peer, encode_message(message))
                case Enter(_, raw):
                    self._enter(raw)
                case Refuse(_, error):
                    if isinstance(error, DecodeError | LimitExceeded):
                        raise error
                case _:
                    assert_never(effect)
        return certified

    def _execute(self, batch: Batch) -> BatchResult:
        try:
            return apply_batch(self.chain, batch)
        except InvalidInput as error:  # it was checked, or a quorum signed it: nobody's message is at fault
            raise AssertionError(f"batch {batch.seq} does not apply: {error}") from error

    def _write(self, write: Write) -> None:
        """Sync the batch and its votes to the log. If the disk fails, undo the batch: only what is stored may be
        read."""
        try:
            self.storage.log.append([record_of(record) for record in write.records])
        except StorageError:
            if self._executed is not None:
                self.undo()
            raise

    def settle(self, result: BatchResult) -> None:
        """Clear the pools, answer and publish, after the batch has become durable."""
        chain, events = self.chain, result.exchange.events
        self.storage.history.add_batch(result.batch.seq, events)
        self.ethereum_pool.settle(result.layer.accounts)
        for tx_hash, _ in result.skipped:
            self.ethereum_pool.drop(tx_hash)
        self.view = next_view(self.view, chain, events)
        self._publish(
            Published(
                seq=result.batch.seq,
                time_ms=result.batch.time_ms,
                view=self.view,
                events=events,
                outcomes=result.exchange.outcomes,
                records=result.records,
                skipped=result.skipped,
            )
        )
        self.door.bar_skipped(chain, result)
        self.door.settle(result)
        self.storage.history.prepare()  # after the answers, so as not to delay them


def _ethereum_pool(network: Network) -> EthereumPool:
    return EthereumPool(network.base_fee, network.batches.evm_gas, network.batches.wide_gas)
