"""Ethereum's RPC test chain in a data folder, and a node process over it: `coinone ethereum init, import, node`.

Blocks before Cancun are not executed by us: their receipts and the state after them come from EELS (ethereum_past.py).
"""

import json
import re
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinone.base.primitives import rlp
from coinone.node.imported.chain_file import read_blocks
from coinone.rules.chain.imported.genesis import genesis_header, parse_alloc, sealed_alloc
from coinone.rules.state.database import MemoryDatabase
from tests.vectors.ethereum_past import checkpoint_of

CANCUN = 42  # the first block with rules that our VM knows
_ADDRESS = re.compile(r"http://localhost:(\d+)")


@dataclass(frozen=True)
class Chain:
    """Files of the archive, and the checkpoint, in a folder."""

    folder: Path
    cases: dict[str, str]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def command(self, *words: str) -> str:
        """Run `coinone ethereum`; what it prints. Raises CalledProcessError."""
        done = subprocess.run(self._words(*words), capture_output=True, text=True, timeout=300, check=True)
        return done.stdout

    def import_all(self) -> str:
        return self.command(
            "import", str(self.folder / "chain.rlp"), "--checkpoint", str(self.folder / "checkpoint.json")
        )

    @contextmanager
    def node(self) -> Iterator[str]:
        """A node process; the address of its JSON-RPC."""
        words = self._words("node", "--rpc-port", "0")
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = _ADDRESS.search(process.stdout.readline())
            assert found is not None, "the node says where it listens"
            yield f"http://127.0.0.1:{found.group(1)}"
        finally:
            process.terminate()
            assert process.wait(30) == 0

    def _words(self, command: str, *words: str) -> list[str]:
        program = [sys.executable, "-u", "-m", "coinone.interfaces.cli.main", "ethereum", command]
        return [*program, *words, "--data-dir", str(self.data_dir)]


def unpack(archive: Path, folder: Path) -> Chain:
    """The archive's files, and the checkpoint that the import needs."""
    with tarfile.open(archive) as files:
        found = {m.name.removeprefix("tests/"): files.extractfile(m).read() for m in files if m.isfile()}  # type: ignore[union-attr]
    for name in ("chain.rlp", "genesis.json"):
        (folder / name).write_bytes(found[name])
    genesis = json.loads(found["genesis.json"])
    past = list(read_blocks(folder / "chain.rlp"))[: CANCUN - 1]
    header = genesis_header(genesis, sealed_alloc(MemoryDatabase(), parse_alloc(genesis["alloc"])).root)
    checkpoint = checkpoint_of(genesis, rlp.encode([list(header.fields), [], []]), past)
    (folder / "checkpoint.json").write_text(json.dumps(checkpoint))
    return Chain(folder, {name: data.decode() for name, data in found.items() if name.endswith(".io")})


def ask(address: str, question: str) -> Any:
    """The answer to a JSON-RPC request."""
    request = urllib.request.Request(address, question.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
