"""`execute` with compiled contracts: the native interpreter, given compiled programs where there are any."""

from coinone.rules.vm.environment import Message
from coinone.rules.vm.forks import FORKS
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.jit.policy import GAS_PER_HEAT, Limits, Policies
from coinone.rules.vm.native import execution

_policies = [Policies()]


def policies() -> Policies:
    """What this process compiles; for the thread that does it."""
    return _policies[0]


def use_limits(limits: Limits) -> Limits:
    """Begin anew with these limits, nothing compiled; get those before."""
    before = _policies[0].limits
    _policies[0] = Policies(limits)
    return before


def execute(evm: Evm, message: Message) -> ExecutionResult:
    """Run `message` on `evm.state`; if it fails the state is as before."""
    if evm.rules.name not in FORKS:
        return execution.execute(evm, message)
    policy = _policies[0].of(evm.rules.name)
    result = execution.execute(evm, message, policy.maker())
    policy.heat(message.code, 1 + (message.gas - result.gas_left) // GAS_PER_HEAT)
    return result
