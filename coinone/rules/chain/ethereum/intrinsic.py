"""Intrinsic gas: the cost of a transaction before any code runs, and the least it pays for its data."""

from typing import NamedTuple, Protocol

from coinone.base.forms.ethereum import AccessList, Authorization
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.vm import Rules
from coinone.rules.vm.gas import INIT_CODE_PER_WORD, words

TRANSACTION = 21_000
CREATION = 32_000
PER_DATA_TOKEN = 4
PER_ACCESS_ADDRESS = 2_400
PER_ACCESS_SLOT = 1_900
PER_AUTHORIZATION = 25_000  # as if each created a new account
PER_AUTHORIZATION_BASE = 12_500  # what remains of it if the account exists


class Payload(Protocol):
    """The part of a transaction, or of a call, that runs."""

    @property
    def gas(self) -> int: ...
    @property
    def to(self) -> Address | None: ...
    @property
    def value(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def access_list(self) -> AccessList: ...
    @property
    def authorizations(self) -> tuple[Authorization, ...] | None: ...
    @property
    def blob_hashes(self) -> tuple[Hash32, ...]: ...


class IntrinsicGas(NamedTuple):
    cost: int
    floor: int  # a higher price of data if the transaction does little else (EIP-7623)

    @property
    def needed(self) -> int:
        return max(self.cost, self.floor)


def intrinsic_gas(payload: Payload, rules: Rules) -> IntrinsicGas:
    data = payload.data
    zeros = data.count(0)
    tokens = zeros + 4 * (len(data) - zeros)
    cost = TRANSACTION + PER_DATA_TOKEN * tokens
    if payload.to is None:
        cost += CREATION + INIT_CODE_PER_WORD * words(len(data))
    for _, slots in payload.access_list:
        cost += PER_ACCESS_ADDRESS + PER_ACCESS_SLOT * len(slots)
    cost += PER_AUTHORIZATION * len(payload.authorizations or ())
    floor = rules.calldata_floor_per_token
    return IntrinsicGas(cost, TRANSACTION + floor * tokens if floor else 0)
