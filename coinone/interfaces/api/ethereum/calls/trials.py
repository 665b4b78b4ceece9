"""Simulated contract calls, outside the chain: eth_call, eth_estimateGas, eth_createAccessList.

No simulated call runs on the executor. The state of blocks is in the store, which any process may read, and so are the
leaves of the exchange; what `pending` adds is a tuple of immutable batches (node/views/pending.py). So calls run in
separate processes (lanes.py), with a gas cap and a time limit, and cannot delay a batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from coinone.base.forms.ethereum import AccessList
from coinone.base.primitives.errors import InvalidInput, InvalidTransaction, NotSupported
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.interfaces.api.admission.sender import NOBODY, Sender
from coinone.interfaces.api.ethereum.calls.lanes import Lanes
from coinone.interfaces.api.ethereum.calls.late_exchange import LateExchange
from coinone.interfaces.api.ethereum.calls.worker import Desk, Job, T, Work, metered
from coinone.interfaces.api.ethereum.chain.reads import ChainReads
from coinone.interfaces.api.ethereum.chain.served import ServedNode
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.interfaces.api.ethereum.json.overrides import (
    NONE,
    AccountOverride,
    Overrides,
    env_with,
    precompiles_with,
    state_with,
)
from coinone.interfaces.api.ethereum.json.params import PENDING, BlockId
from coinone.interfaces.api.limits import CALL_GAS_MAX
from coinone.node.imported.archive import EthereumArchive, is_imported
from coinone.node.storage.blocks import BlockReader, head_of
from coinone.node.storage.past import after_block
from coinone.node.storage.store import Snapshot
from coinone.node.views.archive import Archive, BlockArchive
from coinone.node.views.pending import Pending, PendingBatch, no_hash
from coinone.rules.chain.bridge.precompiles import precompiles_seeing
from coinone.rules.chain.ethereum.access import create_access_list
from coinone.rules.chain.ethereum.call import Budget, ExecutionFailed, call, estimate_gas
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.chain.ethereum.trial_fees import CallRequest, without_fees
from coinone.rules.chain.network import Network
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine
from coinone.rules.vm.errors import FrameError, Revert, describe


class Purpose(Enum):
    CALL = "call"
    ESTIMATE = "estimate gas"
    ACCESS_LIST = "access list"


@dataclass(frozen=True, slots=True)
class CallJob:
    """The parameters of a simulated call apart from the state, which is that after block `number`."""

    request: CallRequest
    purpose: Purpose
    number: int
    env: BlockEnv
    fork: str
    overrides: Overrides = NONE


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a simulated call: an output, an amount of gas, an access list, or an error."""

    output: bytes = b""
    gas: int = 0
    access_list: AccessList = ()
    error: str | None = None
    is_revert: bool = False


def try_out(
    trial: CallJob,
    state: State,
    precompiles: Precompiles,
    budget: Budget | None = None,
    engine: Engine = REFERENCE,
) -> CallResult:
    """Run a simulated call on `state`, which is left unchanged. Pure except for its budget."""
    rules, request, env = FORKS[trial.fork], trial.request, env_of(trial)
    try:
        table = precompiles_with(precompiles, trial.overrides)
        if trial.purpose is Purpose.ESTIMATE:
            return CallResult(gas=estimate_gas(state, env, request, rules, table, budget, engine))
        if trial.purpose is Purpose.ACCESS_LIST:
            found = create_access_list(state, env, request, rules, table, budget)
            words = describe(found.error) if found.error else None
            return CallResult(gas=found.gas_used, access_list=found.access_list, error=words)
        result = call(state, env, request, rules, table, budget, engine=engine)
    except ExecutionFailed as failed:
        return _failed(failed.error, failed.output)
    except InvalidTransaction as error:
        is_call = trial.purpose is Purpose.CALL
        return CallResult(error=f"err: {error} (supplied gas {request.gas})" if is_call else str(error))
    except InvalidInput as error:
        return CallResult(error=str(error))
    return (
        CallResult(result.output, result.gas_used) if result.success else _failed(result.error, result.output)
    )


def env_of(trial: CallJob) -> BlockEnv:
    """The block environment of a call; the sender's overrides apply, even to fees that it does not pay."""
    return env_with(without_fees(trial.env, trial.request), trial.overrides)


def _failed(error: FrameError | None, output: bytes) -> CallResult:
    assert error is not None, "what fails has a reason"
    return CallResult(output, error=describe(error), is_revert=isinstance(error, Revert))


