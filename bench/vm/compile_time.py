"""CPU time that the JIT takes to compile a contract, per KB of code: `python bench/vm/compile_time.py`.

First published contracts, then contracts made to be slow to compile: 24 KB of the same few instructions. Columns:
bytes, blocks compiled and left out, seconds, seconds per KB, milliseconds to load it again, KB of object code.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from coinone.rules.vm import FORKS
from coinone.rules.vm.jit.compiler import WEIGHT_MAX, load, object_of
from coinone.rules.vm.jit.module import module_of
from coinone.rules.vm.native.compiler import library

CONTRACTS = (
    "snailtracer",
    "erc20_transfer",
    "hash_10k",
    "uniswap_v2_pair",
    "seaport",
    "curve-stableswap-2pool",
)
SIZE = 24_576
REPEATED = {
    "JUMPDEST": "5b",
    "JUMPDEST, one word": "5b5f50",
    "MLOAD": "5f5150",
    "MLOAD of an unknown place": "5f355150",
    "MSTORE of an unknown place": "8051805250",
    "MUL of unknown words": "80800250",
    "MULMOD of unknown words": "8080800950",
    "SSTORE": "5f5f55",
    "KECCAK256": "5f5f2050",
    "JUMPI": "5f60005715",
    "JUMPI there": "80620000015750",
    "JUMP of an unknown place": "5f35565b",
    "CALL": "5f5f5f5f5f5f5ff1",
    "SIGNEXTEND": "80800b50",
    "SAR": "80801d50",
    "SDIV": "80800550",
    "PC": "58",
    "BLOBBASEFEE": "4a",
    "PUSH32": "7f" + "5a" * 32,
    "DUP1 until there is a jump": "80" * 200 + "5b" + "50" * 200,
}


def contracts() -> Iterator[tuple[str, bytes]]:
    for name in CONTRACTS:
        path = Path(os.environ["COINONE_DATA"], "evm-bench", "revmc", f"{name}.json")
        content = next(iter(json.loads(path.read_text()).values()))
        transaction = content["transaction"]
        target = (transaction[0] if isinstance(transaction, list) else transaction)["to"]
        yield name, bytes.fromhex(content["pre"][target]["code"].removeprefix("0x"))
    for name, text in REPEATED.items():
        piece = bytes.fromhex(text)
        yield name, b"\x5b\x5f" + piece * (SIZE // len(piece))


def main() -> None:
    opcodes = FORKS["Osaka"].opcodes
    library()
    print(f"{'':28} {'bytes':>6} {'blocks':>6} {'left':>6} {'s':>6} {'s/KB':>6} {'load ms':>7} {'KB':>6}")
    for name, code in contracts():
        text = module_of(code, opcodes, WEIGHT_MAX)
        start = time.process_time()
        content = object_of(code, "Osaka", None)
        compiled = time.process_time()
        load(code, content)
        loaded = time.process_time()
        taken = compiled - start
        print(
            f"{name:28} {len(code):>6} {text.blocks:>6} {text.left_out:>6} {taken:6.2f} "
            f"{taken / len(code) * 1024:6.3f} {(loaded - compiled) * 1000:7.1f} {len(content) >> 10:>6}",
            flush=True,
        )


if __name__ == "__main__":
    main()
