"""Which contracts are worth compiling, and in which order: pure data, no clock, no thread.

Heat is counted for each code: one for each message to it, more for the gas that this used, and one each time it is
asked for. What is called by others is only counted then: machine code remembers it as long as it has the same `maker`.
What is hot waits in a queue, from which somebody takes it, compiles it and installs it
(`node/compiling.py`). A contract on which the compiler fails stays with the interpreter.
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
CODE_MAX = 49_152  # bytes of a contract: none that is deployed is longer
HEATS_MAX = 4_096  # codes whose heat is remembered
PROGRAMS_MAX = 128  # compiled and ready; half a megabyte for a usual contract
WAITING_MAX = 64

Job = tuple[bytes, str]  # code and fork


@dataclass(frozen=True, slots=True)
class Limits:
    """`hot` is the heat from which a contract is compiled; `at_once` does it on the spot (tests, libraries).

    With `keep`, compiled contracts are kept on disk and read from there.
    """

    hot: int = HOT
    at_once: bool = False
    keep: bool = True


class Policy:
    """Of one fork. Single steps on its containers are all it does, so one thread may compile while others run."""

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
        """`program_of` for one more message: a new object if something was compiled since, or all is to be counted."""
        if self._messages >= MESSAGES_PER_MAKER:  # more, if threads met here
            self._renew()
        self._messages += 1
        return self._maker

    def _renew(self) -> None:
        self._maker: Maker = self.program_of
        self._messages = 0

    def program_of(self, code: bytes) -> NativeProgram:
        """Compiled, if it is; this counts."""
        program = self._programs.get(code)
        if program is None:
            self.heat(code, 1)
            program = self._programs.get(code)
        program = program or native_program_of(code)
        kind = "compiled" if type(program) is CompiledProgram else "interpreted"
        self.runs[kind] = self.runs.get(kind, 0) + 1
        return program

    def heat(self, code: bytes, amount: int) -> None:
        """Remember that the code ran. What has become hot is compiled, here or soon."""
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
        """Make the program of that code, or settle for the interpreter's; takes long if it is not kept on disk."""
        program: NativeProgram
        try:
            program = compiled_program(code, self._fork, kept_in() if self._limits.keep else None)
        except Exception as error:  # whatever a compiler raises; the interpreter does as well
            warnings.warn(f"a contract was not compiled ({error!r}): it is interpreted", stacklevel=2)
            program = native_program_of(code)
        self._programs[code] = program
        _bound(self._programs, PROGRAMS_MAX)
        self._renew()


class Policies:
    """One for each fork, and one queue. `runs` counts the programs that were asked for, by what they were."""

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
        """What to run in a thread of its own, so that the hottest contract becomes compiled."""
        try:
            code, fork = self._waiting.popleft()
        except IndexError:
            return None
        return lambda: self.of(fork).compile(code)


def _bound(container: OrderedDict[bytes, NativeProgram] | OrderedDict[bytes, int], most: int) -> None:
    """Forget the oldest."""
    if len(container) > most:
        container.popitem(last=False)