class CallPool:
    """Runs simulated calls for a node."""

    def __init__(self, node: ServedNode, reads: ChainReads) -> None:
        self._node = node
        self._reads = reads
        self._lanes = Lanes(node, reads, warm_up)

    async def start(self) -> None:
        await self._lanes.start()

    def close(self) -> None:
        self._lanes.close()

    async def run(
        self,
        request: CallRequest,
        purpose: Purpose,
        wanted: BlockId,
        overrides: Overrides = NONE,
        sender: Sender = NOBODY,
    ) -> CallResult:
        """Run a simulated call. Raises RpcError if the block does not exist, its state is no longer kept, or the
        call takes too long."""
        place = await self.place(wanted)
        if purpose is Purpose.ESTIMATE and wanted.tag == PENDING:
            place = a_second_later(place)
        trial = trial_at(place, request, purpose, overrides)
        return await self.run_on_store(_try_on, trial, sender, place.batches)

    async def run_on_store(
        self,
        work: Work[Job, T],
        job: Job,
        sender: Sender = NOBODY,
        batches: tuple[PendingBatch, ...] = (),
    ) -> T:
        """Run `work` on the newest block, overlaid with `batches`, in a process for simulated calls, when it is its
        turn."""
        return await self._lanes.run(work, job, sender, batches)

    async def place(self, wanted: BlockId) -> Pending:
        """The place in the chain of a call: `pending`, or a block's own fields and state, as in geth. Raises
        RpcError."""
        if wanted.tag == PENDING:
            return await self._reads.query(lambda reader: reader.pending())
        number = self._reads.block_number(wanted)
        env, rules = self._node.env_at(number, no_hash)
        return Pending(number, (), env, rules.name)


def a_second_later(place: Pending) -> Pending:
    """The place of a transaction sent now. Several batches share a second, and the next one may begin a new second:
    a contract that records the time once a second (as Uniswap's pairs) must not be estimated without that work."""
    return replace(place, env=replace(place.env, timestamp=place.env.timestamp + 1))


def trial_at(place: Pending, request: CallRequest, purpose: Purpose, overrides: Overrides = NONE) -> CallJob:
    return CallJob(request, purpose, place.number, place.env, place.fork, overrides)


# In the worker process


def _try_on(trial: CallJob, desk: Desk) -> CallResult:
    try:
        state, trial = prepared(trial, desk)
    except NotSupported as error:
        return CallResult(error=str(error))
    return try_out(trial, state, precompiles_at(trial.number, trial.fork, desk), desk.budget, desk.engine)


# PUSH1 32, PUSH0, KECCAK256, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
_ANY_CODE = bytes.fromhex("60205f205f5260205ff3")


def warm_up(job: None, desk: Desk) -> None:
    """Run a contract and load the exchange, so that the first caller does not wait for code to be loaded."""
    head = head_of(desk.snapshot)
    number, fork = 0 if head is None else head.number, desk.network.fork
    env = BlockEnv(desk.network.chain_id, number, 0, bytes(20), CALL_GAS_MAX, 0, ZERO_HASH, no_hash)
    code = Overrides(((bytes(20), AccountOverride(code=_ANY_CODE)),))
    trial = CallJob(CallRequest(bytes(20), bytes(20)), Purpose.CALL, number, env, fork, code)
    state, trial = prepared(trial, desk)
    assert not try_out(trial, state, {}, engine=desk.engine).error, "the contract cannot fail"
    if isinstance(desk.network, Network):
        LateExchange(desk.network, desk, number).exchange(None)


def prepared(trial: CallJob, desk: Desk) -> tuple[State, CallJob]:
    """The call's own state, and the call with the block hashes of the store. Raises NotSupported."""
    layers = tuple(batch.layer for batch in desk.batches)
    state = state_with(after_block(desk.snapshot, trial.number), layers, trial.overrides)
    return state, replace(trial, env=replace(trial.env, block_hash=block_hashes(desk.snapshot)))


def precompiles_at(number: int, fork: str, desk: Desk) -> Precompiles:
    """The precompiled contracts of the fork and, on a Coinone chain, those that read the exchange as of block
    `number` or of the desk's pending batches; all within the budget."""
    rules = FORKS[fork]
    if not isinstance(desk.network, Network):
        return metered(rules.precompiles, desk.budget)
    return metered(precompiles_seeing(rules, LateExchange(desk.network, desk, number)), desk.budget)


def archive_of(snapshot: Snapshot) -> BlockArchive[object, AnyHeader]:
    """The archive of the blocks in the store."""
    blocks = BlockReader(snapshot)
    return EthereumArchive(blocks) if is_imported(snapshot) else Archive(blocks)


def block_hashes(snapshot: Snapshot) -> Callable[[int], Hash32]:
    """BLOCKHASH from the store; zero for a block that exists only by an override."""
    archive = archive_of(snapshot)

    def block_hash(number: int) -> Hash32:
        header = archive.header(number)
        return ZERO_HASH if header is None else header.hash

    return block_hash
