"""Compiled contracts, too, read and write within their buffers only (see native/test_native_bounds.py)."""

import os
import sys

import pytest

from tests.rules.vm.native.test_native_bounds import run_guarded

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="page protection is asked for as Linux has it"
)


def test_random_worlds_stay_within_their_buffers_when_compiled() -> None:
    run_guarded(5_100_000, 60, "random", "all")


@pytest.mark.slow
@pytest.mark.skipif("COINONE_DATA" not in os.environ, reason="set COINONE_DATA: see test_fuzz.py")
def test_bent_contracts_stay_within_their_buffers_when_compiled() -> None:
    run_guarded(7_100_000, 500, "mutants", "all")
