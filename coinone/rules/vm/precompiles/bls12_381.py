"""The curve BLS12-381: sums, multi-multiplications, pairing check, maps to the curve (EIP-2537).

Arkworks does the work, through `py-arkworks-bls12381`. Field elements are 64 bytes, of which the first 16 must be zero;
operands of additions need not be in the subgroup, all others must.
"""

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles.bls_discounts import G1_DISCOUNTS, G2_DISCOUNTS, discounted
from coinone.rules.vm.precompiles.common import FALSE, TRUE, pay

FIELD_MODULUS = (
    0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
)
_FP = 64
_G1 = 2 * _FP
_G2 = 4 * _FP
_PADDING = bytes(16)


def g1_add(data: bytes, gas: int) -> tuple[int, bytes]:
    _require(len(data) == 2 * _G1)
    cost = pay(375, gas)
    return cost, _encode((_g1(data[:_G1]) + _g1(data[_G1:])).to_xy_bytes_be())


def g2_add(data: bytes, gas: int) -> tuple[int, bytes]:
    _require(len(data) == 2 * _G2)
    cost = pay(600, gas)
    return cost, _encode((_g2(data[:_G2]) + _g2(data[_G2:])).to_xy_bytes_be())


def g1_multi_multiply(data: bytes, gas: int) -> tuple[int, bytes]:
    """The sum of points times scalars."""
    size = _G1 + 32
    _require(len(data) > 0 and len(data) % size == 0)
    cost = pay(discounted(len(data) // size, 12_000, G1_DISCOUNTS), gas)
    items = [data[start : start + size] for start in range(0, len(data), size)]
    points = [_g1_in_subgroup(item[:_G1]) for item in items]
    scalars = [Scalar.from_be_bytes_mod_order(item[_G1:]) for item in items]
    return cost, _encode(G1Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def g2_multi_multiply(data: bytes, gas: int) -> tuple[int, bytes]:
    """The sum of points times scalars."""
    size = _G2 + 32
    _require(len(data) > 0 and len(data) % size == 0)
    cost = pay(discounted(len(data) // size, 22_500, G2_DISCOUNTS), gas)
    items = [data[start : start + size] for start in range(0, len(data), size)]
    points = [_g2_in_subgroup(item[:_G2]) for item in items]
    scalars = [Scalar.from_be_bytes_mod_order(item[_G2:]) for item in items]
    return cost, _encode(G2Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def pairing_check(data: bytes, gas: int) -> tuple[int, bytes]:
    """Whether the product of the pairings of all (G1, G2) pairs is one."""
    size = _G1 + _G2
    _require(len(data) > 0 and len(data) % size == 0)
    cost = pay(37_700 + 32_600 * (len(data) // size), gas)
    items = [data[start : start + size] for start in range(0, len(data), size)]
    g1s = [_g1_in_subgroup(item[:_G1]) for item in items]
    g2s = [_g2_in_subgroup(item[_G1:]) for item in items]
    return cost, TRUE if GT.pairing_check(g1s, g2s) else FALSE


def map_to_g1(data: bytes, gas: int) -> tuple[int, bytes]:
    _require(len(data) == _FP)
    cost = pay(5_500, gas)
    return cost, _encode(G1Point.map_from_fp_be(_fields(data)).to_xy_bytes_be())


def map_to_g2(data: bytes, gas: int) -> tuple[int, bytes]:
    _require(len(data) == 2 * _FP)
    cost = pay(23_800, gas)
    return cost, _encode(G2Point.map_from_fp2_be(_fields(data)).to_xy_bytes_be())


def _require(condition: bool) -> None:
    if not condition:
        raise PrecompileFailure


def _fields(data: bytes) -> bytes:
    """Field elements without their padding, each below the modulus. Raises PrecompileFailure."""
    parts = [data[start : start + _FP] for start in range(0, len(data), _FP)]
    _require(all(part.startswith(_PADDING) and int.from_bytes(part, "big") < FIELD_MODULUS for part in parts))
    return b"".join([part[16:] for part in parts])


def _encode(fields: bytes) -> bytes:
    return b"".join([_PADDING + fields[start : start + 48] for start in range(0, len(fields), 48)])


def _g1(data: bytes) -> G1Point:
    """A point on the curve, perhaps outside the subgroup; all zeros is infinity. Raises PrecompileFailure."""
    fields = _fields(data)
    if not any(fields):
        return G1Point.identity()
    x, y = [int.from_bytes(fields[start : start + 48], "big") for start in (0, 48)]
    _require((y * y - x * x * x - 4) % FIELD_MODULUS == 0)
    return G1Point.from_xy_bytes_unchecked_be(fields)


def _g2(data: bytes) -> G2Point:
    """A point on the curve, perhaps outside the subgroup; all zeros is infinity. Raises PrecompileFailure."""
    fields = _fields(data)
    if not any(fields):
        return G2Point.identity()
    x0, x1, y0, y1 = [int.from_bytes(fields[start : start + 48], "big") for start in (0, 48, 96, 144)]
    square = (x0 * x0 - x1 * x1, 2 * x0 * x1)  # (x0 + x1 i)^2, where i^2 = -1
    cube = (square[0] * x0 - square[1] * x1, square[0] * x1 + square[1] * x0)
    real = y0 * y0 - y1 * y1 - cube[0] - 4  # y^2 = x^3 + 4 + 4i
    imaginary = 2 * y0 * y1 - cube[1] - 4
    _require(real % FIELD_MODULUS == 0 and imaginary % FIELD_MODULUS == 0)
    return G2Point.from_xy_bytes_unchecked_be(fields)


def _g1_in_subgroup(data: bytes) -> G1Point:
    point = _g1(data)
    _require(point.is_in_subgroup())
    return point


def _g2_in_subgroup(data: bytes) -> G2Point:
    point = _g2(data)
    _require(point.is_in_subgroup())
    return point
