"""geth's genesis.json: the forks of an Ethereum chain, its initial accounts, and its first header.

Only forks that Coinone's VM knows count (rules/vm/forks.py, from Cancun on); a block before them has no rules here.
Numbers may be hex or decimal text, as geth writes both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coinone.base.crypto.keccak import EMPTY_HASH
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U64_MAX, U256_MAX
from coinone.base.primitives.parse import parse_bytes
from coinone.base.primitives.types import Address
from coinone.rules.chain.ethereum.blobs import BlobSchedule
from coinone.rules.chain.imported.blocks import BLOBS, EthereumNetwork, Fork
from coinone.rules.chain.imported.header import (
    EMPTY_OMMERS,
    GAS_LIMIT_MOST,
    EthereumHeader,
    decode_ethereum_header,
)
from coinone.rules.chain.imported.requests import DEPOSIT_CONTRACT
from coinone.rules.ledger.header import EMPTY_REQUESTS, EMPTY_TRIE
from coinone.rules.state.account import Account
from coinone.rules.state.database import Database
from coinone.rules.state.seal import Sealed, seal
from coinone.rules.state.state import State

# geth's names in the config, in order; forks that change only blobs (EIP-7892) run Osaka's rules.
_FORKS = (
    ("cancun", "Cancun"), ("prague", "Prague"), ("osaka", "Osaka"),
    ("bpo1", "Osaka"), ("bpo2", "Osaka"), ("bpo3", "Osaka"), ("bpo4", "Osaka"), ("bpo5", "Osaka"),
)  # fmt: skip
_FIRST_BASE_FEE = 1_000_000_000  # EIP-1559


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    nonce: int
    balance: int
    code: bytes
    storage: Mapping[int, int]


Alloc = Mapping[Address, GenesisAccount]


def network_of_config(config: Mapping[str, Any]) -> EthereumNetwork:
    """The network from the `config` of a genesis file. Raises DecodeError."""
    forks = []
    for name, rules in _FORKS:
        if config.get(f"{name}Time") is not None:
            since = _number(config[f"{name}Time"], f"{name}Time", U64_MAX)
            forks.append(Fork(since, rules, _schedule(config, name, rules)))
    if [fork.since for fork in forks] != sorted(fork.since for fork in forks):
        raise DecodeError("config: forks are out of order")
    contract = config.get("depositContractAddress")
    return EthereumNetwork(
        _number(config.get("chainId"), "chainId"),
        tuple(forks),
        DEPOSIT_CONTRACT if contract is None else _bytes(contract, "depositContractAddress", 20),
    )


def parse_alloc(alloc: Any) -> dict[Address, GenesisAccount]:
    """Decode accounts by address from a genesis file. Raises DecodeError."""
    if not isinstance(alloc, dict):
        raise DecodeError("alloc: an object of accounts is expected")
    return {_bytes(address, "address", 20): _account(row) for address, row in alloc.items()}


def sealed_alloc(database: Database, alloc: Alloc) -> Sealed:
    """The accounts as rows, and their state root. `database` must hold no state."""
    state = State(database)
    for address, account in alloc.items():
        state.set_account(address, Account(account.nonce, account.balance, EMPTY_HASH))
        state.set_code(address, account.code)
        for slot, value in account.storage.items():
            state.set_storage(address, slot, value)
    return seal(database, state.freeze())


def genesis_header(genesis: Mapping[str, Any], state_root: bytes) -> EthereumHeader:
    """The header of block 0, with the fields of the forks in force then. Raises DecodeError."""
    config = genesis["config"]
    time = _number(genesis.get("timestamp", 0), "timestamp", U64_MAX)
    fields: list[rlp.Encodable] = [
        _bytes(genesis.get("parentHash", "00" * 32), "parentHash", 32), EMPTY_OMMERS,
        _bytes(genesis.get("coinbase", "00" * 20), "coinbase", 20), state_root, EMPTY_TRIE, EMPTY_TRIE, bytes(256),
        _number(genesis.get("difficulty", 0), "difficulty"), 0,
        _number(genesis.get("gasLimit"), "gasLimit", GAS_LIMIT_MOST),
        _number(genesis.get("gasUsed", 0), "gasUsed", U64_MAX), time,
        _bytes(genesis.get("extraData", ""), "extraData"),
        _bytes(genesis.get("mixHash", "00" * 32), "mixHash", 32),
        _number(genesis.get("nonce", 0), "nonce", U64_MAX).to_bytes(8, "big"),
    ]  # fmt: skip
    if config.get("londonBlock") is not None and _number(config["londonBlock"], "londonBlock") == 0:
        given = genesis.get("baseFeePerGas")
        fields.append(_FIRST_BASE_FEE if given is None else _number(given, "baseFeePerGas"))
    if _is_active(config, "shanghai", time):
        fields.append(EMPTY_TRIE)
    if _is_active(config, "cancun", time):
        blobs = [_number(genesis.get(name) or 0, name, U64_MAX) for name in ("blobGasUsed", "excessBlobGas")]
        fields += [
            *blobs,
            _bytes(genesis.get("parentBeaconBlockRoot", "00" * 32), "parentBeaconBlockRoot", 32),
        ]
    if _is_active(config, "prague", time):
        fields.append(EMPTY_REQUESTS)
    return decode_ethereum_header(rlp.decode_list(rlp.decode(rlp.encode(fields))))


def _is_active(config: Mapping[str, Any], fork: str, time: int) -> bool:
    since = config.get(f"{fork}Time")
    return since is not None and _number(since, f"{fork}Time") <= time


def _schedule(config: Mapping[str, Any], name: str, rules: str) -> BlobSchedule:
    values = config.get("blobSchedule", {}).get(name)
    if values is None:
        if name.startswith("bpo"):
            raise DecodeError("config: a fork of blobs without its schedule", fork=name)
        return BLOBS[rules]
    target, most, fraction = (
        _number(values.get(field), field, U64_MAX) for field in ("target", "max", "baseFeeUpdateFraction")
    )
    return BlobSchedule(target, most, fraction, reserve=BLOBS[rules].reserve)


def _account(row: Any) -> GenesisAccount:
    if not isinstance(row, dict):
        raise DecodeError("alloc: an account is an object")
    return GenesisAccount(
        _number(row.get("nonce", 0), "nonce", U64_MAX),
        _number(row.get("balance", 0), "balance"),
        _bytes(row.get("code", ""), "code"),
        {
            _number(slot, "storage slot"): _number(value, "storage value")
            for slot, value in row.get("storage", {}).items()
        },
    )


def _number(value: Any, field: str, most: int = U256_MAX) -> int:
    """Decode a JSON number, or text: hex after 0x, decimal otherwise."""
    try:
        number = value if isinstance(value, int) else int(value, 16 if value[:2] == "0x" else 10)
    except (TypeError, ValueError):
        raise DecodeError("genesis: a number is expected", field=field) from None
    if isinstance(value, bool) or not 0 <= number <= most:
        raise DecodeError("genesis: number out of range", field=field)
    return number


def _bytes(text: Any, field: str, size: int | None = None) -> bytes:
    """Decode hex, with or without 0x."""
    if not isinstance(text, str):
        raise DecodeError("genesis: hex is expected", field=field)
    try:
        return parse_bytes(text if text[:2] == "0x" else "0x" + text, size)
    except DecodeError as error:
        raise DecodeError(f"genesis: {error}", field=field) from None
