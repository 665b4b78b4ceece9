"""Run the blocks of eth_simulateV1: each on the state after the one before it, including roots and hashes.

Answers must equal geth's, including the block's hash. A call that cannot begin ends the whole simulation with its own
code; one that fails is part of the answer. All calls together have as much gas as one eth_call.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

from coinone.base.crypto.checksum import checksummed
from coinone.base.forms.ethereum import BLOB, FEE_MARKET, LEGACY, SET_CODE, EthereumTransaction
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.types import ZERO_HASH, Address, Hash32
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.interfaces.api.ethereum.json.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    LIMIT_EXCEEDED,
    RpcError,
)
from coinone.interfaces.api.ethereum.json.overrides import (
    AccountOverride,
    Overrides,
    override,
    precompiles_with,
)
from coinone.interfaces.api.ethereum.simulation.plan import (
    Plan,
    WantedBlock,
    WantedCall,
    WantedWithdrawal,
    laid_out,
)
from coinone.interfaces.api.ethereum.simulation.surroundings import Surroundings
from coinone.interfaces.api.ethereum.simulation.transfers import TransferTracer
from coinone.interfaces.api.limits import CALL_GAS_MAX
from coinone.node.storage.past import PastState
from coinone.rules.chain.ethereum.blobs import blob_gas
from coinone.rules.chain.ethereum.call import InitCodeTooLarge, IntrinsicGasTooLow, run_call
from coinone.rules.chain.ethereum.execution import Precompiles, TransactionResult
from coinone.rules.chain.ethereum.recording import record_of
from coinone.rules.chain.ethereum.trial_fees import (
    CallRequest,
    FeeCapTooLow,
    InsufficientFunds,
    TipAboveCap,
)
from coinone.rules.chain.imported.blocks import WEI_PER_GWEI
from coinone.rules.chain.imported.header import EMPTY_OMMERS, EthereumHeader, with_fields
from coinone.rules.ledger.placed import Placed, place
from coinone.rules.state.database import Changes, Database, Table
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, BlockEnv, Engine, Log, Rules

NONCE_TOO_LOW, NONCE_TOO_HIGH = -38010, -38011
FEE_CAP_TOO_LOW, INTRINSIC_GAS, INSUFFICIENT_FUNDS, BLOCK_GAS_LIMIT = -38012, -38013, -38014, -38015
INIT_CODE_TOO_LARGE = -38025
WIPED_SLOTS_MAX = (
    10_000  # of an account whose whole storage is replaced: the root must be computed without them
)

_CODES: tuple[tuple[type[InvalidTransaction], int], ...] = (
    (FeeCapTooLow, FEE_CAP_TOO_LOW),
    (TipAboveCap, INVALID_PARAMS),
    (InsufficientFunds, INSUFFICIENT_FUNDS),
    (IntrinsicGasTooLow, INTRINSIC_GAS),
    (InitCodeTooLarge, INIT_CODE_TOO_LARGE),
)


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """A simulated call with its `logs`, each with its index in the block, including transfers if requested."""

    tx: EthereumTransaction
    result: TransactionResult
    logs: tuple[tuple[int, Log], ...]


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    header: EthereumHeader
    placed: Placed
    calls: tuple[SimulatedCall, ...]
    withdrawals: tuple[WantedWithdrawal, ...]


class Simulation:
    """A simulation of blocks on top of `parent`, whose rows are `database`. `budget` is called regularly and may
    stop it."""

    def __init__(
        self,
        plan: Plan,
        parent: AnyHeader,
        database: Database,
        around: Surroundings,
        chain_id: int,
        block_hash: Callable[[int], Hash32],
        budget: Callable[[], None],
        engine: Engine = REFERENCE,
    ) -> None:
        self._plan = plan
        self._base = self._parent = parent
        self._rows: Changes = {}
        self._database = PastState(database, self._rows)
        self._around = around
        self._chain_id = chain_id
        self._stored_hash = block_hash
        self._budget = budget
        self._engine = engine
        self._gas_left = CALL_GAS_MAX
        self._logs = 0  # of the current block
        self._hashes: dict[int, Hash32] = {}

    def run(self) -> list[SimulatedBlock]:
        """Run all blocks. Raises RpcError if a call cannot begin, and InvalidInput for contradictory overrides."""
        done = []
        for wanted in laid_out(self._plan, self._base.number, self._base.timestamp):
            self._budget()
            done.append(self._block(wanted))
            self._parent = done[-1].header
            self._hashes[self._parent.number] = self._parent.hash
        return done

    def _block(self, wanted: WantedBlock) -> SimulatedBlock:
        parent, around = self._parent, self._around
        assert wanted.number is not None and wanted.time is not None, "laid out"
        rules = around.rules_at(wanted.time)
        excess = around.excess_blob_gas(parent, wanted.time)
        header = self._draft(wanted, excess)
        env = self._env(wanted, header, excess)
        state = State(self._database)
        table = self._pretend(state, wanted, around.precompiles(rules))
        around.begin(state, header, self._block_hash)
        calls, gas_used, self._logs = [], 0, 0
        for call in wanted.calls:
            calls.append(self._call(call, state, env, rules, table, gas_used))
            gas_used += calls[-1].result.gas_used
        placed = place(record_of(each.tx, each.result) for each in calls)
        requests = around.finish(state, env, rules, [row.record for row in placed.rows])
        _withdraw(state, wanted)
        sealed = seal(self._database, state.freeze())
        for changed, rows in sealed.changes.items():
            self._rows.setdefault(changed, {}).update(rows)
        used = sum(blob_gas(each.tx) for each in calls)
        header = replace(
            header,
            state_root=sealed.root,
            transactions_root=placed.transactions_root,
            receipts_root=placed.receipts_root,
            bloom=placed.bloom,
            gas_used=placed.gas_used,
            withdrawals_root=ordered_root([rlp.encode(row.fields) for row in wanted.withdrawals]),
            blob_gas_used=used,
            requests_hash=requests if rules.delegation else None,
        )
        return SimulatedBlock(with_fields(header), placed, tuple(calls), wanted.withdrawals)

    def _draft(self, wanted: WantedBlock, excess: int) -> EthereumHeader:
        """The header's fields that do not depend on the calls. Without validation, the base fee is zero by default."""
        parent = self._parent
        base_fee = wanted.base_fee
        if base_fee is None:
            base_fee = self._around.next_base_fee(parent) if self._plan.validation else 0
        assert wanted.number is not None and wanted.time is not None, "laid out"
        return EthereumHeader(
            parent_hash=parent.hash,
            ommers_hash=EMPTY_OMMERS,
            coinbase=parent.coinbase if wanted.coinbase is None else wanted.coinbase,
            state_root=ZERO_HASH,
            transactions_root=ZERO_HASH,
            receipts_root=ZERO_HASH,
            bloom=bytes(256),
            difficulty=0,
            number=wanted.number,
            gas_limit=parent.gas_limit if wanted.gas_limit is None else wanted.gas_limit,
            gas_used=0,
            timestamp=wanted.time,
            extra_data=b"",
            prev_randao=wanted.prev_randao or ZERO_HASH,
            nonce=bytes(8),
            base_fee=base_fee,
            excess_blob_gas=excess,
            parent_beacon_root=wanted.beacon_root or ZERO_HASH,
        )

    def _env(self, wanted: WantedBlock, header: EthereumHeader, excess: int) -> BlockEnv:
        blob_fee = wanted.blob_base_fee
        if blob_fee is None:
            blob_fee = self._around.blob_base_fee(excess, header.timestamp)
        return BlockEnv(
            self._chain_id, header.number, header.timestamp, header.coinbase, header.gas_limit,
            header.base_fee, header.prev_randao, self._block_hash, blob_fee,
        )  # fmt: skip

    def _block_hash(self, number: int) -> Hash32:
        return self._hashes[number] if number > self._base.number else self._stored_hash(number)

    def _pretend(self, state: State, wanted: WantedBlock, precompiles: Precompiles) -> Precompiles:
        """Apply the block's overrides of accounts, as if by a transaction before its calls."""
        table = precompiles_with(precompiles, Overrides(wanted.accounts))
        state.begin_transaction()
        for address, account in wanted.accounts:
            self._override(state, address, account)
        state.end_transaction()
        return table

    def _override(self, state: State, address: Address, account: AccountOverride) -> None:
        if account.state is not None:
            slots = [
                key[20:]
                for key, _ in islice(self._database.scan(Table.STORAGE, address), WIPED_SLOTS_MAX + 1)
            ]
            if len(slots) > WIPED_SLOTS_MAX:
                raise RpcError(
                    LIMIT_EXCEEDED,
                    f"account {checksummed(address)} has too much storage to be replaced (most {WIPED_SLOTS_MAX} "
                    "slots): stateDiff replaces single ones",
                )
            for slot in slots:
                state.set_word(address, slot, 0)
        override(state, address, account)

    def _call(
        self, wanted: WantedCall, state: State, env: BlockEnv, rules: Rules, table: Precompiles, used: int
    ) -> SimulatedCall:
        request = self._request(wanted, env, used)
        nonce = state.nonce(request.caller) if wanted.nonce is None else wanted.nonce
        tracer = TransferTracer(self._logs) if self._plan.transfers else None
        try:
            self._check(request, nonce, state)
            result = run_call(
                state, env, request, rules, table, self._budget, tracer, self._around.fee_policy,
                always_fees=self._plan.validation, warm=self._around.precompiles(rules), engine=self._engine,
            )  # fmt: skip
        except InvalidTransaction as error:
            raise _refused(error, request) from error
        self._gas_left -= result.gas_used
        tx = _transaction(request, nonce, self._chain_id, wanted.is_legacy)
        logs = enumerate(result.logs, self._logs) if tracer is None else tracer.logs
        self._logs = self._logs + len(result.logs) if tracer is None else tracer.count
        return SimulatedCall(tx, result, tuple(logs))

    def _request(self, wanted: WantedCall, env: BlockEnv, used: int) -> CallRequest:
        """The call with the gas that the block, and the simulation, have left."""
        gas = env.gas_limit - used if wanted.gas is None else wanted.gas
        if used + gas > env.gas_limit:
            raise RpcError(BLOCK_GAS_LIMIT, f"block gas limit reached: {used} >= {env.gas_limit}")
        return replace(wanted.request, gas=min(gas, self._gas_left))

    def _check(self, request: CallRequest, nonce: int, state: State) -> None:
        """Check the nonce if the plan validates. Raises RpcError."""
        have, caller = state.nonce(request.caller), checksummed(request.caller)
        if self._plan.validation and nonce != have:
            code, words = (NONCE_TOO_LOW, "low") if nonce < have else (NONCE_TOO_HIGH, "high")
            raise RpcError(code, f"nonce too {words}: address {caller}, tx: {nonce} state: {have}")


