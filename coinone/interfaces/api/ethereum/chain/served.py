"""A node as the Ethereum methods see it: of a Coinone chain, or of an imported Ethereum chain."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader
from coinone.node.imported.node import ImportedNetwork
from coinone.node.storage.storage import Storage
from coinone.node.views.archive import BlockArchive
from coinone.node.views.pending import Pending
from coinone.node.views.published import BatchOutcome
from coinone.protocols.txpool.ethereum import EthereumPool
from coinone.rules.chain.network import Network
from coinone.rules.exchange.actions.verify import SignedAction
from coinone.rules.state.database import Database
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv, Engine, Rules

T = TypeVar("T")


class ServedReader(Protocol):
    """The state that a query may read: `pending`, and the transaction pool."""

    @property
    def state(self) -> State: ...

    @property
    def database(self) -> Database: ...

    @property
    def pool(self) -> EthereumPool: ...

    @property
    def head(self) -> AnyHeader: ...

    @property
    def rules(self) -> Rules: ...

    def env(self) -> BlockEnv: ...

    def pending(self) -> Pending: ...


class ServedNode(Protocol):
    @property
    def network(self) -> Network | ImportedNetwork: ...

    @property
    def data_dir(self) -> Path: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def storage(self) -> Storage: ...

    @property
    def archive(self) -> BlockArchive[object, AnyHeader]: ...

    def env_at(self, number: int, block_hash: Callable[[int], Hash32]) -> tuple[BlockEnv, Rules]: ...

    def next_base_fee(self) -> int: ...

    async def query(self, fn: Callable[[ServedReader], T]) -> T: ...

    def read(self, raw: bytes) -> SignedAction: ...

    async def submit_signed(self, action: SignedAction) -> BatchOutcome: ...

    async def submit_ethereum(self, raw: bytes) -> Hash32: ...

    async def submit_oracle(self, raw: bytes) -> Hash32: ...
