"""Generate LLVM's intermediate language as text.

Text rather than llvmlite's object builder: it reads like its result, and building it takes a twentieth of the compile
time. Each helper appends a line and returns the name of the value that the line defines.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

UNLIKELY = ", !prof !0"  # the first successor is not expected
METADATA = '!0 = !{!"branch_weights", i32 1, i32 4000}\n'


class Emitter:
    """One function body. Variables live in `alloca`s, which the optimiser turns into registers."""

    def __init__(self) -> None:
        self._allocas: list[str] = []
        self._lines: list[str] = []
        self._count = 0

    @property
    def body(self) -> str:
        return "\n".join(["entry:", *self._allocas, *self._lines]) + "\n"

    def line(self, text: str) -> None:
        self._lines.append("  " + text)

    def fresh(self, hint: str) -> str:
        """A name that is not in use."""
        self._count += 1
        return f"{hint}.{self._count}"

    def value(self, text: str) -> str:
        name = f"%{self.fresh('v')}"
        self.line(f"{name} = {text}")
        return name

    def label(self, name: str) -> None:
        self._lines.append(f"{name}:")

    # Control

    @contextmanager
    def when(self, condition: str, unlikely: bool = False) -> Iterator[None]:
        """A block that runs if `condition` (i1) holds; it may end itself with `finish`."""
        inside, after = self.fresh("then"), self.fresh("after")
        hint = UNLIKELY if unlikely else ""
        self.line(f"br i1 {condition}, label %{inside}, label %{after}{hint}")
        self.label(inside)
        yield
        self.line(f"br label %{after}")
        self.label(after)

    @contextmanager
    def when_final(self, condition: str) -> Iterator[None]:
        """An unlikely block that ends with its own return."""
        inside, after = self.fresh("exit"), self.fresh("after")
        self.line(f"br i1 {condition}, label %{inside}, label %{after}{UNLIKELY}")
        self.label(inside)
        yield
        self.label(after)

    @contextmanager
    def loop(self, condition: Callable[[], str]) -> Iterator[None]:
        """Repeat while `condition()` (i1, evaluated before each turn) holds."""
        head, inside, after = self.fresh("head"), self.fresh("turn"), self.fresh("after")
        self.line(f"br label %{head}")
        self.label(head)
        self.line(f"br i1 {condition()}, label %{inside}, label %{after}")
        self.label(inside)
        yield
        self.line(f"br label %{head}")
        self.label(after)

    # Variables and memory

    def variable(self, kind: str, initial: str | None = None) -> str:
        name = f"%{self.fresh('variable')}"
        self._allocas.append(f"  {name} = alloca {kind}, align 32")
        if initial is not None:
            self.store(kind, initial, name)
        return name

    def load(self, kind: str, pointer: str, align: int = 8) -> str:
        return self.value(f"load {kind}, ptr {pointer}, align {align}")

    def store(self, kind: str, value: str, pointer: str, align: int = 8) -> None:
        self.line(f"store {kind} {value}, ptr {pointer}, align {align}")

    def at(self, pointer: str, offset: str | int) -> str:
        """The address `offset` bytes after `pointer`."""
        return self.value(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def limb(self, pointer: str, index: str | int) -> str:
        """The address of the 64-bit limb at `index`."""
        return self.value(f"getelementptr i64, ptr {pointer}, i64 {index}")

    # Arithmetic on 64 bits unless a type is given

    def op(self, name: str, x: str | int, y: str | int, kind: str = "i64") -> str:
        return self.value(f"{name} {kind} {x}, {y}")

    def compare(self, how: str, x: str | int, y: str | int, kind: str = "i64") -> str:
        return self.value(f"icmp {how} {kind} {x}, {y}")

    def select(self, condition: str, kind: str, x: str | int, y: str | int) -> str:
        return self.value(f"select i1 {condition}, {kind} {x}, {kind} {y}")

    def widen(self, x: str, kind: str, to: str) -> str:
        return self.value(f"zext {kind} {x} to {to}")

    def narrow(self, x: str, kind: str, to: str) -> str:
        return self.value(f"trunc {kind} {x} to {to}")

    def call(self, result: str, function: str, *arguments: str) -> str:
        return self.value(f"call {result} @{function}({', '.join(arguments)})")

    def byte_swap(self, x: str, kind: str = "i256") -> str:
        return self.call(kind, f"llvm.bswap.{kind}", f"{kind} {x}")

    def multiply(self, x: str, y: str) -> tuple[str, str]:
        """The 128-bit product of two limbs, as (high, low)."""
        wide = self.op("mul", self.widen(x, "i64", "i128"), self.widen(y, "i64", "i128"), "i128")
        return self.narrow(self.op("lshr", wide, 64, "i128"), "i128", "i64"), self.narrow(wide, "i128", "i64")
