"""What more optimisation and resolved jumps would gain the JIT: `coinone bench vm/jit_choices [fixture ...]`.

The first table compiles each fixture with the code generator's levels, and with the compiler's passes (its usual second
level) before the third: CPU seconds to compile, milliseconds to run, medians of interleaved rounds. The second counts
the jumps taken: a jump is resolved when the instruction before it pushes its destination, and then leads directly to
its block; the others look their block up. The third times a loop whose body jumps away and back, with both jumps
resolved and with the jump back looked up.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from bench.vm.vs_pyrevm import CALLER, CONTRACT, Fixture, fixtures, on, ours
from coinone.rules.vm import FORKS
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.jit import compiler
from coinone.rules.vm.jit.analysis import instructions
from coinone.rules.vm.jit.execution import Jit
from coinone.rules.vm.jit.policy import Limits
from coinone.rules.vm.native import compiler as native

DEFAULT = ["erc20_transfer", "snailtracer", "burntpix"]
LEVELS = {"0": (0, 0), "1": (1, 0), "2": (2, 0), "3": (3, 0), "3 after passes": (3, 2)}  # and of the passes
ROUNDS, TURNS = 15, 200_000
AT_ONCE = Limits(hot=1, at_once=True, keep=False)
JUMP, JUMPI = 0x56, 0x57


class Compiler:
    """In the place of `compile_object`; adds up what it takes."""

    def __init__(self, level: str) -> None:
        self.level = level
        self.seconds = 0.0

    def compile_object(self, text: str) -> bytes:
        start = time.thread_time()
        level, passes = LEVELS[self.level]
        code = native.compile_object(text, native.target_machine(level), passes)
        self.seconds += time.thread_time() - start
        return code


def levels(fixture: Fixture) -> None:
    calls, plain = {}, compiler.compile_object
    for level in LEVELS:
        made, call = Compiler(level), partial(ours(fixture), Jit(AT_ONCE))
        compiler.compile_object = made.compile_object
        call()
        calls[level] = call, made.seconds
    compiler.compile_object = plain
    times: dict[str, list[float]] = {level: [] for level in LEVELS}
    for _ in range(ROUNDS):
        for level, (call, _) in calls.items():
            times[level].append(call()[0])
    for level, (_, seconds) in calls.items():
        print(
            f"{fixture.name:20} level {level:16}{seconds:8.2f} s {statistics.median(times[level]) * 1000:9.2f} ms"
        )


def jumps(fixture: Fixture) -> None:
    """By the reference, whose table of instructions is replaced for a moment."""
    rules, taken = FORKS["Cancun"], Counter[str]()
    rows = list(rules.dispatch)

    def counted(jump: Callable[[Frame, list[int]], None], frame: Frame, stack: list[int]) -> None:
        place, code = frame.pc, frame.message.code
        jump(frame, stack)
        if frame.pc != place:
            taken["resolved" if place in _behind_pushes(code) else "looked up"] += 1

    for byte in (JUMP, JUMPI):
        rows[byte] = rows[byte]._replace(operation=partial(counted, rows[byte].operation))
    FORKS["Cancun"] = replace(rules, dispatch=tuple(rows))
    on("reference", ours(fixture))()
    FORKS["Cancun"] = rules
    print(f"{fixture.name:20} jumps taken: {dict(taken)}")


@lru_cache
def _behind_pushes(code: bytes) -> frozenset[int]:
    return frozenset(
        [each.next for each in instructions(code, [None] * 256) if each.next > each.position + 1]
    )


def loop(away: bytes, back: bytes) -> Fixture:
    """A counter; `away`; then count down and begin again; behind the end, `back`."""
    code = b"\x62" + TURNS.to_bytes(3, "big") + b"\x5b" + away + bytes.fromhex("600190038060045700") + back
    return Fixture("", {CONTRACT: (1, 0, code, {})}, CALLER, CONTRACT, b"")


def turns() -> None:
    goes = {  # PUSH2 away JUMP JUMPDEST ... JUMPDEST PUSH2 9 JUMP; the same with the way back pushed before
        "no jumps": loop(b"", b""),
        "both resolved": loop(b"\x61\x00\x13\x56\x5b", b"\x5b\x61\x00\x09\x56"),
        "one looked up": loop(b"\x61\x00\x0c\x61\x00\x16\x56\x5b", b"\x5b\x56"),
    }
    calls = {name: partial(ours(fixture), Jit(AT_ONCE)) for name, fixture in goes.items()}
    for name, call in calls.items():
        assert call()[2] < 100 * TURNS, f"{name}: it failed, and all gas is gone"
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(2 * ROUNDS):
        for name, call in calls.items():
            times[name].append(call()[0])
    for name, column in times.items():
        print(f"a turn with {name:16}{statistics.median(column) / TURNS * 1e9:6.2f} ns")


def main() -> None:
    chosen = [fixture for fixture in fixtures(sys.argv[1:] or DEFAULT) if not fixture.name.startswith("loop")]
    for show in (levels, jumps):
        for fixture in chosen:
            show(fixture)
    turns()


if __name__ == "__main__":
    main()
