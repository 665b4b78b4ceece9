"""Set-code authorizations: an ordinary account delegates to a contract's code (EIP-7702)."""

from collections.abc import Sequence

from coinone.base.forms.ethereum import Authorization
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.rules.chain.ethereum.intrinsic import PER_AUTHORIZATION, PER_AUTHORIZATION_BASE
from coinone.rules.state.state import State
from coinone.rules.vm.addresses import DELEGATION_PREFIX, delegate_of
from coinone.rules.vm.substate import Substate


def apply_authorizations(
    state: State, substate: Substate, authorizations: Sequence[Authorization], chain_id: int
) -> int:
    """Set the delegations; return the gas to refund for accounts that exist.

    An invalid one is skipped without affecting the others. Delegations stay even if the transaction's message then
    fails.
    """
    refund = 0
    for authorization in authorizations:
        authority = _accepted_authority(state, substate, authorization, chain_id)
        if authority is None:
            continue
        if state.exists(authority):
            refund += PER_AUTHORIZATION - PER_AUTHORIZATION_BASE
        delegate = authorization.address
        state.set_code(authority, b"" if delegate == ZERO_ADDRESS else DELEGATION_PREFIX + delegate)
        state.set_nonce(authority, authorization.nonce + 1)
    return refund


def is_contract(state: State, address: Address) -> bool:
    """Whether `address` has code that is not a delegation, so that nobody has a key of it."""
    code = state.code(address)
    return bool(code) and delegate_of(code) is None


def _accepted_authority(
    state: State, substate: Substate, authorization: Authorization, chain_id: int
) -> Address | None:
    if authorization.chain_id not in (0, chain_id) or authorization.nonce >= U64_MAX:
        return None
    authority = authorization.authority
    if authority is None:
        return None
    substate.warm_address(authority)  # even if it is refused below
    if is_contract(state, authority):
        return None
    return authority if state.nonce(authority) == authorization.nonce else None
