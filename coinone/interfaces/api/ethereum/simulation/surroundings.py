"""The rules around the calls of a simulated block: Ethereum's on an imported chain, Coinone's on a Coinone chain."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Protocol

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.calls.worker import Stopwatch, metered
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.rules.chain.bridge.system_calls import HISTORY_ADDRESS, HISTORY_BLOCKS
from coinone.rules.chain.ethereum.blobs import blob_base_fee, next_excess
from coinone.rules.chain.ethereum.execution import FeePolicy, Precompiles
from coinone.rules.chain.imported.blocks import EthereumNetwork, begin_block
from coinone.rules.chain.imported.header import EthereumHeader, next_base_fee
from coinone.rules.chain.imported.requests import collect_requests
from coinone.rules.ledger.header import EMPTY_REQUESTS
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Rules


class Surroundings(Protocol):
    """The rules of one chain."""

    fee_policy: FeePolicy

    def rules_at(self, time: int) -> Rules:
        """The rules at a time. Raises InvalidBlock before the first fork whose rules are known."""
        ...

    def precompiles(self, rules: Rules) -> Precompiles: ...

    def next_base_fee(self, parent: AnyHeader) -> int: ...

    def excess_blob_gas(self, parent: AnyHeader, time: int) -> int: ...

    def blob_base_fee(self, excess: int, time: int) -> int: ...

    def begin(self, state: State, header: EthereumHeader, block_hash: Callable[[int], Hash32]) -> None:
        """Run the chain's own system calls before the calls."""
        ...

    def finish(
        self, state: State, env: BlockEnv, rules: Rules, records: Sequence[TransactionRecord]
    ) -> Hash32:
        """Run the chain's own system calls after the calls; return the hash of the block's requests."""
        ...


class ImportedSurroundings:
    fee_policy = FeePolicy.BURN

    def __init__(self, network: EthereumNetwork, budget: Stopwatch, engine: Engine = REFERENCE) -> None:
        self._network = network
        self._budget = budget
        self._engine = engine

    def rules_at(self, time: int) -> Rules:
        return FORKS[self._network.fork_at(time).name]

    def precompiles(self, rules: Rules) -> Precompiles:
        return metered(rules.precompiles, self._budget)

    def next_base_fee(self, parent: AnyHeader) -> int:
        assert isinstance(parent, EthereumHeader), "a block of an imported chain"
        return next_base_fee(parent)

    def excess_blob_gas(self, parent: AnyHeader, time: int) -> int:
        assert isinstance(parent, EthereumHeader), "a block of an imported chain"
        if parent.excess_blob_gas is None or parent.blob_gas_used is None:
            return 0
        schedule = self._network.fork_at(time).blobs
        return next_excess(parent.excess_blob_gas, parent.blob_gas_used, parent.base_fee, schedule)

    def blob_base_fee(self, excess: int, time: int) -> int:
        return blob_base_fee(excess, self._network.fork_at(time).blobs)

    def begin(self, state: State, header: EthereumHeader, block_hash: Callable[[int], Hash32]) -> None:
        begin_block(state, self._network, header, block_hash, self._engine)

    def finish(
        self, state: State, env: BlockEnv, rules: Rules, records: Sequence[TransactionRecord]
    ) -> Hash32:
        if not rules.delegation:
            return EMPTY_REQUESTS
        requests = collect_requests(state, env, rules, self._network.deposit_contract, records, self._engine)
        return sha256(b"".join(sha256(request).digest() for request in requests)).digest()


class OwnSurroundings:
    """A Coinone chain: no blobs, no beacon, no requests; the base fee is constant, and is paid to the reward pool."""

    fee_policy = FeePolicy.PAY_COINBASE

    def __init__(self, fork: str, precompiles: Precompiles) -> None:
        self._rules = FORKS[fork]
        self._precompiles = precompiles

    def rules_at(self, time: int) -> Rules:
        return self._rules

    def precompiles(self, rules: Rules) -> Precompiles:
        return self._precompiles

    def next_base_fee(self, parent: AnyHeader) -> int:
        return parent.base_fee

    def excess_blob_gas(self, parent: AnyHeader, time: int) -> int:
        return 0

    def blob_base_fee(self, excess: int, time: int) -> int:
        return 1

    def begin(self, state: State, header: EthereumHeader, block_hash: Callable[[int], Hash32]) -> None:
        number, parent = header.number - 1, int.from_bytes(header.parent_hash, "big")
        state.set_storage(HISTORY_ADDRESS, number % HISTORY_BLOCKS, parent)

    def finish(
        self, state: State, env: BlockEnv, rules: Rules, records: Sequence[TransactionRecord]
    ) -> Hash32:
        return EMPTY_REQUESTS
