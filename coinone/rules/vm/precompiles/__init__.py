"""Precompiled contracts: addresses whose code is a Python function.

A precompile takes its input and the available gas, and returns its cost and output. It must compute the cost first and
raise OutOfGas before doing the work, or the work would be free. The chain adds its own from 0x0800 on by passing a
longer table to the interpreter.
"""

from collections.abc import Mapping

from coinone.base.primitives.types import Address
from coinone.rules.vm.environment import Precompile
from coinone.rules.vm.precompiles import blake2f, bls12_381, bn254, hashes, kzg, modexp, signatures
from coinone.rules.vm.precompiles.common import pay

__all__ = ["CANCUN", "OSAKA", "PRAGUE", "Precompile", "pay"]


def _table(precompiles: Mapping[int, Precompile]) -> dict[Address, Precompile]:
    return {number.to_bytes(20, "big"): precompile for number, precompile in precompiles.items()}


CANCUN: dict[Address, Precompile] = _table(
    {
        0x01: signatures.ecrecover,
        0x02: hashes.sha256,
        0x03: hashes.ripemd160,
        0x04: hashes.identity,
        0x05: modexp.modexp_berlin,
        0x06: bn254.add,
        0x07: bn254.multiply,
        0x08: bn254.pairing_check,
        0x09: blake2f.blake2f,
        0x0A: kzg.point_evaluation,
    }
)

PRAGUE: dict[Address, Precompile] = CANCUN | _table(
    {
        0x0B: bls12_381.g1_add,
        0x0C: bls12_381.g1_multi_multiply,
        0x0D: bls12_381.g2_add,
        0x0E: bls12_381.g2_multi_multiply,
        0x0F: bls12_381.pairing_check,
        0x10: bls12_381.map_to_g1,
        0x11: bls12_381.map_to_g2,
    }
)

OSAKA: dict[Address, Precompile] = PRAGUE | _table(
    {0x05: modexp.modexp_osaka, 0x0100: signatures.p256_verify}
)
