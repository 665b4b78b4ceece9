"""What tests need of PyPI's programs that cannot share our environment: one of their own, or a reason to skip."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"


def environment(*packages: str) -> Path:
    """The folder of programs of an environment that holds `packages` ("name==version"), kept from run to run. Where
    no registry can be reached the test is skipped and says so; with CI=true it fails."""
    name = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("COINONE_VENV_CACHE", tempfile.gettempdir())) / f"coinone-venv-{name}"
    complete = folder / ".complete"
    if not complete.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"pip could not install {', '.join(packages)}: {done.stderr.strip()[-300:]}"
            assert os.environ.get("CI") != "true", reason
            pytest.skip(reason)
        complete.touch()
    return folder / "bin"


def told(programs: Path, folder: Path, script: str, *arguments: str, **variables: str) -> Any:
    """What a script in `SCRIPTS` says on its last line, as JSON. It runs in `folder`."""
    done = subprocess.run(
        [str(programs / "python"), str(SCRIPTS / script), *arguments], capture_output=True, text=True,
        cwd=folder, env={**without_ours(), **variables}, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}: {done.stderr[-2000:]}"
    return json.loads(done.stdout.strip().splitlines()[-1])


def without_ours() -> dict[str, str]:
    """The environment without the path to this repository, whose packages a client may not see."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
