"""What a signed action says, as frozen values.

Decoding checks form only: numbers are scaled to integers (prices and sizes by 10^8, quote amounts by
10^6), whatever market they name. Ticks, lots, margin and existence are judged when the action is executed.
"""

from dataclasses import dataclass
from enum import Enum

from coinone.base.primitives.types import Address, Hash32

WIRE_DECIMALS = 8  # prices and sizes travel with at most 8 decimals
ASSET_MAX = 2**31 - 1


class Tif(Enum):
    """Time in force: rest until cancelled, fill now or vanish, or only ever rest (post-only)."""

    GTC = "Gtc"
    IOC = "Ioc"
    ALO = "Alo"


@dataclass(frozen=True, slots=True)
class Trigger:
    px: int
    is_market: bool
    tpsl: str  # "tp" | "sl"


@dataclass(frozen=True, slots=True)
class OrderSpec:
    asset: int
    is_buy: bool
    px: int  # 1e-8
    sz: int  # 1e-8
    reduce_only: bool
    tif: Tif
    trigger: Trigger | None
    cloid: int  # 0 = none


@dataclass(frozen=True, slots=True)
class Builder:
    address: Address
    fee: int  # tenths of a basis point


@dataclass(frozen=True, slots=True)
class Order:
    orders: tuple[OrderSpec, ...]
    grouping: str
    builder: Builder | None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """Names a resting order by number or, when `oid` is 0, by the client's own id."""

    asset: int  # -1 where the action does not say
    oid: int
    cloid: int


@dataclass(frozen=True, slots=True)
class Cancel:
    targets: tuple[OrderRef, ...]
    by_cloid: bool


@dataclass(frozen=True, slots=True)
class Modify:
    target: OrderRef
    order: OrderSpec


@dataclass(frozen=True, slots=True)
class BatchModify:
    modifies: tuple[Modify, ...]
    single: bool  # sent as `modify`


Trade = Order | Cancel | BatchModify
"""What brings operations to the book, as the full decoder spells it."""


class Form(Enum):
    """What an action's operations are; each has its own answer."""

    ORDERS = "order"
    CANCELS = "cancel"
    MODIFIES = "batchModify"
    MODIFY = "modify"


@dataclass(frozen=True, slots=True)
class Operations:
    """A trade as the kernel reads it: rows of OP (rows/tables.py), back to back, prices and sizes still in 1e-8.

    What clients send most is decoded straight into this (fast_decode.py); operations.py makes it of any trade."""

    form: Form
    rows: bytes
    count: int
    post_only: bool  # all of them
    builder: Builder | None = None


@dataclass(frozen=True, slots=True)
class ScheduleCancel:
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class UpdateLeverage:
    asset: int
    is_cross: bool
    leverage: int


@dataclass(frozen=True, slots=True)
class Noop:
    pass


@dataclass(frozen=True, slots=True)
class SetReferrer:
    code: str


@dataclass(frozen=True, slots=True)
class ApproveAgent:
    """`name` is "" for the one unnamed agent; `valid_until_ms` 0 means until replaced. The zero address removes
    the agent of that name.

    `compat` marks an agent that may sign under Hyperliquid's own domains (" compat" in the name)."""

    agent: Address
    name: str
    valid_until_ms: int
    compat: bool


@dataclass(frozen=True, slots=True)
class LeaveAgency:
    """The signer, approved as somebody's agent, is that no more."""


@dataclass(frozen=True, slots=True)
class ApproveBuilderFee:
    builder: Address
    max_fee_rate: int  # tenths of a basis point


@dataclass(frozen=True, slots=True)
class SendAsset:
    """usdSend, spotSend and sendAsset: all move the one quote balance (D10). To the token's system address
    it is a withdrawal to the EVM."""

    kind: str  # "usdSend" | "spotSend" | "sendAsset"
    destination: Address
    amount: int  # 1e-6
    token: str = ""  # as signed, "NAME" or "NAME:id"; "" = the quote token


@dataclass(frozen=True, slots=True)
class UsdClassTransfer:
    amount: int
    to_perp: bool


Action = (
    Operations
    | ScheduleCancel
    | UpdateLeverage
    | Noop
    | SetReferrer
    | ApproveAgent
    | LeaveAgency
    | ApproveBuilderFee
    | SendAsset
    | UsdClassTransfer
)


@dataclass(frozen=True, slots=True)
class L1Envelope:
    """Transaction type 0x70: the msgpack bytes exactly as the client signed them."""

    action: bytes
    nonce: int
    vault: Address | None
    expires_after: int | None
    source: str
    r: int
    s: int
    v: int


@dataclass(frozen=True, slots=True)
class UserEnvelope:
    """Transaction type 0x71: exactly the signed EIP-712 fields, in their order, canonically encoded."""

    type_name: str  # e.g. "UsdSend"
    values: tuple[bytes, ...]
    signature_chain_id: int
    r: int
    s: int
    v: int


ActionEnvelope = L1Envelope | UserEnvelope


@dataclass(frozen=True, slots=True)
class OracleEnvelope:
    """Transaction type 0x72: prices of one reporter, in the markets' own price units."""

    time_ms: int
    prices: tuple[tuple[int, int], ...]
    r: int
    s: int
    v: int


@dataclass(frozen=True, slots=True)
class VerifiedAction:
    """An action with its signer recovered: all that the engine needs, and nothing it must trust."""

    action: Action
    kind: str  # the wire's own type name, e.g. "order", "cancelByCloid", "usdSend"
    user_signed: bool
    foreign: bool  # signed under Hyperliquid's domain, not ours
    signer: Address
    vault: Address | None
    nonce: int
    expires_after: int | None
    digest: Hash32
    tx_hash: Hash32
    size: int  # bytes of the transaction


@dataclass(frozen=True, slots=True)
class OracleReport:
    """A verified 0x72: `reporter` signed `prices` at `time_ms`."""

    reporter: Address
    time_ms: int
    prices: tuple[tuple[int, int], ...]
    tx_hash: Hash32


@dataclass(frozen=True, slots=True)
class DomainRules:
    """Which signing domains a network accepts (D5)."""

    chain_id: int
    accept_foreign_user_signed: bool  # dev only
    accept_foreign_l1: bool  # dev: from any key; elsewhere only from agents with the compat flag
