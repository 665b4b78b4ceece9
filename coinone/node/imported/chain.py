"""An Ethereum chain in a data folder: created from a genesis file, extended by importing blocks.

Blocks, receipts and state use the same tables as an exchange node, and a block is one atomic write with its undo
record; so a crash leaves the chain at a block, and importing the same file again continues from there.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.types import Hash32
from coinone.node.imported.archive import CONFIG_KEY, EthereumArchive, commit_of
from coinone.node.imported.branches import SideBlocks, SideChain, is_followed
from coinone.node.imported.chain_file import Checkpoint
from coinone.node.limits import MAP_MIB
from coinone.node.storage.past import PastState, rows_after_block
from coinone.node.storage.storage import BlockCommit, Storage, open_storage
from coinone.node.storage.tables import NodeTable, u64
from coinone.node.storage.versions import since_row
from coinone.rules.chain.imported.blocks import EthereumNetwork, import_block
from coinone.rules.chain.imported.genesis import genesis_header, network_of_config, parse_alloc, sealed_alloc
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader, decode_ethereum_block
from coinone.rules.chain.imported.past import check_past_block
from coinone.rules.state.database import Changes, Database, MemoryDatabase, Table
from coinone.rules.state.seal import Sealed
from coinone.rules.vm import REFERENCE, Engine

IDENTITY = b"ethereum"  # so that neither kind of node opens the other's folder
MAP_SIZE_BYTES = MAP_MIB << 20
_STATE_KEY = b"ethereum-state"  # number of the block whose state the tables hold
_STATE_TABLES = (Table.ACCOUNT, Table.STORAGE, Table.CODE, Table.TRIE)


class EthereumChain:
    """The main chain of blocks and its side branches (branches.py). Single-threaded."""

    def __init__(self, storage: Storage, engine: Engine = REFERENCE) -> None:
        """Raises InvalidInput if the folder has no chain yet."""
        config = storage.store.get(Table.META, CONFIG_KEY)
        if config is None:
            raise InvalidInput(
                "no Ethereum chain in this folder: `coinone ethereum init GENESIS` creates one"
            )
        self.storage = storage
        self._engine = engine
        self.network: EthereumNetwork = network_of_config(msgspec.json.decode(config))
        self.archive = EthereumArchive(storage.blocks)
        self._side = SideBlocks(storage, self.archive)
        self.head = self._stored_head()

    @property
    def has_state(self) -> bool:
        """Whether the stored state is the head's: not while blocks before Cancun wait for their checkpoint."""
        number = self.storage.store.get(Table.META, _STATE_KEY)
        return number is not None and int.from_bytes(number, "big") == self.head.number

    def knows_rules_of(self, header: EthereumHeader) -> bool:
        forks = self.network.forks
        return bool(forks) and forks[0].since <= header.timestamp

    def add(self, raw: bytes, checkpoint: Checkpoint | None = None) -> bool:
        """Import a block whose parent is known; False if it exists already. Raises InvalidInput, with nothing changed,
        or NotSupported if its branch forks off more than UNDO_BLOCKS_MAX blocks below the head.

        The checkpoint is required for blocks before Cancun and for the first one after them.
        """
        block = decode_ethereum_block(raw)
        header = block.header
        if self.archive.number_of(header.hash) is not None or self._side.knows(header.hash):
            return False
        branch = self._side.branch_of(raw, block)
        commits = self._checked(branch, checkpoint)
        line = list(self.archive.headers(branch.fork.number + 1, self.head.number))
        if not is_followed(branch, line):
            self._side.keep(header.hash, raw)
            return True
        self._side.leave_line(branch.fork, self.head)
        for commit in commits:
            self.storage.commit_block(commit)
        self.head = header
        return True

    def close(self) -> None:
        self.storage.close()

    def load_state(self, checkpoint: Checkpoint) -> None:
        """Load the head's state from the checkpoint. Raises InvalidInput if its root is not the head's."""
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
        # Older undo records do not apply to this state.
        changes[NodeTable.UNDO] = {u64(number): None for number in range(self.head.number + 1)}
        changes[Table.META] = {**_state_row(self.head.number), **since_row(None)[Table.META]}
        self.storage.store.write(changes)

    def _checked(self, branch: SideChain, checkpoint: Checkpoint | None) -> list[BlockCommit]:
        """Execute and check the blocks of a branch; return their commits. Raises InvalidInput."""
        executed = [block.header for _, block in branch.blocks if self.knows_rules_of(block.header)]
        if executed and not self.has_state:
            self._begin_state(executed[0].parent_hash, checkpoint)
        commits, parent = [], branch.fork
        rows = rows_after_block(self.storage.store, branch.fork.number)
        for raw, block in branch.blocks:
            if self.knows_rules_of(block.header):
                commit = self._execute(PastState(self.storage.store, rows), branch, parent, raw, block)
                for table, changed in commit.changes.items():
                    rows.setdefault(table, {}).update(changed)
            else:
                commit = self._past(parent, raw, block, checkpoint)
            commits.append(commit)
            parent = block.header
        return commits

    def _begin_state(self, parent_hash: Hash32, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None or parent_hash != self.head.hash:
            raise InvalidInput(
                "blocks from before Cancun are not executed here: the state after them must come with --checkpoint",
                number=self.head.number,
            )
        self.load_state(checkpoint)

    def _execute(
        self, state: Database, branch: SideChain, parent: EthereumHeader, raw: bytes, block: EthereumBlock
    ) -> BlockCommit:
        def block_hash(number: int) -> Hash32:
            return branch.block_hash(self.archive, number)

        done = import_block(state, self.network, parent, block, block_hash, self._engine)
        changes: dict[Enum, Any] = {**done.changes, Table.META: _state_row(block.header.number)}
        records = tuple(row.record for row in done.placed.rows)
        return commit_of(raw, block.header, records, changes)

    def _past(
        self, parent: EthereumHeader, raw: bytes, block: EthereumBlock, checkpoint: Checkpoint | None
    ) -> BlockCommit:
        number = block.header.number
        if checkpoint is None or number not in checkpoint.receipts:
            raise InvalidInput(
                "blocks from before Cancun are not executed here: their receipts must come with --checkpoint",
                number=number,
            )
        records = check_past_block(block, parent, checkpoint.receipts[number])
        return commit_of(raw, block.header, records, {})

    def _stored_head(self) -> EthereumHeader:
        head = self.storage.blocks.head()
        assert head is not None, "the configuration is written with the first block"
        header = self.archive.header(head.number)
        assert header is not None, "the head block is stored"
        return header


def init_chain(folder: Path, genesis: Mapping[str, Any]) -> EthereumChain:
    """The chain of a genesis file, created if the folder has none yet.

    Raises InvalidInput if the folder has another chain, StorageError if it is foreign or damaged.
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
    storage: Storage,
    config: Mapping[str, Any],
    header: EthereumHeader,
    sealed: Sealed,
    engine: Engine = REFERENCE,
) -> EthereumChain:
    """Commit block 0, which has no transactions, to an empty storage."""
    body: list[rlp.Encodable] = [list(header.fields), [], []]
    raw = rlp.encode(body if header.withdrawals_root is None else [*body, []])
    meta = {CONFIG_KEY: msgspec.json.encode(config), **_state_row(0)}
    storage.commit_block(commit_of(raw, header, (), {**sealed.changes, Table.META: meta}))
    return EthereumChain(storage, engine)


def open_chain(folder: Path, archive: bool = False) -> EthereumChain:
    """Open the chain that `init_chain` created; `archive` keeps the state of every added block. Raises InvalidInput or
    StorageError."""
    storage = open_storage(folder, IDENTITY, MAP_SIZE_BYTES, archive)
    try:
        return EthereumChain(storage)
    except BaseException:
        storage.close()
        raise


def _state_row(number: int) -> dict[bytes, bytes | None]:
    return {_STATE_KEY: u64(number)}
