"""The state tests of ethereum/execution-spec-tests once more, on the native interpreter (see test_state_vectors.py)."""

from collections.abc import Iterator

import pytest

from coinone.rules.vm import Engine, use_engine
from tests.vectors.test_state_vectors import ARCHIVES, cases, run, sample


@pytest.fixture(autouse=True)
def _native_engine() -> Iterator[None]:
    before = use_engine(Engine.NATIVE)
    yield
    assert use_engine(before) is Engine.NATIVE, "there was no machine code"


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_fifth_of_the_state_tests_end_alike_as_machine_code(archive: str) -> None:
    run(sample(archive, 5), 800)


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES)
def test_every_state_test_ends_with_the_expected_root_as_machine_code(archive: str) -> None:
    run(cases(archive), 4_400)
