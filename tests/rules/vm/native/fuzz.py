"""Compare the engines on random contracts: `python -m tests.rules.vm.native.fuzz FIRST COUNT [KIND [ENGINES]]`.

Each seed is a world (programs.py, mutants.py): contracts that call one another, and one transaction or more. All of it
must end alike on every engine; a difference is printed with its seed, and counted, and the run continues. Kinds:
`random` (even seeds programs, odd ones trees of calls), `mutants`, `both` (six and two in turns: mutants take the
compiler twice as long). Engines, each compared with the reference: `native`; `all`, which runs the worlds once more
with every contract compiled that ran.

What is counted as a program is a code that ran and that no world of this run had run before.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from coinone.rules.vm import FORKS, Evm, ExecutionResult, Message, interpreter, verify
from coinone.rules.vm.native.program import Maker, NativeProgram, native_program_of
from tests.rules.vm.native.mutants import mutant
from tests.rules.vm.native.programs import NATIVE, Transactions, random_world
from tests.rules.vm.native.together import Job, compiled_together

REPORT_EVERY = 4_000
TOGETHER = 40  # worlds that are compiled at a time
KINDS: dict[str, tuple[Callable[[int], Transactions], ...]] = {
    "random": (random_world,), "mutants": (mutant,), "both": (random_world, random_world, random_world, mutant),
}  # fmt: skip

COMPILING = {"native": False, "all": True}


@dataclass
class Tally:
    """`compiled` are those programs that held something to compile and ran so; `seen` remembers which they were."""

    worlds: int = 0
    transactions: int = 0
    programs: int = 0
    compiled: int = 0
    differences: int = 0
    seen: set[int] = field(default_factory=set, repr=False)


def campaign(first: int, count: int, kind: str = "both", engines: str = "native") -> Tally:
    """Run the seeds."""
    tally, start = Tally(), time.process_time()
    for seed in range(first, first + count, TOGETHER):
        _run_some(range(seed, min(seed + TOGETHER, first + count)), kind, COMPILING[engines], tally)
        if tally.worlds % REPORT_EVERY == 0 or tally.worlds == count:
            rate = tally.programs / (time.process_time() - start)
            print(f"{kind} from {first}: {tally}, {rate:.0f} programs a second of CPU time", flush=True)
    return tally


def _run_some(seeds: Sequence[int], kind: str, compiling: bool, tally: Tally) -> None:
    ran: dict[Job, None] = {}

    def noted(fork: str, code: bytes) -> NativeProgram:
        ran[code, fork] = None
        return native_program_of(code)

    noting = _machine_code(lambda fork: partial(noted, fork))  # asked anew by each message
    expected = {}
    for seed in seeds:
        expected[seed] = _outcomes(_world(seed, kind), interpreter.execute)
        tally.transactions += len(expected[seed])
        _hold(seed, "native", expected[seed], _outcomes(_world(seed, kind), noting), tally)
        again = _outcomes(_world(seed, kind), NATIVE.execute)  # as nodes run it: programs are kept
        _hold(seed, "native, remembering", expected[seed], again, tally)
    tally.worlds += len(seeds)
    new = {job for job in ran if job[0] and hash(job[0]) not in tally.seen}
    tally.seen |= {hash(code) for code, _ in new}
    tally.programs += len({code for code, _ in new})
    if compiling:
        compiled = compiled_together(ran)
        tally.compiled += len({code for code, fork in new if compiled[code, fork].entries.any()})

        def known(fork: str, code: bytes) -> NativeProgram:
            return compiled.get((code, fork)) or native_program_of(code)

        execute = _machine_code({fork: partial(known, fork) for fork in FORKS}.__getitem__)
        for seed in seeds:
            _hold(seed, "compiled", expected[seed], _outcomes(_world(seed, kind), execute), tally)


def _world(seed: int, kind: str) -> Transactions:
    return KINDS[kind][seed // 2 % len(KINDS[kind])](seed)


def _machine_code(maker_of: Callable[[str], Maker]) -> verify.Execute:
    """With programs by the maker of the fork."""

    def execute(evm: Evm, message: Message) -> ExecutionResult:
        return NATIVE.execute(evm, message, maker_of(evm.rules.name))

    return execute


def _outcomes(world: Transactions, execute: verify.Execute) -> list[verify.Changes]:
    """What each transaction came to: its result, and what it changed."""
    found = []
    for evm, message in world:
        before = evm.state.snapshot()
        result = execute(evm, message)
        found.append(verify._comparable(result) | verify.changes(evm.state, before))
    return found


def _hold(
    seed: int, engine: str, expected: list[verify.Changes], found: list[verify.Changes], tally: Tally
) -> None:
    try:
        for transaction, (first, second) in enumerate(zip(expected, found, strict=True)):
            where = f"seed {seed}, {engine}, transaction {transaction}"
            verify.compare(first, second)
    except verify.EnginesDiffer as difference:
        tally.differences += 1
        print(f"{where}: {difference}", flush=True)


if __name__ == "__main__":
    first, count, *kind_and_engines = sys.argv[1:]
    done = campaign(int(first), int(count), *kind_and_engines)
    sys.exit(1 if done.differences else 0)
