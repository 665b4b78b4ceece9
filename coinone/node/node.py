"""The node as interfaces see it: submit, query, subscribe, and a view that is read without the executor.

Thread-safe. Signatures are checked on the caller's thread; everything that reads or changes state runs on the executor.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.forms.exchange import L1_TYPE, USER_TYPE
from coinone.base.primitives.errors import (
    CoinoneError,
    InvalidInput,
    InvalidSignature,
    InvalidTransaction,
    NotSupported,
    StorageError,
)
from coinone.base.primitives.types import Hash32
from coinone.node.clock import Clock, Entropy, SystemClock, system_entropy
from coinone.node.executor.barred import Barred
from coinone.node.executor.core import NO_LEADER, Core
from coinone.node.executor.door import Reply
from coinone.node.executor.executor import Executor, Overloaded
from coinone.node.executor.intake import Intake, settle
from coinone.node.executor.signers import Signers
from coinone.node.keys import load_or_make_secrets
from coinone.node.limits import MAP_MIB
from coinone.node.recovery.key_check import check_keys
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.roles.assignment import assign_roles
from coinone.node.roles.leader import Leader
from coinone.node.storage.history.history import History
from coinone.node.storage.storage import open_storage
from coinone.node.views.archive import Archive
from coinone.node.views.pending import Pending, pending_of
from coinone.node.views.published import BatchOutcome, Published, SubscriberQueue
from coinone.node.views.view import View
from coinone.protocols.relay.attestation import sign_attestation
from coinone.protocols.txpool.ethereum import EthereumPool
from coinone.rules.chain.apply import call_env
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.imported.blocks import header_env
from coinone.rules.chain.network import Network, require_launched
from coinone.rules.chain.state import ChainState
from coinone.rules.chain.transactions import verify_transaction
from coinone.rules.exchange.actions.verify import SignedAction, read_raw
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.wire.types import OracleReport
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.state.database import Database
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Rules

T = TypeVar("T")
MAP_SIZE_BYTES = MAP_MIB << 20
STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ChainReader:
    """The state that a query may read, on the executor, between two batches."""

    chain: ChainState
    archive: Archive
    database: Database  # for use under the pending layers: it may already include the first of them
    pool: EthereumPool
    next_timestamp: int  # the timestamp that contracts see in the next batch, if it is made immediately

    @property
    def network(self) -> Network:
        return self.chain.network

    @property
    def state(self) -> State:
        """Contract state at the newest batch: `pending`."""
        return self.chain.state

    @property
    def exchange(self) -> Exchange:
        return self.chain.exchange

    @property
    def head(self) -> Header:
        return self.chain.head

    @property
    def rules(self) -> Rules:
        return self.chain.rules

    def env(self) -> BlockEnv:
        """The block environment of a contract call made now."""
        return call_env(self.chain)

    def pending(self) -> Pending:
        return pending_of(self.chain, self.next_timestamp)


class Node:
    def __init__(
        self,
        network: Network,
        data_dir: Path,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        map_size_bytes: int = MAP_SIZE_BYTES,
        genesis: Genesis | None = None,
        archive: bool = False,
        must_lead: bool = False,
        engine: Engine = REFERENCE,
    ) -> None:
        """Open the data folder and bring the chain up to date. `archive` keeps the state of every block. `genesis`
        is for the first start of a node that joins others; alone, dev makes its own. `must_lead`: there is no node
        to follow. `engine` runs the contracts. Raises NotSupported for a network that is not launched, StorageError
        for a folder that is in use, foreign or damaged, or whose keys are not its chain's."""
        require_launched(network)
        self.network = network
        self.data_dir = data_dir
        self.engine = engine
        self._clock = clock or SystemClock()
        self._heard_s = self._clock.steady_s()  # when the newest batch arrived, or when the node was created
        self._subscriptions: list[SubscriberQueue] = []
        self.storage = open_storage(data_dir, identity_of(network), map_size_bytes, archive)
        try:
            secrets = load_or_make_secrets(data_dir, entropy, is_new=self.storage.blocks.head() is None)
            chain = open_chain(network, self.storage, secrets, self._clock.wall_ms(), genesis, engine)
            check_keys(chain, secrets, data_dir, must_lead)
        except BaseException:
            self.storage.close()
            raise
        self.archive = Archive(self.storage.blocks)
        self._barred = Barred()
        self._core = Core(chain, self.storage, secrets, self._publish, self._barred)
        self._writer = ThreadPoolExecutor(1, "coinone-commit")
        self._federation_key = secrets.federation
        self._roles = assign_roles(self._core, secrets, self._clock, entropy, self._writer.submit)
        self._executor = Executor(self._clock, self._roles.schedule.work, lambda: self._core.awaits_votes)
        self._signers = Signers()
        self._intake = Intake(self._run, self._signers)
        self.domain_rules = chain.exchange.config.domain_rules

    @property
    def genesis(self) -> Genesis:
        return self._core.chain.genesis

    @property
    def follows(self) -> bool:
        """Whether other nodes make the batches."""
        return not self._core.is_member

    @property
    def member_number(self) -> int | None:
        """This node's number in the federation; None on a follower."""
        return self._core.member_number

    @property
    def leader(self) -> int | None:
        """The member that leads, as this one has it; None on a follower."""
        return self._core.member.leader if self._core.is_member else None

    @property
    def is_one_of_several(self) -> bool:
        """Whether this node is a member that makes batches together with others."""
        return self._core.is_one_of_several

    @property
    def clock_ms(self) -> int:
        """This computer's wall clock."""
        return self._clock.wall_ms()

    @property
    def batch_age_ms(self) -> int:
        """The time since the last batch; on a follower, at least the age of the newest batch, which may have arrived
        late. A leader's own clock may be behind its batches."""
        silent = int((self._clock.steady_s() - self._heard_s) * 1000)
        return max(silent, self.clock_ms - self.view.time_ms) if self.follows else silent

    @property
    def view(self) -> View:
        """The immutable view after the newest batch."""
        return self._core.view

    @property
    def history(self) -> History:
        return self.storage.history

    @property
    def halted(self) -> str | None:
        return self._core.halted

    @property
    def disk_failed(self) -> bool:
        """Whether a disk failure halted the node: what was written is then unknown, and only a restart can find out."""
        return self._core.disk_failed

    def env_at(self, number: int, block_hash: Callable[[int], Hash32]) -> tuple[BlockEnv, Rules]:
        """The environment that the header of an existing block gives contracts, and the rules they run under."""
        header = self.archive.header(number)
        assert header is not None, "the block was found"
        return header_env(self.network.chain_id, header, block_hash), FORKS[self.network.fork]

    def next_base_fee(self) -> int:
        """The base fee of the block after the newest one: a constant of the network, unlike Ethereum's."""
        return self.network.base_fee

    def start(self) -> None:
        self._executor.start()

    def stop(self) -> None:
        """Finish the running batch and close the folder. All answered batches are already on disk."""
        self._executor.stop(STOP_TIMEOUT_S)
        self._signers.close()
        self._writer.shutdown()  # finishes a block that is being written; a second signal is safe nevertheless
        self._roles.follower.stop()
        self._core.drop_waiting(StorageError("node stopped before the batch was made"))
        for subscription in self._subscriptions:
            subscription.push(None)
        self.storage.close()

    async def submit(self, raw: bytes) -> BatchOutcome:
        """Run an exchange action; return its outcome once the batch is durable. Raises InvalidInput, or StorageError
        if the node stopped first: the caller must then look up whether the action took effect."""
        return await self.submit_signed(self.read(raw))

    def read(self, raw: bytes) -> SignedAction:
        """Decode the action in `raw`, on any thread; its signature is checked when it is submitted. Raises
        InvalidInput."""
        if raw[:1] not in (bytes((L1_TYPE,)), bytes((USER_TYPE,))):
            raise NotSupported("not an exchange action")
        return read_raw(raw, self.domain_rules)

    async def submit_signed(self, action: SignedAction) -> BatchOutcome:
        """Run an exchange action that the caller has decoded; see `submit`."""
        answer, reply = self._reply()

        def enter() -> None:
            self._core.add_action(action.raw, action.verified(), reply)

        await self._enter([action], enter)
        return await answer

    async def submit_known(self, actions: Sequence[SignedAction]) -> tuple[int, BatchOutcome] | None:
        """Run the first of these readings of one action whose signer the chain knows; return its place and its
        outcome. None if it knows none of them; then nothing was done."""
        answer, reply = self._reply()
        place = await self._enter(actions, lambda: self._core.add_known_action(actions, reply))
        return None if place is None else (place, await answer)

    def _reply(self) -> tuple[asyncio.Future[BatchOutcome], Reply]:
        """A future for an outcome, and the callback through which the executor sets it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[BatchOutcome] = loop.create_future()

        def reply(outcome: BatchOutcome | CoinoneError) -> None:
            loop.call_soon_threadsafe(settle, answer, outcome)

        return answer, reply

    async def _enter(self, actions: Sequence[SignedAction], enter: Callable[[], T]) -> T:
        try:
            return await self._intake.submit(actions, enter, first=actions[0].action.is_cancel)
        except Overloaded:
            self.bar(actions)
            raise

    def bar(self, actions: Sequence[SignedAction]) -> None:
        """Bar actions that were refused before they reached the executor, as from unknown signers (door.py)."""
        for action in actions:
            with suppress(InvalidSignature):  # an invalid signature can never be included
                verified = action.verified()
                self._barred.add(verified.tx_hash, verified.signer, is_known=False)

    async def submit_ethereum(self, raw: bytes) -> Hash32:
        """Put an Ethereum transaction into the pool; return its hash. Raises InvalidInput."""
        tx = decode_transaction(raw)
        return await self._intake.submit([tx], lambda: self._core.add_ethereum(tx.encoded, tx))

    async def submit_oracle(self, raw: bytes) -> Hash32:
        """Put a reporter's prices into the next batch; return the hash. Raises InvalidInput."""
        verified = verify_transaction(raw, self.domain_rules)
        if not isinstance(verified, OracleReport):
            raise InvalidTransaction("not an oracle transaction")
        await self._run(lambda: self._core.add_oracle(raw, verified, self._clock.wall_ms()))
        return verified.tx_hash

    async def follow(self, item: CertifiedBatch | Block) -> None:
        """Execute a batch or block that another node made; one call at a time. Raises InvalidInput, or StorageError."""
        # Ahead of clients: if the item waited behind them, the peer would seem at fault.
        receiving = self._executor.submit(lambda: self._roles.follower.receive(item), first=True, own=True)
        answer = await asyncio.wrap_future(receiving)
        await asyncio.wrap_future(answer)

    def attest(self, handshake_hash: Hash32) -> tuple[int, bytes]:
        """This member's number, and its signature for the connection with this handshake hash. On any thread."""
        number = self.member_number
        assert number is not None, "a follower proves nothing"
        return number, sign_attestation(self.network.chain_id, handshake_hash, self._federation_key)

    def speak_through(self, say: Callable[[int | None, bytes], None]) -> None:
        """From now on, `say` is called on the executor's thread to send a payload to a member, or to all others."""
        self._core.say = say

    async def hear(self, member: int, payload: bytes) -> None:
        """Process what another member said; one call at a time for each member. Raises DecodeError or LimitExceeded if
        the sender is at fault, StorageError on a node that has halted or stops."""
        core = self._core

        def run() -> None:
            core.check_running()
            try:
                core.hear(member, payload, self._clock.wall_ms())
            except InvalidInput:
                raise
            except Exception as error:
                core.halt(error)
                raise

        # Ahead of clients, as what a follower gets: votes that wait delay every client.
        await asyncio.wrap_future(self._executor.submit(run, first=True, own=True))

    async def query(self, fn: Callable[[ChainReader], T]) -> T:
        """Run `fn` on the executor between two batches. It must copy what it returns."""
        return await self._run(lambda: fn(self.reader()))

    def reader(self) -> ChainReader:
        """The reader for queries; on the executor only."""
        self._executor.assert_owner()
        core = self._core
        store = self.storage.store
        return ChainReader(core.chain, self.archive, store, core.ethereum_pool, core.next_timestamp)

    def subscribe(self) -> SubscriberQueue:
        """Subscribe to the published result of every batch from now on, on the running event loop."""
        subscription = SubscriberQueue(asyncio.get_running_loop())
        self._subscriptions = [*self._subscriptions, subscription]
        return subscription

    async def run_on_core(self, job: Callable[[Core, Leader], T]) -> T:
        """Run a job that may change state on the executor of a leading node, for dev/tools.py. Raises NotSupported."""
        core, leader = self._core, self._roles.leader
        if leader is None:
            raise NotSupported(NO_LEADER)
        if core.is_one_of_several:
            raise NotSupported("one of several members makes no batches or blocks on demand")

        def run() -> T:
            try:
                return job(core, leader)
            except (StorageError, AssertionError) as error:
                core.halt(error)
                raise

        return await self._run(run)

    async def _run(self, job: Callable[[], T], first: bool = False) -> T:
        return await asyncio.wrap_future(self._executor.submit(job, first))

    def _publish(self, published: Published) -> None:
        if not published.blocks:
            self._heard_s = self._clock.steady_s()
        subscriptions = self._subscriptions
        gone = [subscription for subscription in subscriptions if not subscription.push(published)]
        if gone:
            self._subscriptions = [item for item in self._subscriptions if item not in gone]
