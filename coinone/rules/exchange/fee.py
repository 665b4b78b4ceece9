"""Trading fees: what a rate takes from a notional. Payers round up, so a rebate (a negative rate) rounds
down.
"""

from __future__ import annotations

from coinone.base.primitives.fixed128 import muldiv_up_jit
from coinone.rules.exchange.core import inlined
from coinone.rules.exchange.tables import FEE_SCALE

RATE_MAX = 100_000
"""Largest fee rate, 1 %; also the largest builder fee, in 1 / FEE_SCALE."""

_SMALL = 1 << 46  # notional up to which notional * RATE_MAX fits int64


@inlined
def fee(notional: int, rate: int) -> int:
    """ceil(notional * rate / FEE_SCALE)."""
    if notional < _SMALL:
        return -((-notional * rate) // FEE_SCALE)
    return muldiv_up_jit(notional, rate, FEE_SCALE)
