"""The exchange's input from the chain for one batch, and its result.

`BatchContext` holds all that a batch may depend on other than state and actions: the rules read no clock and no
network. Code that runs the exchange alone finds every type that it needs here; the configuration of genesis is in
`instruments/`, transfers to and from contracts are in `ledger/`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.wire.types import OracleReport
from coinone.rules.ledger.crossings import CoreAction, Deposit, Withdrawal

__all__ = [
    "BatchContext",
    "CoreAction",
    "Deposit",
    "ExchangeConfig",
    "ExchangeResult",
    "MarketConfig",
    "Outcome",
    "Withdrawal",
]

Response: TypeAlias = dict[str, Any]
Answer: TypeAlias = Response | Callable[[], Response] | None


def no_contract(address: Address) -> bool:
    """Whether `address` is a contract, so that nobody has its key, where no contracts run: never."""
    return False


@dataclass(frozen=True, slots=True)
class BatchContext:
    seq: int
    time_ms: int
    seed: Hash32
    deposits: tuple[Deposit, ...] = ()
    oracle: tuple[OracleReport, ...] = ()  # verified by wire.verify_oracle, reporters of genesis only
    core_actions: tuple[CoreAction, ...] = ()
    forced: int = 0  # number of first actions that run first within their segment (D1)
    withdrawals_waiting: int = 0  # of earlier batches, pending for contracts (D1)
    is_contract: Callable[[Address], bool] = no_contract  # of the chain's state before the batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipt of one action.

    `response` is Hyperliquid's `response` object, ready for JSON, when the action executed (single orders inside may
    still have an "error"); otherwise `error` is the text of `{"status":"err","response":text}`.

    A skipped action was forced, and broke an inclusion rule: it changed nothing and used up no nonce. An excluded one
    broke it too, and was not allowed in the batch (batch/inclusion.py).
    """

    tx_hash: Hash32
    status: str  # "executed" | "failed" | "skipped" | "excluded"
    answer: Answer = field(default=None, compare=False)
    error: str = ""

    @property
    def response(self) -> Response | None:
        """Hyperliquid's response, built on each call if it is made from a segment's rows."""
        return self.answer() if callable(self.answer) else self.answer


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    outcomes: tuple[Outcome, ...]  # in the order of the actions
    events: EventLog
    withdrawals: tuple[Withdrawal, ...]
    leaves: dict[bytes, bytes | None]  # touched leaves; None = removed
    undo: Any  # opaque; for engine.apply_undo
    digest: Hash32  # of outcomes and leaves: the federation's members vote on it
    core_outcomes: tuple[Outcome, ...] = field(default=())
