"""`coinone bench`: run the programs under bench/ of a source checkout, one after another."""

import subprocess
import sys
from pathlib import Path

from rich.console import Console

import coinone
from coinone.base.primitives.errors import InvalidInput

FOLDER = Path(coinone.__file__).resolve().parents[1] / "bench"


def run(name: str, arguments: list[str]) -> None:
    programs = available()
    if not programs:
        raise InvalidInput("no benchmarks found: they are part of a source checkout, under bench/")
    chosen = [
        path for title, path in programs.items() if not name or title == name or title.startswith(name + "/")
    ]
    if not chosen:
        raise InvalidInput(f"no benchmark '{name}'; available: {', '.join(programs)}")
    console = Console()
    failed = []
    for path in chosen:
        title = _title(path)
        console.rule(f"[bold]{title}")
        module = ".".join(("bench", *title.split("/")))
        if subprocess.run(
            [sys.executable, "-m", module, *arguments], cwd=FOLDER.parent, check=False
        ).returncode:
            failed.append(title)
    if failed:
        raise InvalidInput(f"failed: {', '.join(failed)}")


def available() -> dict[str, Path]:
    """Benchmarks by name: every bench/<part>/<name>.py that is a program; names of helpers begin with `_`."""
    found = [path for path in sorted(FOLDER.glob("*/[!_]*.py")) if "__main__" in path.read_text()]
    return {_title(path): path for path in found}


def _title(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()
