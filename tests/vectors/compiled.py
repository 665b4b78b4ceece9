"""Ethereum's state tests and block tests with every contract compiled before it first runs, in a process of its own.

Nearly all of the time is the compiler's, so a process makes machine code once for all forks that read a contract alike,
and `test_vectors_jit.py` deals the files out to as many processes as there are CPUs. What ran is counted: `Tally`.
"""

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from coinone.rules.vm import REFERENCE, Engine, Evm, ExecutionResult, Message, interpreter
from coinone.rules.vm.jit import compiler, policy
from coinone.rules.vm.jit.compiler import CompiledProgram
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import CODE_MAX, Limits, Policy
from coinone.rules.vm.native.program import NativeProgram
from tests.vectors import test_block_vectors, test_state_vectors

File = tuple[str, bytes]  # its name, what it holds


@dataclass
class Tally:
    """`contracts` count once for each transaction that ran them; each is in one of the four classes below.

    `plain` are those in which no instruction can be compiled (`STOP`), or that are empty; `long` are longer than
    contracts may be (init code); `by_reference` counts messages with more gas than machine code can count.
    """

    cases: int = 0
    contracts: int = 0
    compiled: int = 0
    plain: int = 0
    long: int = 0
    by_reference: int = 0
    made: int = 0  # times that the compiler ran
    in_part: int = 0  # times that it left blocks to the interpreter, of a contract with too many

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*[a + b for a, b in zip(astuple(self), astuple(other), strict=True)])


_tally = Tally()
_engine: Engine = REFERENCE  # until `prepare` was called


class _CountingPolicy(Policy):
    def program_of(self, code: bytes) -> NativeProgram:
        program = super().program_of(code)
        _tally.contracts += 1
        if len(code) > CODE_MAX:
            _tally.long += 1
        elif isinstance(program, CompiledProgram) and program.entries.any():
            _tally.compiled += 1
        else:
            assert not code or isinstance(program, CompiledProgram)
            _tally.plain += 1
        return program


def prepare() -> None:
    """For the rest of this process: compile everything, count it, and let nothing be interpreted quietly."""
    global _engine
    warnings.filterwarnings("error", message="a contract was not compiled")
    policy.Policy = _CountingPolicy  # type: ignore[misc]
    policy.MESSAGES_PER_MAKER = 1  # each message asks for its programs, and is counted
    objects: dict[bytes, bytes] = {}
    compile_object, module_of, by_reference = compiler.compile_object, compiler.module_of, interpreter.execute

    def compile_once(text: str) -> bytes:
        key = hashlib.sha256(text.encode()).digest()
        if key not in objects:
            objects[key] = compile_object(text)
            _tally.made += 1
        return objects[key]

    def counted_module_of(code, opcodes, weight_max):  # type: ignore[no-untyped-def]
        text = module_of(code, opcodes, weight_max)
        _tally.in_part += text.left_out > 0
        return text

    def counted_reference(evm: Evm, message: Message) -> ExecutionResult:
        _tally.by_reference += 1
        return by_reference(evm, message)

    compiler.compile_object, compiler.module_of = compile_once, counted_module_of  # type: ignore[attr-defined]
    interpreter.execute = counted_reference
    _engine = Jit(Limits(hot=1, at_once=True, keep=False))


def run_files(archive: str, files: Iterable[File]) -> tuple[Tally, list[str]]:
    """What was run, and what was wrong."""
    global _tally
    _tally = Tally()
    failures: list[str] = []
    for name, content in files:
        if archive in test_block_vectors.ARCHIVES:
            done, wrong = test_block_vectors.failures_in(
                test_block_vectors.vectors_in(name, content), _engine
            )
        else:
            done, wrong = test_state_vectors.failures_in(test_state_vectors.cases_in(name, content), _engine)
        _tally.cases += done
        failures += wrong
    return _tally, failures