def _refused(error: InvalidTransaction, request: CallRequest) -> RpcError:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), INTERNAL_ERROR)
    return RpcError(code, f"err: {error} (supplied gas {request.gas})")


def _transaction(request: CallRequest, nonce: int, chain_id: int, is_legacy: bool) -> EthereumTransaction:
    """The call as an unsigned transaction."""
    kind = FEE_MARKET
    if is_legacy:
        kind = LEGACY
    elif request.authorizations:
        kind = SET_CODE
    elif request.blob_hashes:
        kind = BLOB
    tx = EthereumTransaction(
        type=kind,
        chain_id=None if is_legacy else chain_id,
        nonce=nonce,
        max_fee_per_gas=request.fee_cap,
        max_priority_fee_per_gas=request.tip_cap,
        gas=request.gas,
        to=request.to,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
        authorizations=request.authorizations or (),
        max_fee_per_blob_gas=request.blob_fee_cap,
        blob_hashes=request.blob_hashes,
    )
    tx.know_sender(request.caller)
    return tx


def _withdraw(state: State, wanted: WantedBlock) -> None:
    for row in wanted.withdrawals:
        state.begin_transaction()
        state.set_balance(row.address, state.balance(row.address) + row.gwei * WEI_PER_GWEI)
        state.end_transaction()
