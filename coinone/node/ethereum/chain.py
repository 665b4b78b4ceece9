"""An Ethereum chain in a data folder: made from a genesis file, grown by importing blocks.

Blocks, receipts and state lie where those of an exchange node do, a block being one atomic write with its undo
record; so a crash leaves the chain at a block, and importing the same file again goes on from there.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidBlock, InvalidInput
from coinone.base.primitives.limits import MAP_MIB
from coinone.node.ethereum.archive import CONFIG_KEY, EthereumArchive, commit_of
from coinone.node.ethereum.chain_file import Checkpoint
from coinone.node.storage.storage import Storage, open_storage
from coinone.node.storage.tables import NodeTable, u64
from coinone.rules.chain.ethereum.blocks import EthereumNetwork, import_block
from coinone.rules.chain.ethereum.genesis import genesis_header, network_of_config, parse_alloc, sealed_alloc
from coinone.rules.chain.ethereum.header import EthereumBlock, EthereumHeader, decode_ethereum_block
from coinone.rules.chain.ethereum.past import check_past_block
from coinone.rules.state.database import Changes, MemoryDatabase, Table
from coinone.rules.state.seal import Sealed

IDENTITY = b"ethereum"  # keeps a node of the exchange out of the folder, and us out of its
MAP_SIZE_BYTES = MAP_MIB << 20
_STATE_KEY = b"ethereum-state"  # number of the block whose state the tables hold
_STATE_TABLES = (Table.ACCOUNT, Table.STORAGE, Table.CODE, Table.TRIE)


class EthereumChain:
    """Blocks in a line. One thread."""

    def __init__(self, storage: Storage) -> None:
        """Raises InvalidInput if nothing was put into the folder yet."""
        config = storage.store.get(Table.META, CONFIG_KEY)
        if config is None:
            raise InvalidInput("no Ethereum chain in this folder: `coinone ethereum init GENESIS` begins one")
        self.storage = storage
        self.network: EthereumNetwork = network_of_config(msgspec.json.decode(config))
        self.archive = EthereumArchive(storage.blocks)
        self.head = self._stored_head()

    @property
    def has_state(self) -> bool:
        """Whether the state is the head's. It is not while blocks from before Cancun wait for their checkpoint."""
        number = self.storage.store.get(Table.META, _STATE_KEY)
        return number is not None and int.from_bytes(number, "big") == self.head.number

    def knows_rules_of(self, header: EthereumHeader) -> bool:
        forks = self.network.forks
        return bool(forks) and forks[0].since <= header.timestamp

    def add(self, raw: bytes, checkpoint: Checkpoint | None = None) -> bool:
        """Import the next block; False if it is there already. Raises InvalidInput, and then nothing has changed.

        The checkpoint is needed for blocks from before Cancun, and for the first one that follows them.
        """
        block = decode_ethereum_block(raw)
        header = block.header
        if header.number <= self.head.number:
            if self.archive.number_of(header.hash) != header.number:
                raise InvalidBlock("another block than the one imported before", number=header.number)
            return False
        if self.knows_rules_of(header):
            self._execute(raw, block, checkpoint)
        else:
            self._add_past(raw, block, checkpoint)
        self.head = header
        return True

    def close(self) -> None:
        self.storage.close()

    def load_state(self, checkpoint: Checkpoint) -> None:
        """Take the head's state from the checkpoint. Raises InvalidInput if it is not the head's."""
        sealed = sealed_alloc(MemoryDatabase(), checkpoint.alloc)
        if sealed.root != self.head.state_root:
            raise InvalidInput(
                "the checkpoint is not the state after this block",
                number=self.head.number, want=self.head.state_root, have=sealed.root,
            )  # fmt: skip
        changes: Changes = {
            table: {key: None for key, _ in self.storage.store.scan(table)} for table in _STATE_TABLES
        }
        for table, rows in sealed.changes.items():
            changes[table].update(rows)
        # The records of what was before lead from here to nowhere.
        changes[NodeTable.UNDO] = {u64(number): None for number in range(self.head.number + 1)}
        changes[Table.META] = _state_row(self.head.number)
        self.storage.store.write(changes)

    def _execute(self, raw: bytes, block: EthereumBlock, checkpoint: Checkpoint | None) -> None:
        if not self.has_state:
            if checkpoint is None:
                raise InvalidInput(
                    "blocks from before Cancun are not executed here: the state after them must come with --checkpoint",
                    number=self.head.number,
                )
            self.load_state(checkpoint)
        done = import_block(self.storage.store, self.network, self.head, block, self.archive.block_hash)
        changes: dict[Enum, Any] = {**done.changes, Table.META: _state_row(block.header.number)}
        records = tuple(row.record for row in done.placed.rows)
        self.storage.commit_block(commit_of(raw, block.header, records, changes))

    def _add_past(self, raw: bytes, block: EthereumBlock, checkpoint: Checkpoint | None) -> None:
        number = block.header.number
        if checkpoint is None or number not in checkpoint.receipts:
            raise InvalidInput(
                "blocks from before Cancun are not executed here: their receipts must come with --checkpoint",
                number=number,
            )
        records = check_past_block(block, self.head, checkpoint.receipts[number])
        self.storage.commit_block(commit_of(raw, block.header, records, {}))

    def _stored_head(self) -> EthereumHeader:
        head = self.storage.blocks.head()
        assert head is not None, "the configuration is written with the first block"
        header = self.archive.header(head.number)
        assert header is not None, "the head block is stored"
        return header


def init_chain(folder: Path, genesis: Mapping[str, Any]) -> EthereumChain:
    """The chain of a genesis file, made if the folder holds none yet.

    Raises InvalidInput for a folder with another one, StorageError for a foreign or damaged folder.
    """
    config = genesis.get("config")
    if not isinstance(config, dict):
        raise InvalidInput("genesis: no config")
    network_of_config(config)
    sealed = sealed_alloc(MemoryDatabase(), parse_alloc(genesis.get("alloc", {})))
    header = genesis_header(genesis, sealed.root)
    storage = open_storage(folder, IDENTITY, MAP_SIZE_BYTES)
    try:
        if storage.blocks.head() is None:
            return begin_chain(storage, config, header, sealed)
        if storage.blocks.number_of(header.hash) != 0:
            raise InvalidInput(f"{folder} holds another chain: --data-dir names another folder")
        return EthereumChain(storage)
    except BaseException:
        storage.close()
        raise


def begin_chain(
    storage: Storage, config: Mapping[str, Any], header: EthereumHeader, sealed: Sealed
) -> EthereumChain:
    """Commit block 0, which has no transactions, to a storage that is empty."""
    body: list[rlp.Encodable] = [list(header.fields), [], []]
    raw = rlp.encode(body if header.withdrawals_root is None else [*body, []])
    meta = {CONFIG_KEY: msgspec.json.encode(config), **_state_row(0)}
    storage.commit_block(commit_of(raw, header, (), {**sealed.changes, Table.META: meta}))
    return EthereumChain(storage)


def open_chain(folder: Path) -> EthereumChain:
    """The chain that `init_chain` made. Raises InvalidInput or StorageError."""
    storage = open_storage(folder, IDENTITY, MAP_SIZE_BYTES)
    try:
        return EthereumChain(storage)
    except BaseException:
        storage.close()
        raise


def _state_row(number: int) -> dict[bytes, bytes | None]:
    return {_STATE_KEY: u64(number)}
