"""Headers and blocks of Ethereum's own chains: RLP decoding, and the rules of a header and its parent.

Coinone's headers have the same fields (ledger/header.py) under their own rules; these are for the chains of Ethereum's
tests. Fields that later forks added are None in earlier headers.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidBlock
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.types import Address, Hash32

EMPTY_OMMERS: Hash32 = keccak256(rlp.encode([]))
GAS_LIMIT_LEAST = 5_000
GAS_LIMIT_MOST = 2**63 - 1  # accepted by every client, as their gas counters are signed
_GAS_LIMIT_STEP = 1_024  # the gas limit may change from block to block by less than this part
_ELASTICITY = 2  # gas limit over gas target
_FEE_STEP = 8  # the base fee changes by at most this part
EXTRA_DATA_MAX = 32


@dataclass(frozen=True)
class EthereumHeader:
    parent_hash: Hash32
    ommers_hash: Hash32
    coinbase: Address
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes
    prev_randao: Hash32
    nonce: bytes
    base_fee: int = 0
    withdrawals_root: Hash32 | None = None
    blob_gas_used: int | None = None
    excess_blob_gas: int | None = None
    parent_beacon_root: Hash32 | None = None
    requests_hash: Hash32 | None = None
    fields: tuple[rlp.Item, ...] = ()  # as received: the hash is computed from them

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(rlp.encode(list(self.fields)))


@dataclass(frozen=True)
class WithdrawalItem:
    """A withdrawal from staking: gwei to an address (EIP-4895)."""

    index: int
    validator: int
    address: Address
    gwei: int
    encoded: bytes


@dataclass(frozen=True)
class EthereumBlock:
    header: EthereumHeader
    transactions: tuple[bytes, ...]  # each as in its trie
    ommers: tuple[rlp.Item, ...]
    withdrawals: tuple[WithdrawalItem, ...]
    size: int


def decode_ethereum_block(data: bytes) -> EthereumBlock:
    """Decode a block. Raises DecodeError."""
    items = rlp.decode_list(rlp.decode(data))
    if len(items) not in (3, 4):
        raise DecodeError("block: wrong number of parts", have=len(items))
    header = decode_ethereum_header(rlp.decode_list(items[0]))
    if (header.withdrawals_root is not None) != (len(items) == 4):
        raise DecodeError("block: withdrawals and their root go together")
    return EthereumBlock(
        header,
        tuple(item if isinstance(item, bytes) else rlp.encode(item) for item in rlp.decode_list(items[1])),
        tuple(rlp.decode_list(items[2])),
        tuple(_withdrawal(item) for item in rlp.decode_list(items[3])) if len(items) == 4 else (),
        len(data),
    )


def decode_ethereum_header(fields: list[rlp.Item]) -> EthereumHeader:
    """Decode a header: 15 fields at first; London, Shanghai, Cancun (3) and Prague added some. Raises DecodeError."""
    if len(fields) not in (15, 16, 17, 20, 21):
        raise DecodeError("header: wrong number of fields", have=len(fields))
    count = len(fields)
    roots = [rlp.decode_bytes(fields[place], 32) for place in (0, 1, 3, 4, 5, 13)]
    return EthereumHeader(
        parent_hash=roots[0],
        ommers_hash=roots[1],
        coinbase=rlp.decode_bytes(fields[2], 20),
        state_root=roots[2],
        transactions_root=roots[3],
        receipts_root=roots[4],
        bloom=rlp.decode_bytes(fields[6], 256),
        difficulty=rlp.decode_int(fields[7]),
        number=rlp.decode_int(fields[8], 8),
        gas_limit=rlp.decode_int(fields[9], 8),
        gas_used=rlp.decode_int(fields[10], 8),
        timestamp=rlp.decode_int(fields[11], 8),
        extra_data=rlp.decode_bytes(fields[12]),
        prev_randao=roots[5],
        nonce=rlp.decode_bytes(fields[14], 8),
        base_fee=rlp.decode_int(fields[15]) if count > 15 else 0,
        withdrawals_root=rlp.decode_bytes(fields[16], 32) if count > 16 else None,
        blob_gas_used=rlp.decode_int(fields[17], 8) if count > 17 else None,
        excess_blob_gas=rlp.decode_int(fields[18], 8) if count > 18 else None,
        parent_beacon_root=rlp.decode_bytes(fields[19], 32) if count > 19 else None,
        requests_hash=rlp.decode_bytes(fields[20], 32) if count > 20 else None,
        fields=tuple(fields),
    )


def with_fields(header: EthereumHeader) -> EthereumHeader:
    """The header with the fields computed from its values, so that it has a hash."""
    later = (
        header.withdrawals_root, header.blob_gas_used, header.excess_blob_gas, header.parent_beacon_root,
        header.requests_hash,
    )  # fmt: skip
    values: list[bytes | int | None] = [
        header.parent_hash, header.ommers_hash, header.coinbase, header.state_root, header.transactions_root,
        header.receipts_root, header.bloom, header.difficulty, header.number, header.gas_limit, header.gas_used,
        header.timestamp, header.extra_data, header.prev_randao, header.nonce, header.base_fee, *later,
    ]  # fmt: skip
    fields = [rlp.encode_int(each) if isinstance(each, int) else each for each in values if each is not None]
    return replace(header, fields=tuple(fields))


def check_ethereum_header(header: EthereumHeader, parent: EthereumHeader) -> None:
    """Check the rules of a header that every fork since the merge has. Raises InvalidBlock."""
    if header.parent_hash != parent.hash or header.number != parent.number + 1:
        raise InvalidBlock("does not follow its parent", parent=parent.number, have=header.number)
    if header.timestamp <= parent.timestamp:
        raise InvalidBlock("timestamp does not rise", parent=parent.timestamp, have=header.timestamp)
    change = abs(header.gas_limit - parent.gas_limit)
    if not GAS_LIMIT_LEAST <= header.gas_limit <= GAS_LIMIT_MOST:
        raise InvalidBlock("gas limit", least=GAS_LIMIT_LEAST, most=GAS_LIMIT_MOST, have=header.gas_limit)
    if change >= div_down(parent.gas_limit, _GAS_LIMIT_STEP):
        raise InvalidBlock("gas limit", parent=parent.gas_limit, have=header.gas_limit)
    if header.gas_used > header.gas_limit:
        raise InvalidBlock("gas used is above the limit", limit=header.gas_limit, have=header.gas_used)
    want = next_base_fee(parent)
    if header.base_fee != want:
        raise InvalidBlock("base fee", want=want, have=header.base_fee)
    if header.difficulty or any(header.nonce) or header.ommers_hash != EMPTY_OMMERS:
        raise InvalidBlock("a sign of proof of work")
    if len(header.extra_data) > EXTRA_DATA_MAX:
        raise InvalidBlock("extra data too long", most=EXTRA_DATA_MAX)


def next_base_fee(parent: EthereumHeader) -> int:
    """EIP-1559: the base fee rises if the parent used more than its target, and falls if less."""
    target = div_down(parent.gas_limit, _ELASTICITY)
    if parent.gas_used == target:
        return parent.base_fee
    gap = parent.base_fee * abs(parent.gas_used - target)
    step = div_down(div_down(gap, target), _FEE_STEP)
    return parent.base_fee + max(step, 1) if parent.gas_used > target else parent.base_fee - step


def _withdrawal(item: rlp.Item) -> WithdrawalItem:
    index, validator, address, amount = rlp.decode_list(item, 4)
    return WithdrawalItem(
        rlp.decode_int(index, 8),
        rlp.decode_int(validator, 8),
        rlp.decode_bytes(address, 20),
        rlp.decode_int(amount, 8),
        rlp.encode(item),
    )
