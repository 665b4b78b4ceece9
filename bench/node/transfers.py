"""ERC-20 transfers per second from JSON-RPC to the committed block, on Coinone and on anvil in the same run.

The same bytes go to both, 100 in a request: transfers of one contract between random accounts, blocks every 2 s. A
round ends when every sender's nonce at `latest` is the expected one. The figures are CPU time of the whole process, all
threads and children, so both are per core. Without anvil (`_anvil.py`) only our node is shown.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench._anvil import Server, installed_anvil, running, running_anvil
from bench.node._common import print_table, tree_cpu_seconds
from bench.node._transfers import SENDERS, busy_network, sender_keys, signed_transfers
from coinone.base.crypto.secp256k1 import address_of
from coinone.interfaces.client.local import free_ports
from coinone.rules.chain.genesis import balance_slot

TRANSFERS, ROUNDS, PER_REQUEST = 5_000, 3, 100
_ROUND_S, _POLL_S = 120, 0.5
_WATCHED = 10  # senders whose nonces are polled until they are done


class Chain(Server):
    def nonces(self, keys: tuple[bytes, ...]) -> list[int]:
        asked = [("eth_getTransactionCount", ["0x" + address_of(key).hex(), "latest"]) for key in keys]
        return [int(answer, 16) for answer in self.call(asked)]

    def round(self, raws: list[bytes], nonce: int) -> tuple[float, float]:
        """(CPU seconds, wall seconds) until all of `raws` are in blocks and every sender's nonce is `nonce`."""
        keys, deadline = sender_keys(), time.monotonic() + _ROUND_S
        cpu, began = tree_cpu_seconds(self.process.pid), time.monotonic()
        for start in range(0, len(raws), PER_REQUEST):
            part = raws[start : start + PER_REQUEST]
            self.call([("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in part])
        while set(self.nonces(keys[-_WATCHED:])) != {nonce}:
            assert time.monotonic() < deadline, "transfers are left over"
            time.sleep(_POLL_S)
        while set(self.nonces(keys)) != {nonce}:
            assert time.monotonic() < deadline, "transfers are left over"
            time.sleep(_POLL_S)
        return tree_cpu_seconds(self.process.pid) - cpu, time.monotonic() - began


@contextlib.contextmanager
def ours() -> Iterator[Chain]:
    port, rpc_port = free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.node._transfer_node", folder, str(port), str(rpc_port)]
        with running(Chain(f"http://127.0.0.1:{rpc_port}", subprocess.Popen(command))) as chain:
            yield chain


@contextlib.contextmanager
def anvil(program: str) -> Iterator[Chain]:
    """With our token's code and balances, and the senders' gas."""
    network = busy_network()
    options = {"chain_id": network.chain_id, "base_fee": network.base_fee, "gas_limit": 10**9}
    with running_anvil(Chain, program, block_time=2, order="fifo", **options) as chain:
        token = "0x" + network.quote_token.address.hex()
        setup: list[tuple[str, list[Any]]] = [
            ("anvil_setCode", [token, "0x" + network.quote_token.code.hex()])
        ]
        for key in sender_keys():
            address = address_of(key)
            slot = "0x" + balance_slot(address).to_bytes(32, "big").hex()
            setup.append(("anvil_setStorageAt", [token, slot, "0x" + (10**12).to_bytes(32, "big").hex()]))
            setup.append(("anvil_setBalance", ["0x" + address.hex(), hex(10**18)]))
        chain.call(setup)
        yield chain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    program, network = installed_anvil(), busy_network()
    figures: dict[str, list[tuple[float, float]]] = {}
    with contextlib.ExitStack() as stack:
        chains = {"coinone": stack.enter_context(ours())}
        if program is not None:
            chains["anvil"] = stack.enter_context(anvil(program))
        for number in range(rounds + 1):
            raws = signed_transfers(network, number, TRANSFERS)
            for name, chain in chains.items():
                figures.setdefault(name, []).append(chain.round(raws, (number + 1) * TRANSFERS // SENDERS))
    rows = []
    for name, measured in figures.items():
        cpu, wall = (median(values) for values in zip(*measured[1:], strict=True))  # the first one warms up
        rows.append(
            (name, f"{TRANSFERS / cpu:,.0f}", f"{cpu * 1e6 / TRANSFERS:.0f}", f"{TRANSFERS / wall:,.0f}")
        )
    header = ("node", "transfers/s/core", "us of CPU each", "transfers/s here")
    print_table(f"{TRANSFERS} ERC-20 transfers a round, medians of {rounds} rounds", header, rows)


if __name__ == "__main__":
    main()
