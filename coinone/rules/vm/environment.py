"""What surrounds a message: the block, the transaction, the message itself, the logs it leaves, and what may
stand at an address in place of code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from coinone.base.primitives.types import Address, Hash32

Precompile: TypeAlias = Callable[[bytes, int], tuple[int, bytes]]  # (input, gas) -> (cost, output)


@dataclass(frozen=True, slots=True)
class BlockEnv:
    """What contracts may learn about the block.

    `block_hash` is asked only for the 256 blocks before `number`. There are no blobs on this chain, so the
    blob base fee stands at its minimum of 1.
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
    """What contracts may learn about the transaction. `gas_price` is the effective one."""

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
    moves only if `moves_value`. Of a creation, `code` is the init code and `target` the new address.
    `data` may be a view of the caller's memory, which stands still meanwhile: copying it would be work that
    nobody pays for. `precompiles` is false where a delegation points at a precompiled contract: those run as
    empty code.
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
