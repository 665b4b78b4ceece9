"""A network: the parameters that its nodes must share, read from networks/<name>.toml.

`dev` runs on one machine with public keys. `test` and `main` are not launched: their files contain no federation, no
reporters and no allocations, and `require_launched` refuses them by name. The node reads the files; this module only
parses their text.

Contracts of genesis (`predeploys`) are files of their own, with origin, licence and hash of the code.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.base.primitives.parse import parse_address, parse_bytes, parse_decimal
from coinone.base.primitives.types import Address
from coinone.base.primitives.units import QUOTE_DECIMALS, price_decimals

Kind = Literal["dev", "test", "main"]

GAS_COIN_DECIMALS = 18
# Hyperliquid's system address of a token is 0x20, zeros, and the token's index (big endian) in the last
# bytes.
SYSTEM_ADDRESS_PREFIX = 0x20 << 152


@dataclass(frozen=True, slots=True)
class QuoteToken:
    name: str
    index: int
    decimals: int
    address: Address
    code: bytes

    @property
    def system_address(self) -> Address:
        """The system address: its token balance is what the exchange owes, and transfers to it are deposits."""
        return (SYSTEM_ADDRESS_PREFIX + self.index).to_bytes(20, "big")


@dataclass(frozen=True, slots=True)
class Cadence:
    """Limits of batches, and when contracts run (D1, D2)."""

    interval_ms: int
    bytes_max: int
    actions_max: int
    evm_every: int
    wide_every: int
    evm_gas: int
    wide_gas: int
    withdrawals_max: int
    unincluded_full: int  # batches that may wait for a block before limits shrink
    unincluded_max: int  # where they are zero except for cancels

    def is_evm(self, seq: int) -> bool:
        return seq % self.evm_every == 0

    def gas_limit(self, seq: int) -> int:
        """Gas for signed Ethereum transactions in batch `seq`; 0 where contracts do not run."""
        if not self.is_evm(seq):
            return 0
        return self.wide_gas if seq % self.wide_every == 0 else self.evm_gas


@dataclass(frozen=True, slots=True)
class BlockRules:
    interval_ms: int
    batches_max: int
    base_depth: int
    forced_bytes: int  # of transactions that a block may force into the next batch


@dataclass(frozen=True, slots=True)
class MarketSpec:
    name: str
    sz_decimals: int
    max_leverage: int
    start_price: int  # units of 10^-(6 - sz_decimals), the price the dev reporter starts from
    impact_notional: int  # micro-quote traded to sample the premium that funding follows

    @property
    def px_decimals(self) -> int:
        return price_decimals(self.sz_decimals)


@dataclass(frozen=True, slots=True)
class Allocation:
    """An account's genesis balances: gas coin (wei), token (ERC-20) and exchange balance (micro-quote)."""

    address: Address
    gas_coin: int
    token: int
    exchange: int


@dataclass(frozen=True, slots=True)
class Predeploy:
    address: Address
    nonce: int
    code: bytes


@dataclass(frozen=True)
class Network:
    name: str
    kind: Kind
    launched: bool
    chain_id: int
    fork: str
    base_fee: int
    gas_coin: str
    reward_pool: Address
    quote_token: QuoteToken
    batches: Cadence
    blocks: BlockRules
    seed_length: int
    markets: tuple[MarketSpec, ...]
    allocations: tuple[Allocation, ...]
    predeploys: tuple[Predeploy, ...]

    @property
    def is_dev(self) -> bool:
        return self.kind == "dev"

    @cached_property
    def block_gas_limit(self) -> int:
        """The maximum sum of batch gas limits over the batches one block may hold (D1)."""
        span = range(self.blocks.batches_max)
        starts = range(self.batches.wide_every)  # the cadence repeats after this many batches
        return max(sum(self.batches.gas_limit(start + offset) for offset in span) for start in starts)


def require_launched(network: Network) -> None:
    """Raise NotSupported for a network whose genesis has not been reviewed yet."""
    if not network.launched:
        raise NotSupported(f"network '{network.name}' is not launched")


def parse_network(text: str, read: Callable[[str], str]) -> Network:
    """Parse a network's TOML file; `read` returns the text of a file next to it. Raises InvalidInput."""
    try:
        return _network(tomllib.loads(text), read)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InvalidInput("network file", problem=str(error)) from error


def _network(raw: dict[str, Any], read: Callable[[str], str]) -> Network:
    if raw["kind"] not in ("dev", "test", "main"):
        raise InvalidInput("network kind", have=raw["kind"])
    token = raw["quote_token"]
    decimals = token["decimals"]
    return Network(
        name=raw["name"],
        kind=cast(Kind, raw["kind"]),
        launched=raw["launched"],
        chain_id=raw["chain_id"],
        fork=raw["fork"],
        base_fee=raw["gas_coin"]["base_fee"],
        gas_coin=raw["gas_coin"]["name"],
        reward_pool=parse_address(raw["gas_coin"]["reward_pool"]),
        quote_token=QuoteToken(
            token["name"],
            token["index"],
            decimals,
            parse_address(token["address"]),
            _hex(read(token["code"])),
        ),
        batches=Cadence(**raw["batches"]),
        blocks=BlockRules(**raw["blocks"]),
        seed_length=raw["seeds"]["length"],
        markets=tuple(_market(row) for row in raw["markets"]),
        allocations=tuple(_allocation(row, decimals) for row in raw["accounts"]),
        predeploys=tuple(_predeploy(name, read) for name in raw["predeploys"]),
    )


def _predeploy(name: str, read: Callable[[str], str]) -> Predeploy:
    """The contract of contracts/<name>.toml; its code is there, or in a .hex file written by Coinone's compiler."""
    raw = tomllib.loads(read(f"contracts/{name}.toml"))
    code = _hex(read(raw["code"]) if raw["code"].endswith(".hex") else raw["code"])
    if keccak256(code) != parse_bytes(raw["code_hash"], 32):
        raise InvalidInput("code of a predeployed contract is not the one its file names", name=name)
    return Predeploy(parse_address(raw["address"]), raw["nonce"], code)


def _hex(text: str) -> bytes:
    """Parse hex broken into lines."""
    return parse_bytes("0x" + "".join(text.split()))


def _market(row: dict[str, Any]) -> MarketSpec:
    price = parse_decimal(row["start_price"], price_decimals(row["sz_decimals"]))
    impact = parse_decimal(row["impact_notional"], QUOTE_DECIMALS)
    assert impact > 0, "trades and quotes are measured by it"
    return MarketSpec(row["name"], row["sz_decimals"], row["max_leverage"], price, impact)


def _allocation(row: dict[str, Any], decimals: int) -> Allocation:
    return Allocation(
        address=parse_address(row["address"]),
        gas_coin=parse_decimal(row["gas_coin"], GAS_COIN_DECIMALS),
        token=parse_decimal(row["token"], decimals),
        exchange=parse_decimal(row["exchange"], decimals),
    )
