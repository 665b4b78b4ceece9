"""What the chain hands the exchange for one batch, and what it gets back.

`ExchangeConfig` is fixed at genesis. `BatchContext` holds all that a batch may depend on besides state
and actions: nothing here is read from a clock or a network by the rules themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.wire.types import DomainRules, OracleReport

Response: TypeAlias = dict[str, Any]
Answer: TypeAlias = Response | Callable[[], Response] | None

QUOTE_TOKEN_ADDRESS: Address = bytes.fromhex("00000000000000000000000000000000c0110001")
QUOTE_SYSTEM_ADDRESS: Address = bytes.fromhex("2000000000000000000000000000000000000000")


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """A perpetual's fixed terms. Price unit 10^-(6 - sz_decimals), size unit 10^-sz_decimals."""

    name: str
    sz_decimals: int
    max_leverage: int
    impact_notional: int = 6_000_000_000  # micro-quote
    tiers: tuple[tuple[int, int], ...] = ()  # (notional in micro-quote, max leverage) above the first tier
    max_open_interest: int = 0  # lots; 0 = no cap
    first_leverage: int = 0  # of who has chosen none; 0 = the greatest
    initial_mark: int = 1  # shown until the first oracle price; nothing trades on it


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    chain_id: int
    accept_foreign_user_signed: bool  # dev only (D5)
    accept_foreign_l1: bool
    markets: tuple[MarketConfig, ...]
    reporters: tuple[Address, ...]
    balances: tuple[tuple[Address, int], ...] = ()  # genesis credits in micro-quote
    action_credits: int = 10_000  # what an account may send before it trades (D5); dev is generous
    token_name: str = "USDC"
    token_address: Address = QUOTE_TOKEN_ADDRESS
    system_address: Address = QUOTE_SYSTEM_ADDRESS
    keyless: frozenset[Address] = (
        frozenset()
    )  # besides those of actions/addresses.py: contracts that stand in genesis

    @property
    def domain_rules(self) -> DomainRules:
        return DomainRules(self.chain_id, self.accept_foreign_user_signed, self.accept_foreign_l1)


@dataclass(frozen=True, slots=True)
class Deposit:
    """Quote tokens that arrived at the system address in the last EVM segment."""

    address: Address
    amount: int
    tx_hash: Hash32 = bytes(32)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Quote tokens to be released to `address` in the next EVM segment."""

    address: Address
    amount: int
    tx_hash: Hash32


@dataclass(frozen=True, slots=True)
class CoreAction:
    """A RawAction log of the CoreWriter contract: `sender` acts as itself, `data` is version, id, fields."""

    sender: Address
    data: bytes


def no_contract(address: Address) -> bool:
    """Whether a contract lies at `address`, so that nobody has its key, where no contracts run: never."""
    return False


@dataclass(frozen=True, slots=True)
class BatchContext:
    seq: int
    time_ms: int
    seed: Hash32
    deposits: tuple[Deposit, ...] = ()
    oracle: tuple[OracleReport, ...] = ()  # verified by wire.verify_oracle, reporters of genesis only
    core_actions: tuple[CoreAction, ...] = ()
    forced: int = 0  # so many of the first actions run first within their segment (D1)
    withdrawals_waiting: int = 0  # of earlier batches, for contracts to run (D1)
    is_contract: Callable[[Address], bool] = no_contract  # of the chain's state before the batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipt of one action.

    `response` is Hyperliquid's `response` object, ready for JSON, when the action executed (single orders
    inside may still carry an "error"); otherwise `error` is the text of `{"status":"err","response":text}`.
    A skipped action was forced, and broke an inclusion rule: it changed nothing and burnt no nonce. An excluded one
    broke it too, and had no right to be in the batch (batch/inclusion.py).
    """

    tx_hash: Hash32
    status: str  # "executed" | "failed" | "skipped" | "excluded"
    answer: Answer = field(default=None, compare=False)
    error: str = ""

    @property
    def response(self) -> Response | None:
        """Made on each call where it is made of a segment's rows."""
        return self.answer() if callable(self.answer) else self.answer


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    outcomes: tuple[Outcome, ...]  # aligned with the actions handed in
    events: EventLog
    withdrawals: tuple[Withdrawal, ...]
    leaves: dict[bytes, bytes | None]  # touched leaves; None = gone
    undo: Any  # opaque; for engine.apply_undo
    digest: Hash32  # of outcomes and leaves: what members of the federation vote on
    core_outcomes: tuple[Outcome, ...] = field(default=())
