"""Random programs, trees of calls and changed contracts end alike on the reference, the native interpreter and the JIT.

Seed by seed, by the rules of fuzz.py. The long campaign is a million programs in twenty pieces, each by itself:
`python -m pytest -m long --timeout=0 tests/rules/vm/native/test_fuzz.py -k piece07`.
"""

import os

import pytest

from tests.rules.vm.native.fuzz import Tally, campaign

NEEDS_DATA = pytest.mark.skipif(
    "COINONE_DATA" not in os.environ,
    reason="set COINONE_DATA to a folder with evm-tests/state_static.tar.xz and evm-bench/revmc",
)
PIECES, WORLDS, PROGRAMS = 20, 44_000, 50_000  # of the long campaign; the last two for each piece


def alike(first: int, worlds: int, kind: str, engines: str) -> Tally:
    tally = campaign(first, worlds, kind, engines)
    assert tally.differences == 0
    return tally


def test_random_worlds_end_alike_on_all_engines() -> None:
    assert alike(0, 120, "random", "all").compiled > 100


@NEEDS_DATA
def test_bent_contracts_end_alike_on_all_engines() -> None:
    assert alike(0, 120, "mutants", "all").compiled > 100


@NEEDS_DATA
@pytest.mark.slow
def test_thousands_of_programs_end_alike_on_all_engines() -> None:
    assert alike(1_000_000, 6_000, "both", "all").compiled > 6_000


@NEEDS_DATA
@pytest.mark.slow
def test_tens_of_thousands_of_programs_end_alike_on_the_native_interpreter() -> None:
    assert alike(2_000_000, 30_000, "both", "native").programs > 30_000


@NEEDS_DATA
@pytest.mark.long
@pytest.mark.parametrize("piece", range(PIECES), ids=lambda piece: f"piece{piece:02}")
def test_a_million_programs_end_alike_on_all_engines(piece: int) -> None:
    assert alike(100_000_000 + piece * WORLDS, WORLDS, "both", "all").compiled >= PROGRAMS
