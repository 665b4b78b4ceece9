"""Access lists: the list with which a message would run (eth_createAccessList)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coinone.base.forms.ethereum import AccessList
from coinone.base.primitives.types import Address
from coinone.rules.chain.ethereum.call import call
from coinone.rules.chain.ethereum.execution import Precompiles
from coinone.rules.chain.ethereum.trial_fees import CallRequest
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv, Rules
from coinone.rules.vm.addresses import create_address
from coinone.rules.vm.errors import FrameError
from coinone.rules.vm.tracing.access_tracer import AccessTracer

# A contract may behave differently with its gas each time; the search stops after this many rounds.
ROUNDS_MAX = 8


@dataclass(frozen=True, slots=True)
class AccessResult:
    """The access list of a message. `gas_used` is with the list; `error` is its failure, if it fails even so."""

    access_list: AccessList
    gas_used: int
    error: FrameError | None


def create_access_list(
    state: State,
    env: BlockEnv,
    request: CallRequest,
    rules: Rules,
    precompiles: Precompiles | None = None,
    budget: Callable[[], None] | None = None,
) -> AccessResult:
    """Run the message, list what it accesses, and repeat with that list until the list stays the same.

    The sender, the destination and precompiled contracts are warm from the start: they are listed only with slots.
    Raises InvalidTransaction if the message cannot start.
    """
    table = rules.precompiles if precompiles is None else precompiles
    target = create_address(request.caller, state.nonce(request.caller)) if request.to is None else request.to
    warm = (request.caller, target, env.coinbase, *table)
    for _ in range(ROUNDS_MAX):
        tracer = AccessTracer()
        result = call(state, env, request, rules, precompiles, budget, tracer)
        found = _listed(tracer.touched, warm)
        if found == request.access_list:
            break
        request = replace(request, access_list=found)
    return AccessResult(found, result.gas_used, result.error)


def _listed(touched: dict[Address, dict[bytes, None]], warm: tuple[Address, ...]) -> AccessList:
    return tuple(
        (address, tuple(int.from_bytes(slot, "big") for slot in sorted(slots)))
        for address, slots in sorted(touched.items())
        if slots or address not in warm
    )
