"""The only importer of numba and llvmlite, together with `jit_tables.py`.

Numba's own cache misses an edit in a callee or a constant, and fails where no folder is writable. So
the cache folder of a module is named by a hash of everything that can change its machine code: its
source and that of all it imports from this package, directly or not; numba, llvmlite, numpy, Python,
CPU. Another program never loads this one's code, and a stale entry cannot be chosen. Every jitted
function states its signature, so compiling happens at import or `warm()`, never under a running market.
"""

import ast
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

_PACKAGE = Path(__file__).resolve().parents[2]
_Function = TypeVar("_Function", bound=Callable[..., Any])
_warm: list[Callable[[], None]] = []

if TYPE_CHECKING:
    from numba import from_dtype as from_dtype
    from numba import types as types
else:

    def __getattr__(name: str) -> Any:
        """numba's `types` and `from_dtype`, loaded by the first module that states a signature."""
        if name not in ("from_dtype", "types"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import numba

        return getattr(numba, name)


def njit(*signature: Any, **options: Any) -> Callable[[_Function], _Function]:
    """Compile in nopython mode; use as `@njit("int64(int64, int64)")` or `@njit(sig, inline="always")`.

    The GIL is kept (D4): a reader beside a running kernel would copy torn rows.
    """
    options.setdefault("boundscheck", False)

    def compiled(function: _Function) -> _Function:
        import numba

        folder = cache_folder(function.__module__)
        if folder is not None:  # read by numba now, when it chooses the place of this function's cache
            numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
        cached = {"cache": folder is not None} | options
        return numba.njit(*signature, **cached)(function)  # type: ignore[no-any-return]

    return compiled


@lru_cache(maxsize=1)
def llvm() -> Any:
    """llvmlite's binding, ready to make machine code for this machine."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def on_warm(action: Callable[[], None]) -> Callable[[], None]:
    """Register what `warm()` must run to have everything of a module compiled."""
    _warm.append(action)
    return action


def warm() -> int:
    """Compile (or load) everything registered; return how many registrations ran."""
    for action in _warm:
        action()
    return len(_warm)


@cache
def cache_folder(module: str) -> Path | None:
    """Where the compiled code of `module`, exactly as it reads now, lies; None if nothing is writable."""
    for root in _roots():
        folder = root / "coinone" / "jit" / fingerprint(module)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


@cache
def fingerprint(module: str) -> str:
    """Hash of all that determines the machine code: sources, compiler versions, interpreter, CPU."""
    digest = hashlib.sha256(repr(_machine()).encode())
    for name in sources(module):
        digest.update(name.encode() + b"\0" + _file(name).read_bytes() + b"\0")
    return digest.hexdigest()[:24]


def sources(module: str) -> list[str]:
    """The module and all modules of this package that it imports, directly or not, in order of name."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and _file(name).is_file():
            found.add(name)
            waiting += _imports(name)
    return sorted(found)


@cache
def _imports(module: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(_file(module).read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute, or the cache would miss their edits"
            origin = str(node.module)
            names += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.partition(".")[0] == _PACKAGE.name)


def _file(module: str) -> Path:
    path = _PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@lru_cache(maxsize=1)
def _machine() -> tuple[str, ...]:
    import llvmlite
    import numba
    import numpy
    from llvmlite import binding

    versions = (numba.__version__, llvmlite.__version__, numpy.__version__, sys.version, platform.machine())
    return (*versions, binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())


def _roots() -> list[Path]:
    chosen = os.environ.get("COINONE_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    home = os.environ.get("XDG_CACHE_HOME")
    return [Path(home) if home else Path.home() / ".cache"]
