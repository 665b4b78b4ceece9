"""The rules and kept data of a chain: eth_config (EIP-7910), eth_capabilities, rpc_modules."""

import zlib
from typing import Any

import msgspec

from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blocks import hex_bytes
from coinone.interfaces.api.ethereum.json.params import BlockId
from coinone.node.imported.archive import CONFIG_KEY
from coinone.node.imported.node import ImportedNetwork
from coinone.node.storage.past import oldest_state
from coinone.rules.chain.imported.blocks import BEACON_ROOTS, BLOCK_HASHES, Fork
from coinone.rules.chain.imported.requests import CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS
from coinone.rules.state.database import Table
from coinone.rules.vm import FORKS

Json = dict[str, Any]

# Names of EIP-7910, by address.
_PRECOMPILES = {
    0x01: "ECREC", 0x02: "SHA256", 0x03: "RIPEMD160", 0x04: "ID", 0x05: "MODEXP", 0x06: "BN254_ADD",
    0x07: "BN254_MUL", 0x08: "BN254_PAIRING", 0x09: "BLAKE2F", 0x0A: "KZG_POINT_EVALUATION", 0x0B: "BLS12_G1ADD",
    0x0C: "BLS12_G1MSM", 0x0D: "BLS12_G2ADD", 0x0E: "BLS12_G2MSM", 0x0F: "BLS12_PAIRING_CHECK",
    0x10: "BLS12_MAP_FP_TO_G1", 0x11: "BLS12_MAP_FP2_TO_G2", 0x0100: "P256VERIFY",
}  # fmt: skip


async def config(context: Context) -> Json:
    """The rules in force and, on an imported chain, the next and last ones that its genesis file schedules."""
    network = context.backend.node.network
    if not isinstance(network, ImportedNetwork):
        return {"current": _ours(context, network.fork), "next": None, "last": None}
    now = context.backend.reads.head().timestamp
    forks = network.rules.forks
    later = [fork for fork in forks if fork.since > now]
    return {
        "current": _imported(context, network, network.rules.fork_at(now)),
        "next": _imported(context, network, later[0]) if later else None,
        "last": _imported(context, network, forks[-1]) if later else None,
    }


def _ours(context: Context, fork: str) -> Json:
    genesis = context.backend.reads.header(BlockId(number=0))
    assert genesis is not None, "every chain has a genesis block"
    return {
        "activationTime": 0,
        "blobSchedule": None,  # there are no blobs
        "chainId": hex(context.backend.node.network.chain_id),
        "forkId": f"0x{zlib.crc32(genesis.hash):08x}",
        "precompiles": _precompiles(fork),
        "systemContracts": {"HISTORY_STORAGE_ADDRESS": hex_bytes(BLOCK_HASHES)},
    }


def _imported(context: Context, network: ImportedNetwork, fork: Fork) -> Json:
    contracts = {"BEACON_ROOTS_ADDRESS": BEACON_ROOTS}
    if fork.name != "Cancun":
        contracts |= {
            "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS": CONSOLIDATION_REQUESTS,
            "DEPOSIT_CONTRACT_ADDRESS": network.rules.deposit_contract,
            "HISTORY_STORAGE_ADDRESS": BLOCK_HASHES,
            "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS": WITHDRAWAL_REQUESTS,
        }
    blobs = fork.blobs
    return {
        "activationTime": fork.since,
        "blobSchedule": {
            "baseFeeUpdateFraction": blobs.update_fraction, "max": blobs.most, "target": blobs.target
        },
        "chainId": hex(network.chain_id),
        "forkId": f"0x{_fork_id(context, fork.since):08x}",
        "precompiles": _precompiles(fork.name),
        "systemContracts": {name: hex_bytes(address) for name, address in contracts.items()},
    }  # fmt: skip


def _precompiles(fork: str) -> dict[str, str]:
    return {
        _PRECOMPILES[int.from_bytes(address, "big")]: hex_bytes(address)
        for address in FORKS[fork].precompiles
    }


def _fork_id(context: Context, since: int) -> int:
    """EIP-2124: a checksum of the genesis hash and of every block and time up to `since` at which rules changed."""
    genesis = context.backend.reads.header(BlockId(number=0))
    assert genesis is not None, "every chain has a genesis block"
    with context.backend.reads.snapshot() as snapshot:
        row = snapshot.get(Table.META, CONFIG_KEY)
    assert row is not None, "an imported chain has its configuration"
    given = msgspec.json.decode(row)
    blocks = {value for name, value in given.items() if name.endswith("Block") and isinstance(value, int)}
    times = {value for name, value in given.items() if name.endswith("Time") and isinstance(value, int)}
    checksum = zlib.crc32(genesis.hash)
    passed = sorted(blocks) + sorted(time for time in times if genesis.timestamp < time <= since)
    for each in passed:
        checksum = zlib.crc32(each.to_bytes(8, "big"), checksum) if each else checksum
    return checksum


async def capabilities(context: Context) -> Json:
    """The available blocks: all of them, but states only as far back as undo records reach."""
    head = context.backend.reads.head()
    with context.backend.reads.snapshot() as snapshot:
        oldest = oldest_state(snapshot)
    everything = {"disabled": False, "oldestBlock": "0x0"}
    states = {"disabled": False, "oldestBlock": hex(oldest)}
    return {
        "head": {"number": hex(head.number), "hash": hex_bytes(head.hash)},
        "state": states,
        **dict.fromkeys(("tx", "logs", "receipts", "blocks"), everything),
        "stateproofs": states,
    }


async def modules(context: Context) -> dict[str, str]:
    """The namespaces of the served methods."""
    return dict.fromkeys(context.backend.modules, "1.0")
