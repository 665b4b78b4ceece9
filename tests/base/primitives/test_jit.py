"""Machine code never outlives the source it came from, and an unwritable disk is survivable."""

import subprocess
import sys
from pathlib import Path

from coinone.base.primitives import jit

USE = """
from coinone.base.primitives.fixed128 import muldiv_down_jit
from coinone.base.primitives.jit import cache_folder
print(muldiv_down_jit(7, 3, 2), cache_folder("coinone.base.primitives.fixed128"))
"""


DOOR = "from coinone.base.primitives.jit import njit\n"
CALLEE = DOOR + "FEE = 3\n@njit('int64(int64)')\ndef fee(x):\n    return x * FEE\n"
CALLER = (
    DOOR
    + "from coinone.rules.callee import fee\n@njit('int64(int64)')\ndef total(x):\n    return x + fee(x)\n"
)


def run(code: str, cache: Path, path: Path | None = None) -> str:
    env = {"COINONE_CACHE_DIR": str(cache), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(path or "")}
    # Without byte code files: Python itself takes an edit of equal length within the same second for no edit.
    command = [sys.executable, "-B", "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=path).stdout


def copy_of_the_door(root: Path) -> Path:
    """A package of the same name that holds the door to numba and an empty floor of rules."""
    source = Path(jit.__file__).resolve().parents[2]
    for folder in ("coinone", "coinone/base", "coinone/base/primitives", "coinone/rules"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").touch()
    (root / "coinone/base/primitives/jit.py").write_text((source / "base/primitives/jit.py").read_text())
    return root / "coinone/rules"


def test_without_a_writable_cache_folder_everything_still_computes(tmp_path: Path) -> None:
    file_in_the_way = tmp_path / "file"
    file_in_the_way.write_text("not a folder")
    assert run(USE, file_in_the_way) == "10 None\n"


def test_an_edited_constant_in_a_callee_changes_the_result_of_its_cached_caller(tmp_path: Path) -> None:
    rules, cache = copy_of_the_door(tmp_path / "source"), tmp_path / "cache"
    (rules / "callee.py").write_text(CALLEE)
    (rules / "caller.py").write_text(CALLER)
    use = "from coinone.rules.caller import total\nprint(total(10))"
    assert run(use, cache, tmp_path / "source") == "40\n"
    assert list(cache.rglob("*.nbi")), "nothing was cached, so nothing was tested"

    (rules / "callee.py").write_text(CALLEE.replace("FEE = 3", "FEE = 5"))
    assert run(use, cache, tmp_path / "source") == "60\n"


def test_the_key_of_a_module_covers_what_it_imports_through_others_and_nothing_else(tmp_path: Path) -> None:
    rules, cache = copy_of_the_door(tmp_path / "source"), tmp_path / "cache"
    (rules / "constants.py").write_text("FEE = 3\n")
    (rules / "callee.py").write_text("from coinone.rules import constants\n")
    (rules / "caller.py").write_text("import coinone.rules.callee as callee\n")
    (rules / "stranger.py").write_text("")
    use = "from coinone.base.primitives.jit import sources\nprint(*sources('coinone.rules.caller'))"
    read = run(use, cache, tmp_path / "source").split()
    assert set(read) == {"coinone.rules"} | {
        f"coinone.rules.{name}" for name in ("caller", "callee", "constants")
    }
