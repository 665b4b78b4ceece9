"""A node of an imported Ethereum chain, with the interface that the Ethereum APIs expect of a node.

It makes no blocks and follows nobody. It accepts transactions like a geth without a consensus client: they are checked
and stay in the pool, since no block will include them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from coinone.base.forms.ethereum import decode_transaction
from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.base.primitives.types import Address, Hash32
from coinone.node.imported.chain import EthereumChain, open_chain
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import Store
from coinone.node.views.pending import Pending, without_hashes
from coinone.protocols.txpool.ethereum import Candidate, EthereumPool
from coinone.rules.chain.ethereum.blobs import blob_base_fee, next_excess
from coinone.rules.chain.ethereum.execution import check_stateless
from coinone.rules.chain.imported.blocks import EthereumNetwork, env_of
from coinone.rules.chain.imported.header import EthereumHeader, next_base_fee
from coinone.rules.exchange.actions.verify import SignedAction
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Rules

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportedNetwork:
    """The properties of a network that the interfaces read."""

    chain_id: int
    fork: str  # the rules of the block after the head
    reward_pool: Address  # shown by eth_coinbase: the head's
    rules: EthereumNetwork
    name: str = "ethereum"
    is_dev: bool = False

    def blob_base_fee(self, header: EthereumHeader) -> int:
        """The price of a unit of blob gas in a block, in wei; 0 before Cancun."""
        if header.excess_blob_gas is None:
            return 0
        return blob_base_fee(header.excess_blob_gas, self.rules.fork_at(header.timestamp).blobs)


@dataclass(frozen=True, slots=True)
class ImportedReader:
    """The state that a query may read. `pending` is an empty block after the head."""

    chain: EthereumChain
    database: Store
    pool: EthereumPool

    @property
    def state(self) -> State:
        return State(self.database)

    @property
    def head(self) -> EthereumHeader:
        return self.chain.head

    @property
    def rules(self) -> Rules:
        return FORKS[self.chain.network.fork_at(self.head.timestamp + 1).name]

    def env(self) -> BlockEnv:
        head, network = self.head, self.chain.network
        schedule = network.fork_at(head.timestamp + 1).blobs
        assert head.excess_blob_gas is not None and head.blob_gas_used is not None, (
            "supported forks have blob gas fields"
        )
        excess = next_excess(head.excess_blob_gas, head.blob_gas_used, head.base_fee, schedule)
        return BlockEnv(
            network.chain_id, head.number + 1, head.timestamp + 1, head.coinbase, head.gas_limit,
            next_base_fee(head), head.prev_randao, self.chain.archive.block_hash, blob_base_fee(excess, schedule),
        )  # fmt: skip

    def pending(self) -> Pending:
        return Pending(self.head.number, (), without_hashes(self.env()), self.rules.name)


class EthereumNode:
    """A node of an imported chain. Thread-safe: pool and pending state belong to one thread."""

    def __init__(self, data_dir: Path, engine: Engine = REFERENCE) -> None:
        """Open the chain that `coinone ethereum import` made. Raises InvalidInput or StorageError."""
        self.data_dir = data_dir
        self.engine = engine
        chain = open_chain(data_dir)
        if not chain.has_state or not chain.knows_rules_of(chain.head):
            chain.close()
            raise InvalidInput(
                "the newest block is before Cancun: continue the import, with a checkpoint",
                number=chain.head.number,
            )
        self._chain = chain
        self.archive = chain.archive
        self.storage: Storage = chain.storage
        self._pool = EthereumPool(next_base_fee(chain.head), chain.head.gas_limit, chain.head.gas_limit)
        self._thread = ThreadPoolExecutor(1, "ethereum")
        head = chain.head
        fork = chain.network.fork_at(head.timestamp + 1).name
        self.network = ImportedNetwork(chain.network.chain_id, fork, head.coinbase, chain.network)

    @property
    def head(self) -> EthereumHeader:
        return self._chain.head

    def env_at(self, number: int, block_hash: Callable[[int], Hash32]) -> tuple[BlockEnv, Rules]:
        """The environment of an existing block. Raises InvalidBlock for one before Cancun."""
        header = self.archive.header(number)
        assert header is not None, "the block was found"
        return env_of(self.network.rules, header, block_hash)

    def next_base_fee(self) -> int:
        return next_base_fee(self.head)

    async def query(self, fn: Callable[[ImportedReader], T]) -> T:
        """Run `fn` on an ImportedReader. It must copy what it returns."""
        reader = ImportedReader(self._chain, self.storage.store, self._pool)
        return await asyncio.get_running_loop().run_in_executor(self._thread, fn, reader)

    def read(self, raw: bytes) -> NoReturn:
        raise NotSupported("there is no exchange on this chain")

    async def submit_signed(self, action: SignedAction) -> NoReturn:
        raise NotSupported("there is no exchange on this chain")

    async def submit_oracle(self, raw: bytes) -> NoReturn:
        raise NotSupported("there is no exchange on this chain")

    async def submit_ethereum(self, raw: bytes) -> Hash32:
        """Add a transaction to the pool; return its hash. Raises InvalidInput."""
        tx = decode_transaction(raw)
        check_stateless(tx, self.network.chain_id, FORKS[self.network.fork])
        candidate = Candidate(
            raw,
            tx.hash,
            tx.sender,
            tx.nonce,
            tx.gas,
            tx.max_fee_per_gas,
            tx.max_priority_fee_per_gas,
            tx.value,
        )

        def add(reader: ImportedReader) -> None:
            state = reader.state
            reader.pool.add(candidate, state.nonce(tx.sender), state.balance(tx.sender))

        await self.query(add)
        return tx.hash

    def stop(self) -> None:
        self._thread.shutdown()
        self._chain.close()
