"""The environment of a run: block, transaction, message, logs, and the type of precompiled contracts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from coinone.base.primitives.types import Address, Hash32

Precompile: TypeAlias = Callable[[bytes, int], tuple[int, bytes]]  # (input, gas) -> (cost, output)


@dataclass(frozen=True, slots=True)
class BlockEnv:
    """The block as contracts see it.

    `block_hash` is called for the 256 blocks before `number` only. This chain has no blobs, so the blob base fee is
    always its minimum of 1.
    """

    chain_id: int
    number: int
    timestamp: int
    coinbase: Address
    gas_limit: int
    base_fee: int
    prevrandao: Hash32
    block_hash: Callable[[int], Hash32]
    blob_base_fee: int = 1
    slot_number: int = 0  # from Amsterdam on


class TransactionEnv(NamedTuple):
    """The transaction as contracts see it. `gas_price` is the effective one."""

    origin: Address
    gas_price: int
    blob_hashes: tuple[Hash32, ...] = ()


CALL = "CALL"
CALLCODE = "CALLCODE"
DELEGATECALL = "DELEGATECALL"
STATICCALL = "STATICCALL"
CREATE = "CREATE"
CREATE2 = "CREATE2"


class Message(NamedTuple):
    """A request to run code: from a transaction, or from a contract that calls or creates.

    `target` is the account whose storage and balance the code works on, `code_address` where the code came
    from (they differ for CALLCODE, DELEGATECALL and delegated accounts); `value` is what CALLVALUE shows and
    moves only if `moves_value`. For a creation, `code` is the init code and `target` the new address.
    `data` may be a view of the caller's memory, which does not change meanwhile: a copy would be work without gas.
    `precompiles` is false if a delegation points at a precompiled contract, which then runs as empty code.
    """

    kind: str
    caller: Address
    target: Address
    code_address: Address
    code: bytes
    value: int
    data: bytes | memoryview
    gas: int
    depth: int = 0
    static: bool = False
    moves_value: bool = True
    precompiles: bool = True

    @property
    def creates(self) -> bool:
        return self.kind is CREATE or self.kind is CREATE2
