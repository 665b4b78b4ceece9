"""`execute` with compiled contracts: the native interpreter with compiled programs where they exist."""

from coinone.rules.vm.environment import Message
from coinone.rules.vm.forks import FORKS
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.jit.policy import GAS_PER_HEAT, Limits, Policies
from coinone.rules.vm.native import execution

_policies = [Policies()]


def policies() -> Policies:
    """The compile policies of this process, for the compiler thread."""
    return _policies[0]


def use_limits(limits: Limits) -> Limits:
    """Restart with these limits and nothing compiled; return the previous limits."""
    before = _policies[0].limits
    _policies[0] = Policies(limits)
    return before


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state`; a failure leaves the state unchanged."""
    if evm.rules.name not in FORKS:
        return execution.execute(evm, message)
    policy = _policies[0].of(evm.rules.name)
    result = execution.execute(evm, message, policy.maker())
    policy.heat(message.code, 1 + (message.gas - result.gas_left) // GAS_PER_HEAT)
    return result
