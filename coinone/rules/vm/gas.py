"""Gas prices and charging (Yellow Paper, appendix G, as amended up to Osaka)."""

from coinone.rules.vm.errors import OutOfGas, OutOfMemory
from coinone.rules.vm.frame import Frame

ZERO = 0
JUMPDEST = 1
BASE = 2
VERY_LOW = 3
LOW = 5
MID = 8
HIGH = 10

EXPONENTIATION = 10
EXPONENTIATION_PER_BYTE = 50
KECCAK = 30
KECCAK_PER_WORD = 6
COPY_PER_WORD = 3
BLOCK_HASH = 20
BLOB_HASH = 3

LOG = 375
LOG_PER_TOPIC = 375
LOG_PER_BYTE = 8

WARM_ACCESS = 100
COLD_ACCOUNT_ACCESS = 2_600
COLD_STORAGE_ACCESS = 2_100
COLD_ACCOUNT_SURCHARGE = COLD_ACCOUNT_ACCESS - WARM_ACCESS
COLD_STORAGE_SURCHARGE = COLD_STORAGE_ACCESS - WARM_ACCESS

STORAGE_SET = 20_000
STORAGE_UPDATE = 5_000
STORAGE_CLEAR_REFUND = 4_800

CREATE = 32_000
CODE_DEPOSIT_PER_BYTE = 200
INIT_CODE_PER_WORD = 2
CALL_VALUE = 9_000
CALL_STIPEND = 2_300
NEW_ACCOUNT = 25_000
SELF_DESTRUCT = 5_000

MEMORY_PER_WORD = 3
MEMORY_QUADRATIC_DIVISOR = 512


def words(size: int) -> int:
    """The number of 32-byte words for `size` bytes."""
    return (size + 31) >> 5


def charge(frame: Frame, amount: int) -> None:
    """Charge `amount` to the frame's gas. Raises OutOfGas."""
    if frame.gas < amount:
        raise OutOfGas
    frame.gas -= amount


def memory_cost(word_count: int) -> int:
    """The total price of that many words of memory: linear at first, quadratic for large sizes."""
    return MEMORY_PER_WORD * word_count + word_count * word_count // MEMORY_QUADRATIC_DIVISOR


def extend_memory(frame: Frame, offset: int, size: int) -> None:
    """Pay for and grow the memory so that `size` bytes at `offset` exist. Raises OutOfGas."""
    if size == 0:
        return
    have = len(frame.memory) >> 5
    want = words(offset + size)
    if want <= have:
        return
    charge(frame, memory_cost(want) - memory_cost(have))
    growth = (want - have) << 5
    if frame.evm.memory_used + growth > frame.evm.rules.memory_cap:
        raise OutOfMemory
    frame.evm.memory_used += growth
    frame.memory.extend(bytes(growth))


def touch_account(frame: Frame, address: bytes) -> None:
    """Make an account warm; the first access in a transaction pays more than the warm price in the table."""
    if frame.evm.substate.warm_address(address):
        charge(frame, COLD_ACCOUNT_SURCHARGE)


def all_but_one_64th(gas: int) -> int:
    """The most gas that a frame may pass on: a 64th is kept, which bounds the call depth (EIP-150)."""
    return gas - gas // 64
