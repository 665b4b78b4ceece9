"""Events: what a batch did, for receipts, streams, history and views.

Every event is immutable and has the batch in which it happened (`seq`) and that batch's time. Amounts are integers in
the units of the rows: prices in 10^-(6 - szDecimals), sizes in 10^-szDecimals, money in 10^-6 quote units. State does
not depend on events: a node that dropped them all would compute the same.
"""

from dataclasses import dataclass

from coinone.base.primitives.types import Address, Hash32
from coinone.rules.exchange.events.orders import OrderUpdate


@dataclass(frozen=True, slots=True)
class FillSide:
    """One party of a fill. `fee` is paid when positive and received (a rebate) when negative."""

    account: Address
    oid: int
    cloid: int  # 0 = none
    start_position: int  # signed size before this fill
    closed_pnl: int  # realised by this fill, before fees
    fee: int  # the builder's share included
    builder_fee: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade: `px` and `sz` are shared, `taker` is the side that crossed the spread."""

    seq: int
    time_ms: int
    tid: int  # unique and rising
    market: int
    px: int
    sz: int
    taker_is_buy: bool
    taker: FillSide
    maker: FillSide
    tx_hash: Hash32  # the taker's transaction; zero for a system order
    kind: str = "trade"  # "trade" | "liquidation" (taker liquidated) | "adl" (no book involved)


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """A funding payment. `amount` is received when positive; `rate` is hourly, and `premium` the hour's average, in
    1e-9."""

    seq: int
    time_ms: int
    account: Address
    market: int
    size: int
    rate: int
    amount: int
    premium: int


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """A balance change that is not a trade.

    `kind` is "deposit", "withdraw", "send", "receive"; "levy" (what a winner pays of others' debts) or "covered" (an
    account's debt, which others paid); "unclaimed" (waits for an account to open or to be unlocked), "dust" (too small
    to wait: to the insurance fund), "claimed" (unclaimed credits that are paid out), "opening" (the opening fee),
    "collected" (the remainder of a removed account, which waits) or "proceeds" (of closing a locked account: to the
    insurance fund).
    """

    seq: int
    time_ms: int
    account: Address
    kind: str
    amount: int  # signed: positive is received
    counterparty: Address
    tx_hash: Hash32


@dataclass(frozen=True, slots=True)
class LiquidationEvent:
    """A step in the liquidation of `account`.

    `kind` is "debt" (what a move took beyond its equity, paid by others), "order" (sent to the book) or "adl" (closed
    against `counterparty`).
    """

    seq: int
    time_ms: int
    account: Address
    kind: str
    market: int  # -1 if no market
    size: int  # signed: the part of the position being closed
    px: int
    amount: int  # the debt, the insufficient equity, or the value closed
    counterparty: Address = bytes(20)


@dataclass(frozen=True, slots=True)
class MarketUpdate:
    """A market's figures after a batch that changed them."""

    seq: int
    time_ms: int
    market: int
    mark: int
    oracle: int
    oracle_fresh: bool
    premium: int  # last sample, 1e-9
    funding_rate: int  # hourly estimate, 1e-9
    open_interest: int


Event = Fill | OrderUpdate | FundingPayment | LedgerUpdate | LiquidationEvent | MarketUpdate
