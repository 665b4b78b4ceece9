"""Read a request of eth_simulateV1 into a plan: its blocks, with their numbers, times and calls.

Numbers and times must rise. A block without them follows its parent by one and by 12 s; if a block skips numbers, empty
blocks are inserted before it, as in geth.
"""

from dataclasses import dataclass, replace
from typing import Any

from coinone.base.primitives import rlp
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.ethereum.json.errors import RpcError, invalid_params
from coinone.interfaces.api.ethereum.json.hexes import read_address, read_hash, read_quantity
from coinone.interfaces.api.ethereum.json.overrides import AccountOverride, read_accounts
from coinone.interfaces.api.ethereum.json.params import call_request, object_of
from coinone.rules.chain.ethereum.trial_fees import CallRequest

BLOCKS_MAX = 256  # geth's; the range of BLOCKHASH
CALLS_MAX = 1000  # of one block
WITHDRAWALS_MAX = 1000  # of one block
SECONDS_BETWEEN = 12
BLOCK_NUMBER_INVALID, BLOCK_TIME_INVALID, TOO_MANY_BLOCKS = -38020, -38021, -38026


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call; None: the value of the block or of the sender's account at that time."""

    request: CallRequest
    gas: int | None
    nonce: int | None
    is_legacy: bool  # whether it has a plain gas price


@dataclass(frozen=True, slots=True)
class WantedWithdrawal:
    index: int
    validator: int
    address: Address
    gwei: int

    @property
    def fields(self) -> list[rlp.Encodable]:
        """The fields in the block's RLP (EIP-4895)."""
        return [self.index, self.validator, self.address, self.gwei]


@dataclass(frozen=True, slots=True)
class WantedBlock:
    """A block; None: the parent's value, or by rule."""

    number: int | None = None
    time: int | None = None
    gas_limit: int | None = None
    coinbase: Address | None = None
    prev_randao: Hash32 | None = None
    base_fee: int | None = None
    blob_base_fee: int | None = None
    beacon_root: Hash32 | None = None
    withdrawals: tuple[WantedWithdrawal, ...] = ()
    accounts: tuple[tuple[Address, AccountOverride], ...] = ()
    calls: tuple[WantedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a simulation. `validation`: nonces and fees are checked. `transfers`: transfers of the coin are
    listed as logs. `full`: whole transactions in the blocks."""

    blocks: tuple[WantedBlock, ...]
    validation: bool = False
    transfers: bool = False
    full: bool = False


def read_plan(value: Any, chain_id: int) -> Plan:
    """Read a plan. Raises RpcError, DecodeError."""
    given = object_of(value, "payload")
    blocks = _list(given.get("blockStateCalls"), BLOCKS_MAX, TOO_MANY_BLOCKS, "too many blocks")
    if not blocks:
        raise invalid_params("empty input")
    return Plan(
        tuple(_block(object_of(block, "block"), chain_id) for block in blocks),
        *(_flag(given, name) for name in ("validation", "traceTransfers", "returnFullTransactions")),
    )


def laid_out(plan: Plan, number: int, time: int) -> tuple[WantedBlock, ...]:
    """The plan's blocks after block `number` of `time`, with gaps filled and all numbers and times set. Raises
    RpcError."""
    first, blocks = number, list[WantedBlock]()
    for block in plan.blocks:
        wanted = number + 1 if block.number is None else block.number
        if wanted <= number:
            raise RpcError(BLOCK_NUMBER_INVALID, f"block numbers must be in order: {wanted} <= {number}")
        if wanted - first > BLOCKS_MAX:
            raise RpcError(TOO_MANY_BLOCKS, "too many blocks")
        for between in range(number + 1, wanted):
            time += SECONDS_BETWEEN
            blocks.append(WantedBlock(between, time))
        at = time + SECONDS_BETWEEN if block.time is None else block.time
        if at <= time:
            raise RpcError(BLOCK_TIME_INVALID, f"block timestamps must be in order: {at} <= {time}")
        blocks.append(replace(block, number=wanted, time=at))
        number, time = wanted, at
    return tuple(blocks)


def _block(given: dict[str, Any], chain_id: int) -> WantedBlock:
    fields = object_of(given.get("blockOverrides"), "block overrides")
    calls = _list(given.get("calls"), CALLS_MAX, TOO_MANY_BLOCKS, "too many calls in a block")
    withdrawals = _list(fields.get("withdrawals"), WITHDRAWALS_MAX, TOO_MANY_BLOCKS, "too many withdrawals")
    coinbase = fields.get("feeRecipient", fields.get("coinbase"))
    randao = fields.get("prevRandao", fields.get("random"))
    beacon_root = fields.get("beaconRoot")
    return WantedBlock(
        number=_number(fields, "number"),
        time=_number(fields, "time"),
        gas_limit=_number(fields, "gasLimit"),
        coinbase=None if coinbase is None else read_address(coinbase),
        prev_randao=None if randao is None else read_hash(randao),
        base_fee=_number(fields, "baseFeePerGas", 2**256 - 1),
        blob_base_fee=_number(fields, "blobBaseFee", 2**256 - 1),
        beacon_root=None if beacon_root is None else read_hash(beacon_root),
        withdrawals=tuple(_withdrawal(object_of(row, "withdrawal")) for row in withdrawals),
        accounts=read_accounts(given.get("stateOverrides")),
        calls=tuple(_call(call, chain_id) for call in calls),
    )


def _call(value: Any, chain_id: int) -> WantedCall:
    request = call_request(value, chain_id)
    return WantedCall(
        request,
        _number(value, "gas"),
        _number(value, "nonce"),
        value.get("gasPrice") is not None,
    )


def _withdrawal(given: dict[str, Any]) -> WantedWithdrawal:
    index, validator, amount = (
        read_quantity(given.get(name), U64_MAX) for name in ("index", "validatorIndex", "amount")
    )
    return WantedWithdrawal(index, validator, read_address(given.get("address")), amount)


def _number(given: dict[str, Any], name: str, most: int = U64_MAX) -> int | None:
    value = given.get(name)
    return None if value is None else read_quantity(value, most)


def _flag(given: dict[str, Any], name: str) -> bool:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid_params(f"{name} must be true or false")
    return bool(value)


def _list(value: Any, most: int, code: int, words: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_params("a list is expected")
    if len(value) > most:
        raise RpcError(code, words)
    return value
