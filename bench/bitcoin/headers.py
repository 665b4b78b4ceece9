"""Bitcoin headers and merged-mining proofs a second: `python -m bench.bitcoin.headers`.

A branch of regtest headers, from bytes to a checked tip, beside python-bitcoinlib where that is installed, which checks
work and time of each header and no rule of a chain. Medians of the thread's own time, in turns. The rules cost the same
on every network; regtest's headers are cheap to make.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.header import BitcoinHeader, decode_header
from coinone.rules.bitcoin.header_chain import extend, genesis_tip
from coinone.rules.bitcoin.merged_mining import COINONE, check_merged_mining, prove
from coinone.rules.bitcoin.merkle import fold
from coinone.rules.bitcoin.networks import REGTEST
from coinone.rules.bitcoin.target import as_number, target_of

HEADERS, PROOFS, ROUNDS = 5_000, 500, 7
FIRST_TIME = 1_600_000_000
BRANCH = tuple(bytes((n,)) * 32 for n in range(12))  # a block of 2,049 to 4,096 transactions


def mined(parent: bytes, at: int, root: bytes = bytes(32)) -> BitcoinHeader:
    header = BitcoinHeader(0x20000000, parent, root, at, REGTEST.genesis.bits, 0)
    while as_number(header.hash) > target_of(header.bits):
        header = header._replace(nonce=header.nonce + 1)
    return header


def branch_of_headers() -> list[bytes]:
    parent, found = REGTEST.genesis.hash, []
    for number in range(HEADERS):
        header = mined(parent, FIRST_TIME + 600 * number)
        parent = header.hash
        found.append(header.encode())
    return found


def ours(headers: list[bytes]) -> None:
    tip = genesis_tip(REGTEST)
    for raw in headers:
        tip = extend(tip, decode_header(raw), REGTEST)
    assert tip.height == HEADERS


def bitcoinlib(headers: list[bytes]) -> None:
    import bitcoin
    from bitcoin.core import CBlockHeader, CheckBlockHeader

    bitcoin.SelectParams("regtest")
    for raw in headers:
        CheckBlockHeader(CBlockHeader.deserialize(raw))


def proofs() -> None:
    value = bytes(COINONE.value_bytes)
    coinbase = bytes(200) + COINONE.tag + value + bytes(103)
    header = mined(bytes(32), FIRST_TIME, fold(hash256(coinbase), 0, BRANCH)).encode()
    proof = prove(coinbase, BRANCH, COINONE)
    for _ in range(PROOFS):
        check_merged_mining(header, proof, value, 1, FIRST_TIME, COINONE)


def seconds(run: Callable[[], None]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


def main() -> None:
    headers = branch_of_headers()
    ways: dict[str, tuple[int, Callable[[], None]]] = {
        "headers": (HEADERS, lambda: ours(headers)),
        "merged-mining proofs": (PROOFS, proofs),
    }
    if find_spec("bitcoin"):
        ways["headers, python-bitcoinlib"] = HEADERS, lambda: bitcoinlib(headers)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (count, run) in ways.items():
            taken[name].append(seconds(run) / count)
    first = median(taken["headers"])
    for name, times in taken.items():
        print(
            f"{name:30}{1 / median(times):12,.0f}/s{1e6 * median(times):10.1f} us{first / median(times):8.2f}x"
        )


if __name__ == "__main__":
    main()
