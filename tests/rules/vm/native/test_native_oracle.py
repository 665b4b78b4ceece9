"""The worlds that the engines are compared on, beside EELS: what all of them could have misread together."""

import os

import pytest

from tests.rules.vm.native.mutants import mutant
from tests.rules.vm.native.oracle import disagreement, reference, specification
from tests.rules.vm.native.programs import push, random_world, world


def wrong(world_of, seeds: range) -> dict[int, str]:  # type: ignore[no-untyped-def]
    found = {seed: disagreement(world_of(seed)) for seed in seeds}
    return {seed: problem for seed, problem in found.items() if problem is not None}


def test_a_unit_of_gas_more_would_be_seen() -> None:
    evm, message = world([push(7) + push(1) + b"\x55"], "Osaka", 100_000)  # slot 1 holds 7 already
    more = message._replace(gas=message.gas + 1)
    assert specification(evm, more)["gas"] == reference(evm, message)["gas"] + 1


def test_random_worlds_end_as_the_specification_says() -> None:
    assert wrong(random_world, range(30)) == {}


@pytest.mark.slow
def test_a_thousand_random_worlds_end_as_the_specification_says() -> None:
    assert wrong(random_world, range(10_000, 11_000)) == {}


@pytest.mark.slow
@pytest.mark.skipif("COINONE_DATA" not in os.environ, reason="set COINONE_DATA: see test_fuzz.py")
def test_a_thousand_bent_contracts_end_as_the_specification_says() -> None:
    assert wrong(mutant, range(10_000, 11_000)) == {}
