"""Choosing the engine, its cache of object code, and what happens where machine code cannot be made."""

import warnings
from pathlib import Path

import pytest

from coinone.rules.vm import REFERENCE, engine_named, execute, verify
from coinone.rules.vm.native import compiler
from tests.rules.vm.native.programs import push, run_both, world

STORE = push(5) + push(0) + b"\x55"
LOOP = b"\x5b\x5f\x56"  # for ever


@pytest.mark.parametrize("engine", ["reference", "native", "reference+native"])
def test_every_engine_runs_a_message(engine: str) -> None:
    evm, message = world([STORE], "Osaka", 100_000)
    evm.engine = engine_named(engine)
    assert evm.engine.name == engine
    assert execute(evm, message).success
    assert evm.state.storage(message.target, 0) == 5


def test_a_machine_without_a_compiler_keeps_the_reference_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise OSError("no such library")

    monkeypatch.setattr(compiler, "library", broken)
    with pytest.warns(UserWarning, match="reference runs instead"):
        assert engine_named("native") is REFERENCE


def test_a_difference_between_the_engines_is_named() -> None:
    with pytest.raises(verify.EnginesDiffer, match=r"slot.*first 1, second 2"):
        verify.compare({("slot", 3): 1}, {("slot", 3): 2})
    with pytest.raises(verify.EnginesDiffer):
        verify.compare({}, {("slot", 3): 2})


def test_object_code_that_was_damaged_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "code.o"
    compiler.write_object(file, b"machine code")
    assert compiler.read_object(file) == b"machine code"
    for damaged in (b"", file.read_bytes()[:-1], file.read_bytes()[:-1] + b"E", b"x" * 100):
        file.write_bytes(damaged)
        assert compiler.read_object(file) is None


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    nowhere = tmp_path / "absent" / "code.o"
    compiler.write_object(nowhere, b"machine code")
    assert compiler.read_object(nowhere) is None


def test_a_budget_can_stop_a_loop() -> None:
    class Enough(Exception):
        pass

    looks = []

    def budget() -> None:
        looks.append(1)
        if len(looks) == 5:
            raise Enough

    evm, message = world([LOOP], "Osaka", 2**60)
    evm.engine, evm.budget = engine_named("native"), budget
    with pytest.raises(Enough):
        execute(evm, message)
    assert run_both([STORE]).success, "the machine can be used again"


def test_more_gas_than_63_bits_hold_is_run_by_the_reference() -> None:
    evm, message = world([STORE], "Osaka", 2**70)
    evm.engine = engine_named("native")
    assert execute(evm, message).success


def test_no_warning_where_the_compiler_works() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert engine_named("native").name == "native"
