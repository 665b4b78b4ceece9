"""The state tests of ethereum/execution-spec-tests once more, on the native interpreter (see test_state_vectors.py)."""

import pytest

from coinone.rules.vm import Engine, engine_named
from tests.vectors.test_state_vectors import ARCHIVES, cases, run, sample


@pytest.fixture(scope="module")
def native() -> Engine:
    engine = engine_named("native")
    assert engine.name == "native", "there was no machine code"
    return engine


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_fifth_of_the_state_tests_end_alike_as_machine_code(archive: str, native: Engine) -> None:
    run(sample(archive, 5), 800, native)


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_state_test_ends_with_the_expected_root_as_machine_code(archive: str, native: Engine) -> None:
    run(cases(archive), 4_400, native)
