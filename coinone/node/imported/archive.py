"""Decoded reads of an imported Ethereum chain's blocks on disk, from any thread."""

from collections.abc import Callable, Iterator

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.node.storage.blocks import BlockReader
from coinone.node.storage.past import before_block
from coinone.node.storage.storage import BlockCommit
from coinone.node.storage.store import Snapshot
from coinone.node.views.archive import BlockArchive, EthereumPlace, own
from coinone.rules.chain.imported.blocks import EthereumNetwork
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader, decode_ethereum_block
from coinone.rules.chain.imported.replay import replay_block
from coinone.rules.chain.replay import ReplayStep
from coinone.rules.ledger.records import TransactionRecord, encode_records
from coinone.rules.state.database import Changes, Table
from coinone.rules.vm import REFERENCE, Engine

CONFIG_KEY = b"ethereum-config"  # in META: the `config` of the genesis file


def commit_of(
    raw: bytes, header: EthereumHeader, records: tuple[TransactionRecord, ...], changes: Changes
) -> BlockCommit:
    """The commit of a block."""
    return BlockCommit(
        number=header.number,
        hash=header.hash,
        last_seq=0,  # such a chain has no batches
        block=raw,
        receipts=encode_records(records),
        changes=changes,
        transactions={
            record.hash: rlp.encode([header.number, index]) for index, record in enumerate(records)
        },
    )


class EthereumArchive(BlockArchive[EthereumBlock, EthereumHeader]):
    """The blocks of an imported chain."""

    def block(self, number: int) -> EthereumBlock | None:
        raw = self.raw(number)
        return None if raw is None else own(decode_ethereum_block, raw)

    def raw(self, number: int) -> bytes | None:
        """The block's RLP as imported."""
        return self._blocks.block(number)

    def header(self, number: int) -> EthereumHeader | None:
        block = self.block(number)
        return None if block is None else block.header

    def block_hash(self, number: int) -> Hash32:
        """The hash of an existing block, for BLOCKHASH."""
        header = self.header(number)
        assert header is not None, "BLOCKHASH asks for blocks below the head only"
        return header.hash

    def place_of(self, tx_hash: Hash32) -> EthereumPlace | None:
        data = self._blocks.transaction(tx_hash)
        if data is None:
            return None
        number, index = (rlp.decode_int(item) for item in rlp.decode_list(rlp.decode(data), 2))
        return EthereumPlace(number, index)


def is_imported(snapshot: Snapshot) -> bool:
    """Whether the store has an imported Ethereum chain rather than a Coinone chain."""
    return snapshot.get(Table.META, CONFIG_KEY) is not None


def steps_of_block(
    snapshot: Snapshot,
    network: EthereumNetwork,
    number: int,
    budget: Callable[[], None] | None = None,
    engine: Engine = REFERENCE,
) -> Iterator[ReplayStep]:
    """Execute a block's transactions again on the state before it. Raises NotSupported if that is not kept."""
    archive = EthereumArchive(BlockReader(snapshot))
    block = archive.block(number)
    assert block is not None, "blocks up to the head are on disk"
    records = [row.record for row in archive.records(number)]
    before = before_block(snapshot, number)
    return replay_block(before, network, block, records, archive.block_hash, budget, engine)
