"""The compression function F of BLAKE2b, for contracts that read other chains (EIP-152; RFC 7693, 3.2).

A round costs one unit of gas and the caller chooses their number, so the rounds run as machine code.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles.common import pay

_INPUT_SIZE = 213  # rounds 4, state 64, block 128, offset 16, final flag 1


def blake2f(data: bytes, gas: int) -> tuple[int, bytes]:
    if len(data) != _INPUT_SIZE:
        raise PrecompileFailure
    rounds = int.from_bytes(data[:4], "big")
    cost = pay(rounds, gas)
    final = data[212]
    if final not in (0, 1):
        raise PrecompileFailure
    state = np.frombuffer(data, dtype="<u8", count=8, offset=4).astype(np.uint64)
    block = np.frombuffer(data, dtype="<u8", count=16, offset=68).astype(np.uint64)
    offset = np.frombuffer(data, dtype="<u8", count=2, offset=196).astype(np.uint64)
    _kernel()(rounds, state, block, offset, final == 1)
    return cost, state.astype("<u8").tobytes()


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """The jitted rounds, compiled by `warm` or at first use."""
    from coinone.rules.vm.precompiles.blake2f_kernel import compress

    return compress


@on_warm
def _warm() -> None:
    _kernel()
