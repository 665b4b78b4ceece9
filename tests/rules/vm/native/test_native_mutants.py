"""Contracts of the state tests and of public benchmarks, bent a little: both engines must end alike, seed by seed."""

import os

import pytest

from tests.rules.vm.native.fuzz import campaign

pytestmark = pytest.mark.skipif(
    "COINONE_DATA" not in os.environ,
    reason="set COINONE_DATA to a folder with evm-tests/state_static.tar.xz and evm-bench/revmc",
)


def test_bent_contracts_end_alike() -> None:
    assert campaign(0, 300, "mutants") == 0


@pytest.mark.slow
def test_thousands_of_bent_contracts_end_alike() -> None:
    assert campaign(1_000_000, 10_000, "mutants") == 0


@pytest.mark.long
def test_a_million_worlds_and_bent_contracts_end_alike() -> None:
    assert campaign(10_000_000, 1_000_000, "both") == 0
