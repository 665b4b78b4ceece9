"""The curve alt_bn128: addition, multiplication, and the pairing check of zk-proof verifiers (EIP-196, -197).

The C++ library mcl does the work; its binary comes with the package `mclbn256`. That package initialises it for another
curve (BN254 of its authors); here the binary is initialised again for Ethereum's and used directly through its C
interface. A pairing takes under a millisecond; pure Python takes over a second.
"""

import ctypes
from functools import lru_cache
from typing import Any

from coinone.base.primitives.jit import on_warm
from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles.common import FALSE, TRUE, pay, read

FIELD_MODULUS = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
_CURVE_SNARK1 = 4  # mcl's name for alt_bn128
_COMPILED_SIZES = 44  # 4 words a field element + 10 * 4 words a scalar, checked by the library
_FP = 32
_G1 = 3 * _FP  # x, y, z
_G2 = 6 * _FP  # the same over pairs
_GT = 12 * _FP
_PAIR_SIZE = 192

_Buffer = ctypes.Array[ctypes.c_char]


def add(data: bytes, gas: int) -> tuple[int, bytes]:
    cost = pay(150, gas)
    left, right = _g1(read(data, 0, 64)), _g1(read(data, 64, 64))
    _mcl().mclBnG1_add(left, left, right)
    return cost, _encode_g1(left)


def multiply(data: bytes, gas: int) -> tuple[int, bytes]:
    cost = pay(6_000, gas)
    point = _g1(read(data, 0, 64))
    scalar = ctypes.create_string_buffer(_FP)
    little_endian = read(data, 64, 32)[::-1]
    _mcl().mclBnFr_setLittleEndianMod(scalar, little_endian, _FP)
    _mcl().mclBnG1_mul(point, point, scalar)
    return cost, _encode_g1(point)


def pairing_check(data: bytes, gas: int) -> tuple[int, bytes]:
    """Whether the product of the pairings of all (G1, G2) pairs is one; true for no pairs."""
    count = len(data) // _PAIR_SIZE
    cost = pay(45_000 + 34_000 * count, gas)
    if len(data) % _PAIR_SIZE:
        raise PrecompileFailure
    g1s, g2s = [], []
    for start in range(0, len(data), _PAIR_SIZE):
        g1, g2 = _g1(data[start : start + 64]), _g2(data[start + 64 : start + _PAIR_SIZE])
        if not (_mcl().mclBnG1_isZero(g1) or _mcl().mclBnG2_isZero(g2)):  # such a pair contributes one
            g1s.append(g1.raw)
            g2s.append(g2.raw)
    product = ctypes.create_string_buffer(_GT)
    if not g1s:
        return cost, TRUE
    _mcl().mclBn_millerLoopVec(product, b"".join(g1s), b"".join(g2s), ctypes.c_size_t(len(g1s)))
    _mcl().mclBn_finalExp(product, product)
    return cost, TRUE if _mcl().mclBnGT_isOne(product) else FALSE


def _g1(data: bytes) -> _Buffer:
    """A point of G1 from its affine x and y; (0, 0) is infinity. Raises PrecompileFailure."""
    if data == _INFINITY:
        return ctypes.create_string_buffer(_G1)
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    if (y * y - x * x * x - 3) % FIELD_MODULUS:  # every point of this curve is in the group
        raise PrecompileFailure
    point = ctypes.create_string_buffer(_affine(), _G1)
    _set_fields(point, (data[:32], data[32:]))
    return point


def _g2(data: bytes) -> _Buffer:
    """A point of G2, whose coordinates are pairs with the imaginary part first. Raises PrecompileFailure."""
    point = ctypes.create_string_buffer(_G2)
    if data != bytes(len(data)):
        x_imaginary, x_real, y_imaginary, y_real = [data[i : i + 32] for i in (0, 32, 64, 96)]
        _set_fields(point, (x_real, x_imaginary, y_real, y_imaginary, _ONE, bytes(32)))
        if not (_mcl().mclBnG2_isValid(point) and _mcl().mclBnG2_isValidOrder(point)):
            raise PrecompileFailure
    return point


_ONE = (1).to_bytes(32, "big")
_INFINITY = bytes(64)


def _set_fields(point: _Buffer, elements: tuple[bytes, ...]) -> None:
    """Set a point's field elements. Raises PrecompileFailure for one not below the modulus."""
    deserialize, target = _mcl().mclBnFp_deserialize, ctypes.addressof(point)
    for element in elements:
        if deserialize(target, element[::-1], _FP) != _FP:
            raise PrecompileFailure
        target += _FP


@lru_cache(maxsize=1)
def _affine() -> bytes:
    """A point of G1 whose x and y are still to be set: z is one."""
    point = ctypes.create_string_buffer(_G1)
    _set_fields(point, (bytes(32), bytes(32), _ONE))
    return point.raw


def _encode_g1(point: _Buffer) -> bytes:
    library = _mcl()
    if library.mclBnG1_isZero(point):
        return _INFINITY
    library.mclBnG1_normalize(point, point)
    out, source = ctypes.create_string_buffer(2 * _FP), ctypes.addressof(point)
    target = ctypes.addressof(out)
    library.mclBnFp_serialize(target, _FP, source)
    library.mclBnFp_serialize(target + _FP, _FP, source + _FP)
    x_and_y = out.raw
    return x_and_y[31::-1] + x_and_y[:31:-1]


@on_warm
def _warm() -> None:
    _mcl()


@lru_cache(maxsize=1)
def _mcl() -> Any:
    """The library, initialised for alt_bn128."""
    from mclbn256 import mclbn256 as package

    library = package.loaded_libraries["libmclbn256"]
    address, size = ctypes.c_void_p, ctypes.c_size_t
    for name, result, parameters in (
        ("mclBnFp_deserialize", size, (address, address, size)),
        ("mclBnFp_serialize", size, (address, size, address)),
        ("mclBnG1_isZero", ctypes.c_int, (address,)),
        ("mclBnG1_normalize", None, (address, address)),
        ("mclBnG1_add", None, (address, address, address)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    failure = library.mclBn_init(_CURVE_SNARK1, _COMPILED_SIZES)
    assert failure == 0, "mcl does not know alt_bn128"
    return library
