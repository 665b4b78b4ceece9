"""Decide which contracts to compile and in which order; no clock, no thread.

Heat is counted for each code: one for each message to it, more for the gas used, and one each time its program is
requested. Code called by other contracts counts only then: machine code remembers it as long as it has the same
`maker`. Hot code waits in a queue, from which the node's compiler thread takes it (`node/compiling.py`). A contract
that fails to compile stays with the interpreter.
"""

import warnings
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from coinone.rules.vm.jit.compiler import CompiledProgram, compiled_program, kept_in
from coinone.rules.vm.native.program import Maker, NativeProgram, native_program_of

HOT = 64
GAS_PER_HEAT = 100_000
MESSAGES_PER_MAKER = 16
CODE_MAX = 49_152  # bytes of a contract; no deployed one is longer
HEATS_MAX = 4_096  # codes whose heat is counted
PROGRAMS_MAX = 128  # compiled programs in memory; half a megabyte for a typical contract
WAITING_MAX = 64

Job = tuple[bytes, str]  # code and fork


@dataclass(frozen=True, slots=True)
class Limits:
    """`hot` is the heat at which a contract is compiled; `at_once` compiles it synchronously (tests, libraries).

    With `keep`, compiled contracts are stored on disk and loaded from there.
    """

    hot: int = HOT
    at_once: bool = False
    keep: bool = True


class Policy:
    """The policy of one fork. It uses atomic container operations only, so a thread may compile while others run."""

    def __init__(
        self, fork: str, waiting: deque[Job], limits: Limits, runs: dict[str, int] | None = None
    ) -> None:
        self.runs = {} if runs is None else runs
        self._fork = fork
        self._limits = limits
        self._waiting = waiting
        self._programs: OrderedDict[bytes, NativeProgram] = OrderedDict()
        self._heats: OrderedDict[bytes, int] = OrderedDict()
        self._renew()

    def maker(self) -> Maker:
        """`program_of` for one more message: a new object after a compilation, or when calls are to be counted."""
        if self._messages >= MESSAGES_PER_MAKER:  # a few more if threads race
            self._renew()
        self._messages += 1
        return self._maker

    def _renew(self) -> None:
        self._maker: Maker = self.program_of
        self._messages = 0

    def program_of(self, code: bytes) -> NativeProgram:
        """The program of `code`, compiled if available; counts the request."""
        program = self._programs.get(code)
        if program is None:
            self.heat(code, 1)
            program = self._programs.get(code)
        program = program or native_program_of(code)
        kind = "compiled" if type(program) is CompiledProgram else "interpreted"
        self.runs[kind] = self.runs.get(kind, 0) + 1
        return program

    def heat(self, code: bytes, amount: int) -> None:
        """Count that the code ran; hot code is compiled now or queued."""
        if not code or code in self._programs or len(code) > CODE_MAX:
            return
        heat = self._heats.get(code, 0) + amount
        if heat < self._limits.hot:
            self._heats[code] = heat
            _bound(self._heats, HEATS_MAX)
        elif self._limits.at_once:
            self.compile(code)
        elif len(self._waiting) < WAITING_MAX:
            self._heats.pop(code, None)
            self._waiting.append((code, self._fork))

    def compile(self, code: bytes) -> None:
        """Compile the code, or fall back to the interpreter's program; slow unless it is on disk."""
        program: NativeProgram
        try:
            program = compiled_program(code, self._fork, kept_in() if self._limits.keep else None)
        except Exception as error:  # whatever the compiler raises; the interpreter remains
            warnings.warn(f"a contract was not compiled ({error!r}): it is interpreted", stacklevel=2)
            program = native_program_of(code)
        self._programs[code] = program
        _bound(self._programs, PROGRAMS_MAX)
        self._renew()


class Policies:
    """A policy for each fork and one queue. `runs` counts the requested programs by kind."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self.runs: dict[str, int] = {}
        self._waiting: deque[Job] = deque()
        self._by_fork: dict[str, Policy] = {}

    def of(self, fork: str) -> Policy:
        policy = self._by_fork.get(fork)
        if policy is None:
            policy = self._by_fork.setdefault(fork, Policy(fork, self._waiting, self.limits, self.runs))
        return policy

    def next_job(self) -> Callable[[], None] | None:
        """A job that compiles the hottest contract, for a separate thread."""
        try:
            code, fork = self._waiting.popleft()
        except IndexError:
            return None
        return lambda: self.of(fork).compile(code)


def _bound(container: OrderedDict[bytes, NativeProgram] | OrderedDict[bytes, int], most: int) -> None:
    """Evict the oldest entries."""
    if len(container) > most:
        container.popitem(last=False)
