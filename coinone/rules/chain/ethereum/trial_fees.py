"""Fees of trial calls: geth's rules for eth_call and similar methods.

A message without a price pays nothing and has no base fee: BASEFEE and GASPRICE are zero, and any caller may try any
message. One with a price is checked: the cap must reach the base fee, the tip may not exceed the cap, the caller must
have the gas at the cap and the value, and has paid for the gas while the message runs. Only the nonce and whether the
caller is a contract are not checked. The texts are geth's, which client libraries match.
"""

from dataclasses import dataclass, replace

from coinone.base.crypto.checksum import checksummed
from coinone.base.forms.ethereum import AccessList, Authorization
from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.chain.ethereum.blobs import GAS_PER_BLOB
from coinone.rules.state.state import State
from coinone.rules.vm import BlockEnv


class TipAboveCap(InvalidTransaction):
    """The tip is more than the maximum price of a unit of gas."""


class FeeCapTooLow(InvalidTransaction):
    """The maximum price of a unit of gas, or of blob gas, is below the block's."""


class InsufficientFunds(InvalidTransaction):
    """The caller does not have what gas and value may cost."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A message to try, which needs no signature or nonce.

    `fee_cap` and `tip_cap` are in wei per gas, equal if a plain gas price was given, 0 if nothing was. `authorizations`
    are None if none were given; an empty list makes a set-code message, which may not run.
    """

    caller: Address
    to: Address | None
    data: bytes = b""
    value: int = 0
    gas: int = 30_000_000
    fee_cap: int = 0
    tip_cap: int = 0
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] | None = None
    blob_hashes: tuple[Hash32, ...] = ()
    blob_fee_cap: int = 0

    @property
    def offers_fees(self) -> bool:
        return bool(self.fee_cap or self.tip_cap)

    def price_at(self, base_fee: int) -> int:
        """The effective price of a unit of gas, in wei: what GASPRICE shows."""
        return min(self.fee_cap, base_fee + self.tip_cap) if self.offers_fees else 0


def without_fees(env: BlockEnv, request: CallRequest) -> BlockEnv:
    """The block's environment for the message: without a price, there is no fee."""
    if not request.offers_fees:
        env = replace(env, base_fee=0)
    return env if request.blob_fee_cap or not request.blob_hashes else replace(env, blob_base_fee=0)


def check_fees(state: State, env: BlockEnv, request: CallRequest, always: bool = False) -> None:
    """Raise TipAboveCap, FeeCapTooLow or InsufficientFunds. `always`: also for a message without a price."""
    caller, is_judged = checksummed(request.caller), always or request.offers_fees
    if is_judged and request.tip_cap > request.fee_cap:
        raise TipAboveCap(
            f"max priority fee per gas higher than max fee per gas: address {caller}, "
            f"maxPriorityFeePerGas: {request.tip_cap}, maxFeePerGas: {request.fee_cap}"
        )
    if is_judged and request.fee_cap < env.base_fee:
        raise FeeCapTooLow(
            f"max fee per gas less than block base fee: address {caller}, "
            f"maxFeePerGas: {request.fee_cap}, baseFee: {env.base_fee}"
        )
    has_blob_fee = request.blob_hashes and (always or request.blob_fee_cap)
    if has_blob_fee and request.blob_fee_cap < env.blob_base_fee:
        raise FeeCapTooLow(
            f"max fee per blob gas less than block blob gas fee: address {caller} "
            f"blobGasFeeCap: {request.blob_fee_cap}, blobBaseFee: {env.blob_base_fee}"
        )
    want = request.gas * request.fee_cap + request.value + _blob_gas(request) * request.blob_fee_cap
    have = state.balance(request.caller)
    if have < want:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: address {caller} have {have} want {want}"
        )


def take_fees(state: State, env: BlockEnv, request: CallRequest, price: int) -> None:
    """Charge the caller for all its gas, and for its blobs if it offers to pay, before the message runs."""
    due = request.gas * price + (_blob_gas(request) * env.blob_base_fee if request.blob_fee_cap else 0)
    if due:
        state.set_balance(request.caller, state.balance(request.caller) - due)


def _blob_gas(request: CallRequest) -> int:
    return GAS_PER_BLOB * len(request.blob_hashes)
