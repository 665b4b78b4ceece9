"""Long division where its estimates err. The operands were searched for with a model of the same algorithm in Python
ints that notes which correction it makes; ordinary operands meet some of them once in 2^64 times.
"""

import pytest

from tests.rules.vm.native.programs import push, run_both

RETURN_TOP = bytes.fromhex("60005260206000f3")
OPERANDS = {
    "two limbs by one: the estimate is one too large": (
        0xFFFFFFFFFFFFFFFE0000000000000001,
        0x3FFFFFFFFFFFFFFE,
    ),
    "two limbs by one: the estimate is one too small": (
        0x8E65E4CFD0A410DAFF11DC91B6A3CE924881507EB08AAFCF002261AB8485BC19,
        0x8EC2361582F2E770FFFFFFFFFFFFFFFE,
    ),
    "one too small again": (
        0x71D196320A88875FBC642BBF6C55A705AA97F6B25A9ADF7AFFFFFFFFFFFFFFFF,
        0x100000001000000008000000000000000,
    ),
    "the top limb is not below the divisor": (0xFFFFFFFFFFFFFFFF0000000000000000, 0xFFFFFFFFFFFFFFFF),
    "not below it either": (
        0xAA0CB6F5717F5EED087EE17B880E180B206A985A0A452B530000000000000000,
        0x8000000000000000,
    ),
    "the guess has the most a limb can hold": (
        0x8000000000000000000000000000000080000000000000010000000000000000,
        0x80000000000000000000000100000000,
    ),
    "the most again": (
        0x8000000000000001FFFFFFFFFFFFFFFEC87868FA56E0A2468000000000000001,
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF,
    ),
    "the divisor is added back": (
        0x97DAE38D9D643C26182E0E89279F1A25361A294909BB62CA6C3452921376C58F,
        0x7D5C8DFC5EDA92D880000000000000010000000000000002,
    ),
    "added back again": (
        0x7E0AB2ED31B1C27E80000000000000002B3C94A4FCEF97D14FD133BABBA9EE77,
        0x800000000000000000000000000000002BE88B4675FA6DD8,
    ),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_division_corrects_its_estimates(name: str) -> None:
    x, y = OPERANDS[name]
    for opcode, expected in ((b"\x04", x // y), (b"\x06", x % y)):
        result = run_both([push(y) + push(x) + opcode + RETURN_TOP])
        assert result.output == expected.to_bytes(32, "big")


@pytest.mark.parametrize("name", OPERANDS)
def test_products_and_sums_are_reduced_with_the_same_corrections(name: str) -> None:
    x, y = OPERANDS[name]
    high = 2**256 - 1
    for opcode, expected in ((b"\x09", x * high % y), (b"\x08", (x + high) % y)):
        result = run_both([push(y) + push(high) + push(x) + opcode + RETURN_TOP])
        assert result.output == expected.to_bytes(32, "big")
