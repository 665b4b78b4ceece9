"""The one door to numba.

Numba's own cache misses an edit in a callee or a constant, and fails where no folder is writable. So
the cache folder is named by a hash of everything that can change the machine code (source of `base`
and `rules`, numba, llvmlite, numpy, Python, CPU): another program never meets this one's code, and a
stale entry cannot be chosen. Every jitted function states its signature, so compiling happens at
import or `warm()`, never under a running market.
"""

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

_PACKAGE = Path(__file__).resolve().parents[2]
_Function = TypeVar("_Function", bound=Callable[..., Any])
_warm: list[Callable[[], None]] = []


def njit(*signature: Any, **options: Any) -> Callable[[_Function], _Function]:
    """Compile in nopython mode; use as `@njit("int64(int64, int64)")` or `@njit(sig, inline="always")`.

    The GIL is kept (architecture D4): a reader beside a running kernel would copy torn rows.
    """
    numba = _numba()
    options.setdefault("cache", cache_folder() is not None)
    options.setdefault("boundscheck", False)
    return numba.njit(*signature, **options)  # type: ignore[no-any-return]


def on_warm(action: Callable[[], None]) -> Callable[[], None]:
    """Register what `warm()` must run to have everything of a module compiled."""
    _warm.append(action)
    return action


def warm() -> int:
    """Compile (or load) everything registered; return how many registrations ran."""
    for action in _warm:
        action()
    return len(_warm)


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Where compiled code lies for exactly this program on this machine; None if nothing is writable."""
    for root in _roots():
        folder = root / "coinone" / "jit" / fingerprint()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Hash of all that determines the machine code: sources, compiler versions, interpreter, CPU."""
    import llvmlite
    import numba
    import numpy
    from llvmlite import binding

    digest = hashlib.sha256()
    for floor in ("base", "rules"):
        for path in sorted((_PACKAGE / floor).rglob("*.py")):
            digest.update(str(path.relative_to(_PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, numpy.__version__, sys.version, platform.machine())
    host = (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    digest.update(repr((versions, host)).encode())
    return digest.hexdigest()[:24]


def _roots() -> list[Path]:
    chosen = os.environ.get("COINONE_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    home = os.environ.get("XDG_CACHE_HOME")
    return [Path(home) if home else Path.home() / ".cache"]


@lru_cache(maxsize=1)
def _numba() -> Any:
    import numba

    folder = cache_folder()
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return numba
