"""The chain at its newest batch: everything that a batch may read or change, in one object.

Contracts are in `state`, the exchange is in `exchange`, and `cursor` is the position of the chain of batches. `head` is
the last block; `applied` are the batches after it, lowest first, each with its undo.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Hash32
from coinone.rules.chain.bridge.seen import Bests
from coinone.rules.chain.cursor import Cursor
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.network import Network
from coinone.rules.chain.transactions import Verifier
from coinone.rules.consensus.federation import Federation
from coinone.rules.exchange.context import ExchangeResult
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.header import NO_FORCED, Header
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.limits import HEADERS_IN_MEMORY_MAX
from coinone.rules.state.layers import Layer
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, Engine, Rules


@dataclass(frozen=True)
class BatchResult:
    """The result of a batch, and what is needed to undo it."""

    batch: Batch
    before: Cursor
    after: Cursor
    layer: Layer
    exchange: ExchangeResult
    action_hashes: tuple[Hash32, ...]  # aligned with exchange.outcomes
    records: tuple[TransactionRecord, ...]
    skipped: tuple[tuple[Hash32, str], ...]  # Ethereum transactions that broke an inclusion rule, and which
    bests: Bests  # of every market, after the batch

    @property
    def digest(self) -> Hash32:
        """The digest in commit votes: this batch's exchange segments and the previous EVM segment (D1)."""
        return results_digest(self.exchange.digest, self.before.evm_results)


def results_digest(exchange: Hash32, evm_before: Hash32) -> Hash32:
    return keccak256(b"coinone-results" + exchange + evm_before)


class Headers:
    """Headers of the chain by number: the newest in memory, older ones through `load`."""

    def __init__(
        self,
        load: Callable[[int], Header | None] = lambda number: None,
        load_forced: Callable[[int], tuple[bytes, ...]] = lambda number: (),
    ) -> None:
        self._load = load
        self._load_forced = load_forced
        self._recent: dict[int, Header] = {}
        self._forced: dict[int, tuple[bytes, ...]] = {}  # of blocks that have a list

    def __call__(self, number: int) -> Header | None:
        return self._recent.get(number) or self._load(number)

    def forced(self, number: int) -> tuple[bytes, ...]:
        """The list of forced transactions of block `number`, which must be in this chain."""
        header = self(number)
        if header is None or header.forced_root == NO_FORCED:
            return ()
        return self._forced.get(number) or self._load_forced(number)

    def push(self, header: Header, forced: tuple[bytes, ...] = ()) -> None:
        self._recent[header.number] = header
        self._recent.pop(header.number - HEADERS_IN_MEMORY_MAX, None)
        if forced:
            self._forced[header.number] = forced
        self._forced.pop(header.number - HEADERS_IN_MEMORY_MAX, None)

    def pop(self, header: Header) -> None:
        del self._recent[header.number]
        self._forced.pop(header.number, None)


class ChainState:
    def __init__(
        self,
        network: Network,
        genesis: Genesis,
        state: State,
        exchange: Exchange,
        cursor: Cursor,
        head: Header,
        headers: Headers,
        leaves: LeafStore,
        engine: Engine = REFERENCE,
    ) -> None:
        self.network = network
        self.genesis = genesis
        self.state = state
        self.exchange = exchange
        self.cursor = cursor
        self.head = head
        self.headers = headers
        self.leaves = leaves  # of the exchange at `head`
        self.engine = engine  # runs the contracts; not a rule, since all engines agree
        self.applied: list[BatchResult] = []
        self.checked: Any = None  # the batch that was checked last, and its contents (apply.py)
        self.verify = Verifier(exchange.config.domain_rules)
        headers.push(head)

    @property
    def federation(self) -> Federation:
        return self.genesis.federation

    @property
    def rules(self) -> Rules:
        return FORKS[self.network.fork]
