"""Fork rules as data: a fork is a row of this table, not a copy of the code."""

from collections.abc import Mapping

from coinone.base.primitives.parameters import VM_MEMORY_UNCAPPED_MAX
from coinone.rules.vm import opcodes
from coinone.rules.vm.frame import Rules
from coinone.rules.vm.precompiles import CANCUN, OSAKA, PRAGUE


def _cancun() -> Rules:
    table = opcodes.dispatch_of(opcodes.CANCUN)
    return Rules("Cancun", opcodes.CANCUN, table, CANCUN, False, 0, None, memory_cap=VM_MEMORY_UNCAPPED_MAX)


def _prague() -> Rules:
    table = opcodes.dispatch_of(opcodes.CANCUN)
    return Rules("Prague", opcodes.CANCUN, table, PRAGUE, True, 10, None, memory_cap=VM_MEMORY_UNCAPPED_MAX)


def _osaka() -> Rules:
    return Rules("Osaka", opcodes.OSAKA, opcodes.dispatch_of(opcodes.OSAKA), OSAKA, True, 10, 1 << 24)


def _amsterdam() -> Rules:
    """Amsterdam: larger code (EIP-7954), deep stack (8024), SLOTNUM (7843), transfer logs (7708)."""
    table = opcodes.dispatch_of(opcodes.AMSTERDAM)
    return Rules(
        "Amsterdam", opcodes.AMSTERDAM, table, OSAKA, True, 10, 1 << 24,
        code_size_max=65_536, init_code_size_max=131_072, transfer_logs=True,
    )  # fmt: skip


FORKS: Mapping[str, Rules] = {rules.name: rules for rules in (_cancun(), _prague(), _osaka())}

# Incomplete, so no network can choose it: Amsterdam's new prices (EIP-2780, 7976, 7981, 8037, 8038) and its block
# access lists (7928) are not here. The reference interpreter runs it.
PREPARED: Mapping[str, Rules] = {rules.name: rules for rules in (_amsterdam(),)}
