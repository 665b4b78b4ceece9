"""The engine that compiles contracts: the native interpreter with compiled programs where they exist."""

from coinone.rules.vm.environment import Message
from coinone.rules.vm.forks import FORKS
from coinone.rules.vm.frame import Evm
from coinone.rules.vm.interpreter import ExecutionResult
from coinone.rules.vm.jit.policy import GAS_PER_HEAT, Limits, Policies
from coinone.rules.vm.native.execution import Native


class Jit:
    """`policies` decide what is compiled; the compiler thread takes its work from their `next_job`."""

    name = "jit"

    def __init__(self, limits: Limits = Limits()) -> None:
        self.policies = Policies(limits)
        self._native = Native()

    def execute(self, evm: Evm, message: Message) -> ExecutionResult:
        """Run `message` on `evm.state`; a failure leaves the state unchanged."""
        if evm.rules.name not in FORKS:
            return self._native.execute(evm, message)
        policy = self.policies.of(evm.rules.name)
        result = self._native.execute(evm, message, policy.maker())
        policy.heat(message.code, 1 + (message.gas - result.gas_left) // GAS_PER_HEAT)
        return result
