"""The engine that compiles: when it does, what it keeps on disk, and what happens where it cannot."""

from collections import deque
from pathlib import Path

import pytest

from coinone.node.compiling import CPU_SHARE, work_once
from coinone.rules.vm import REFERENCE, Pair, engine_named, execute, interpreter
from coinone.rules.vm.jit import compiler, policy
from coinone.rules.vm.jit.compiler import CompiledProgram, compiled_program, object_of
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.module import module_of
from coinone.rules.vm.jit.policy import Limits, Policies, Policy
from coinone.rules.vm.native import compiler as native
from coinone.rules.vm.native.program import NativeProgram
from coinone.rules.vm.opcodes import OSAKA
from coinone.rules.vm.verify import EnginesDiffer, execute_both
from tests.rules.vm.native.programs import CONTRACTS, push, world

STORE = push(5) + push(0) + b"\x55"
CODE = push(1) + push(2) + b"\x01" + push(0) + b"\x52\x59\x5f\xf3"


def test_a_contract_is_compiled_when_it_has_run_often_enough() -> None:
    some = Policy("Osaka", deque(), Limits(hot=3, at_once=True, keep=False))
    kinds = [type(some.program_of(CODE)) for _ in range(4)]
    assert kinds == [NativeProgram, NativeProgram, CompiledProgram, CompiledProgram]
    assert some.runs == {"interpreted": 2, "compiled": 2}


def test_gas_makes_a_contract_hot_too() -> None:
    some = Policy("Osaka", deque(), Limits(hot=100, at_once=True, keep=False))
    some.heat(CODE, 99)
    assert isinstance(some.program_of(CODE), CompiledProgram)


def test_a_contract_that_only_others_call_becomes_compiled_too() -> None:
    engine = Jit(Limits(hot=3, at_once=True, keep=False))
    call = push(0) * 5 + b"\x73" + CONTRACTS[1] + b"\x5a\xf1\x00"
    assert policy.MESSAGES_PER_MAKER == 16
    for _ in range(35):
        evm, message = world([call, STORE], "Osaka", 100_000)
        evm.engine = engine
        assert execute(evm, message).success
    # Both are asked for by message 1; the caller, once asked for and twice called, is compiled after message 2.
    # Then both are asked for by message 3, by 19 (the 17th from there; the callee's third time) and, as that
    # was compiled, 20.
    assert engine.policies.runs == {"interpreted": 3, "compiled": 1 + 2 + 2}


def test_an_account_without_code_is_never_hot() -> None:
    some = Policy("Osaka", deque(), Limits(hot=1, at_once=True, keep=False))
    some.heat(b"", 1_000)
    assert type(some.program_of(b"")) is NativeProgram


def test_without_being_told_to_compile_at_once_it_waits_for_somebody_who_does() -> None:
    policies = Policies(Limits(hot=2, keep=False))
    some = policies.of("Osaka")
    assert all(type(some.program_of(CODE)) is NativeProgram for _ in range(5))
    job = policies.next_job()
    assert job is not None
    job()
    assert isinstance(some.program_of(CODE), CompiledProgram)
    assert policies.next_job() is not None, "it was asked for twice: the second time changes nothing"


def test_the_queue_and_what_is_remembered_have_an_end() -> None:
    waiting: deque[policy.Job] = deque()
    some = Policy("Osaka", waiting, Limits(hot=2, keep=False))
    for n in range(policy.HEATS_MAX + 10):
        some.program_of(push(n))
    assert len(some._heats) == policy.HEATS_MAX
    for n in range(10, 200):
        some.program_of(push(n))
    assert len(waiting) == policy.WAITING_MAX


def test_the_compiler_rests_three_times_as_long_as_it_worked() -> None:
    clock = iter([10.0, 12.0])
    done = []
    rest = work_once(lambda: lambda: done.append(1), lambda: next(clock))
    assert (done, rest) == ([1], 2.0 * (CPU_SHARE - 1))


def test_a_contract_that_the_compiler_refuses_is_interpreted_and_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(text: str) -> bytes:
        raise RuntimeError("no registers left")

    monkeypatch.setattr(compiler, "compile_object", broken)
    engine = Jit(Limits(hot=1, at_once=True, keep=False))
    evm, message = world([STORE], "Osaka", 100_000)
    evm.engine = engine
    with pytest.warns(UserWarning, match="no registers left.*interpreted"):
        assert execute(evm, message).success
    evm, message = world([STORE], "Osaka", 100_000)
    evm.engine = engine
    assert execute(evm, message).success, "it is not tried again"


def test_a_machine_without_a_compiler_runs_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no such library")

    monkeypatch.setattr(native, "library", broken)
    with pytest.warns(UserWarning, match="reference runs instead"):
        assert engine_named("jit") is REFERENCE


def test_compiled_code_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = object_of(CODE, "Osaka", tmp_path)
    monkeypatch.setattr(compiler, "compile_object", lambda text: pytest.fail("it was kept"))
    assert object_of(CODE, "Osaka", tmp_path) == first
    assert isinstance(compiled_program(CODE, "Osaka", tmp_path), CompiledProgram)


def test_files_that_are_damaged_or_of_another_contract_are_made_anew(tmp_path: Path) -> None:
    good = object_of(CODE, "Osaka", tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    object_of(STORE, "Osaka", tmp_path)
    (other,) = set(tmp_path.iterdir()) - {file}
    for bad in (b"", content[:-1], content[:-1] + b"E", b"x" * 100, other.read_bytes()):
        file.write_bytes(bad)
        assert object_of(CODE, "Osaka", tmp_path) == good
        assert file.read_bytes() == content


def test_the_folder_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "FILES_MAX", 4)
    for n in range(10):
        object_of(push(n) + STORE, "Osaka", tmp_path)
    assert len(list(tmp_path.iterdir())) <= 4


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    assert isinstance(compiled_program(CODE, "Osaka", tmp_path / "absent"), CompiledProgram)


def test_forks_do_not_share_compiled_code(tmp_path: Path) -> None:
    object_of(b"\x5f\x1e\x5f\x55", "Osaka", tmp_path)
    object_of(b"\x5f\x1e\x5f\x55", "Cancun", tmp_path)  # where CLZ is no instruction
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_contract_may_cost_the_compiler_is_bounded() -> None:
    loads = (b"\x5f\x51\x50" * 20 + b"\x5b") * 380  # 23 KB of loads from memory
    whole, part = (module_of(loads, OSAKA, most) for most in (10**9, 5_000))
    assert (whole.left_out, part.blocks) == (0, 20)  # each weighs 8 + 20 * (1 + 10 + 1) + 1 = 249
    assert part.blocks + part.left_out == whole.blocks
    assert len(part.text) < len(whole.text) // 8


def test_any_two_engines_can_be_compared() -> None:
    pair = engine_named("native+jit")
    assert isinstance(pair, Pair) and pair.name == "native+jit"
    evm, message = world([STORE], "Osaka", 100_000)
    evm.engine = pair
    assert execute(evm, message).success
    for name in ("native+nosuch", "reference+native+jit", ""):
        with pytest.raises(ValueError, match="no such engine"):
            engine_named(name)


def test_a_pair_that_differs_stops() -> None:
    def liar(evm, message):  # type: ignore[no-untyped-def]
        return interpreter.execute(evm, message._replace(gas=message.gas - 1))

    evm, message = world([STORE], "Osaka", 100_000)
    with pytest.raises(EnginesDiffer, match="gas left"):
        execute_both(interpreter.execute, liar, evm, message)
