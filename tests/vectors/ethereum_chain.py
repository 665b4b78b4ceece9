"""A chain of Ethereum's tests in memory: state, headers and blocks, grown by rules/chain/ethereum/blocks.py."""

from dataclasses import dataclass, field
from typing import Any

from coinone.base.primitives import rlp
from coinone.rules.chain.ethereum.blocks import BLOBS, EthereumNetwork, Fork, ImportedBlock, import_block
from coinone.rules.chain.ethereum.header import (
    EthereumBlock,
    EthereumHeader,
    decode_ethereum_block,
    decode_ethereum_header,
)
from coinone.rules.state.account import Account
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS

_AT = "AtTime15k"


def unhex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


def network_of(name: str, chain_id: int = 1) -> EthereumNetwork | None:
    """The network of a test: "Prague", or "PragueToOsakaAtTime15k"; None if its rules are not ours."""
    first, _, second = name.removesuffix(_AT).partition("To")
    names = [(0, first)] + ([(15_000, second)] if second else [])
    if any(fork not in FORKS for _, fork in names):
        return None
    return EthereumNetwork(chain_id, tuple(Fork(since, fork, BLOBS[fork]) for since, fork in names))


def write_accounts(database: MemoryDatabase, accounts: dict[str, dict[str, Any]]) -> bytes:
    """Put a test's accounts into the database; the state root."""
    state = State(database)
    for address, account in accounts.items():
        where = unhex(address)
        nonce, balance = int(account.get("nonce", "0x0"), 16), int(account["balance"], 16)
        state.set_account(where, Account(nonce, balance))
        state.set_code(where, unhex(account.get("code", "0x")))
        for slot, value in account.get("storage", {}).items():
            state.set_storage(where, int(slot, 16), int(value, 16))
    sealed = seal(database, state.freeze())
    database.write(sealed.changes)
    return sealed.root


@dataclass
class EthereumChain:
    """Blocks in a line; `database` holds the state after the last."""

    network: EthereumNetwork
    database: MemoryDatabase
    headers: list[EthereumHeader]
    imported: dict[int, ImportedBlock] = field(default_factory=dict)

    @property
    def head(self) -> EthereumHeader:
        return self.headers[-1]

    def add(self, raw: bytes) -> EthereumBlock:
        """Import a block onto the head. Raises InvalidInput, and then nothing has changed."""
        block = decode_ethereum_block(raw)
        done = import_block(
            self.database, self.network, self.head, block, lambda number: self.headers[number].hash
        )
        self.database.write(done.changes)
        self.headers.append(block.header)
        self.imported[block.header.number] = done
        return block


def genesis_chain(test: dict[str, Any], network: EthereumNetwork) -> EthereumChain:
    """The chain that a blockchain test starts from."""
    database = MemoryDatabase()
    root = write_accounts(database, test["pre"])
    header = decode_ethereum_header(
        rlp.decode_list(rlp.decode_list(rlp.decode(unhex(test["genesisRLP"])))[0])
    )
    assert header.hash == unhex(test["genesisBlockHeader"]["hash"])
    assert header.state_root == root
    return EthereumChain(network, database, [header])
