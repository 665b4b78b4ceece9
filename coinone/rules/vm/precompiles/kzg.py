"""Point evaluation: checks a KZG proof that a committed polynomial has value y at z (EIP-4844).

This chain has no blobs, but the precompile costs little, and contracts use it to verify proofs about other chains'
blobs. The check needs one point of Ethereum's trusted setup, tau * G2.
"""

import hashlib

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles.common import pay

SCALAR_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
FIELD_ELEMENTS_PER_BLOB = 4_096
_TAU_G2 = bytes.fromhex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)
_G1_GENERATOR = G1Point()
_G2_GENERATOR = G2Point()


def point_evaluation(data: bytes, gas: int) -> tuple[int, bytes]:
    """Input: versioned hash, z, y, commitment, proof. Output: two constants; fails if the proof does."""
    if len(data) != 192:
        raise PrecompileFailure
    cost = pay(50_000, gas)
    commitment = data[96:144]
    versioned_hash = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    if data[:32] != versioned_hash or not _holds(commitment, data[32:64], data[64:96], data[144:]):
        raise PrecompileFailure
    return cost, FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + SCALAR_MODULUS.to_bytes(32, "big")


def _holds(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bool:
    """e(commitment - y G1, -G2) * e(proof, tau G2 - z G2) = 1."""
    if int.from_bytes(z, "big") >= SCALAR_MODULUS or int.from_bytes(y, "big") >= SCALAR_MODULUS:
        return False
    try:
        committed = G1Point.from_compressed_bytes(commitment)
        proved = G1Point.from_compressed_bytes(proof)
    except ValueError:
        return False
    value_part = committed - _G1_GENERATOR * Scalar.from_be_bytes(y)
    point_part = G2Point.from_compressed_bytes(_TAU_G2) - _G2_GENERATOR * Scalar.from_be_bytes(z)
    return GT.pairing_check([value_part, proved], [-_G2_GENERATOR, point_part])
