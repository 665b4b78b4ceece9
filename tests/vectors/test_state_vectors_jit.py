"""The state tests once more, every contract compiled before it first runs (see test_state_vectors.py).

Compiling takes most of the time, so a tenth of the cases is run each time and all of them in the long suite.
"""

from collections.abc import Iterator

import pytest

from coinone.rules.vm import Engine, use_engine
from coinone.rules.vm.jit.execution import use_limits
from coinone.rules.vm.jit.policy import Limits
from tests.vectors.test_state_vectors import ARCHIVES, cases, run, sample


@pytest.fixture(autouse=True)
def _everything_is_compiled() -> Iterator[None]:
    before, limits = use_engine(Engine.JIT), use_limits(Limits(hot=1, at_once=True, keep=False))
    yield
    use_limits(limits)
    assert use_engine(before) is Engine.JIT, "there was no machine code"


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_tenth_of_the_state_tests_end_alike_with_compiled_contracts(archive: str) -> None:
    run(sample(archive, 10), 400)


@pytest.mark.long
@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_state_test_ends_with_the_expected_root_with_compiled_contracts(archive: str) -> None:
    run(cases(archive), 4_400)
