"""Fork rules as data: a fork is a line of this table, not a copy of the code."""

from collections.abc import Mapping
from dataclasses import dataclass

from coinone.base.primitives.limits import VM_MEMORY_MAX
from coinone.base.primitives.types import Address
from coinone.rules.vm import opcodes
from coinone.rules.vm.opcodes import Opcode, Row
from coinone.rules.vm.precompiles import CANCUN, OSAKA, PRAGUE, Precompile


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between forks, and the sizes that a later fork may change.

    `calldata_floor_per_token` is the least a transaction pays for its data (0: no floor); a token is a zero
    byte or a quarter of another one. `delegation` allows set-code transactions and follows delegations.
    `memory_cap` bounds the bytes of all live frames together. `transfer_logs`: whoever is paid leaves a log (EIP-7708).
    """

    name: str
    opcodes: tuple[Opcode, ...]
    dispatch: tuple[Row, ...]
    precompiles: Mapping[Address, Precompile]
    delegation: bool
    calldata_floor_per_token: int
    transaction_gas_max: int | None
    code_size_max: int = 24_576
    init_code_size_max: int = 49_152
    memory_cap: int = VM_MEMORY_MAX
    transfer_logs: bool = False


def _cancun() -> Rules:
    return Rules("Cancun", opcodes.CANCUN, opcodes.dispatch_of(opcodes.CANCUN), CANCUN, False, 0, None)


def _prague() -> Rules:
    return Rules("Prague", opcodes.CANCUN, opcodes.dispatch_of(opcodes.CANCUN), PRAGUE, True, 10, None)


def _osaka() -> Rules:
    return Rules("Osaka", opcodes.OSAKA, opcodes.dispatch_of(opcodes.OSAKA), OSAKA, True, 10, 1 << 24)


def _amsterdam() -> Rules:
    """Code twice as large and more (EIP-7954), deep stack (8024), SLOTNUM (7843), logs of payments (7708)."""
    table = opcodes.dispatch_of(opcodes.AMSTERDAM)
    return Rules(
        "Amsterdam", opcodes.AMSTERDAM, table, OSAKA, True, 10, 1 << 24,
        code_size_max=65_536, init_code_size_max=131_072, transfer_logs=True,
    )  # fmt: skip


FORKS: Mapping[str, Rules] = {rules.name: rules for rules in (_cancun(), _prague(), _osaka())}

# Known in part, so no network can choose it: Amsterdam's new prices (EIP-2780, 7976, 7981, 8037, 8038) and its block
# access lists (7928) are not here. The reference interpreter runs it.
PREPARED: Mapping[str, Rules] = {rules.name: rules for rules in (_amsterdam(),)}
