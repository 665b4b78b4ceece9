"""A node of Ethereum's RPC test chain: what the JSON-RPC dispatcher asks of a node, over an imported chain.

Blocks before Cancun come from EELS (ethereum_past.py), the others go through our own import.
"""

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coinone.base.primitives import rlp
from coinone.base.primitives.types import Hash32
from coinone.interfaces.api.ethereum.backend import EthereumBackend
from coinone.interfaces.api.ethereum.chain_reads import ChainReads
from coinone.interfaces.api.ethereum.dispatch import Dispatcher
from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.table import METHODS
from coinone.interfaces.api.ethereum.trials import Trials
from coinone.interfaces.api.queries import Queries
from coinone.node.runtime.archive import EthereumPlace
from coinone.node.storage.blocks import Head, head_row
from coinone.node.storage.store import MemoryStore
from coinone.rules.chain.ethereum.blobs import BlobSchedule
from coinone.rules.chain.ethereum.blocks import BLOBS, EthereumNetwork, Fork
from coinone.rules.chain.ethereum.execution import check_stateless
from coinone.rules.chain.ethereum.header import (
    EthereumHeader,
    decode_ethereum_block,
    decode_ethereum_header,
)
from coinone.rules.chain.ethereum.transaction import decode_transaction, effective_gas_price
from coinone.rules.chain.receipts import PlacedRecord, place_rows
from coinone.rules.chain.records import TransactionRecord
from coinone.rules.consensus.header import EMPTY_OMMERS, EMPTY_TRIE
from coinone.rules.state.database import Table
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, BlockEnv, Log
from coinone.rules.vm.addresses import create_address
from tests.vectors.ethereum_chain import EthereumChain, unhex, write_accounts
from tests.vectors.ethereum_past import Past, PastReceipt

CANCUN = 42  # the first block with rules that our VM knows


@dataclass(frozen=True)
class Files:
    """The archive's contents."""

    genesis: dict[str, Any]
    blocks: list[bytes]
    cases: dict[str, str]


def read_files(archive: Path) -> Files:
    with tarfile.open(archive) as files:
        found = {m.name.removeprefix("tests/"): files.extractfile(m).read() for m in files if m.isfile()}  # type: ignore[union-attr]
    cases = {name: data.decode() for name, data in found.items() if name.endswith(".io")}
    return Files(json.loads(found["genesis.json"]), list(_items(found["chain.rlp"])), cases)


def _items(data: bytes) -> Iterator[bytes]:
    """The RLP lists that stand one behind the other; each is longer than 55 bytes."""
    at = 0
    while at < len(data):
        width = data[at] - 0xF7
        size = 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "big")
        yield data[at : at + size]
        at += size


class Archive:
    """Blocks and their records by number; what node/runtime/archive.py is to a node of ours."""

    def __init__(self) -> None:
        self._headers: list[EthereumHeader] = []
        self._rows: list[tuple[PlacedRecord, ...]] = []

    def add(self, header: EthereumHeader, rows: tuple[PlacedRecord, ...]) -> None:
        self._headers.append(header)
        self._rows.append(rows)

    def header(self, number: int) -> EthereumHeader | None:
        return self._headers[number] if number < len(self._headers) else None

    def headers(self, first: int, last: int) -> list[EthereumHeader]:
        return self._headers[first : last + 1]

    def number_of(self, block_hash: Hash32) -> int | None:
        return next((header.number for header in self._headers if header.hash == block_hash), None)

    def records(self, number: int) -> tuple[PlacedRecord, ...]:
        return self._rows[number]

    def place_of(self, tx_hash: Hash32) -> EthereumPlace | None:
        places = (
            EthereumPlace(number, row.index)
            for number, rows in enumerate(self._rows)
            for row in rows
            if row.record.hash == tx_hash
        )
        return next(places, None)


class EthereumNode:
    """Grown from the archive's files; raises if any block does not check."""

    def __init__(self, files: Files) -> None:
        self.archive = Archive()
        genesis, chain_id = files.genesis, files.genesis["config"]["chainId"]
        head = _genesis_header(genesis, decode_ethereum_block(files.blocks[0]).header)
        self.archive.add(head, ())
        accounts = _past(self.archive, files, chain_id, head)
        store = MemoryStore()
        root = write_accounts(store, accounts)
        headers = self.archive.headers(0, CANCUN - 1)
        assert headers[-1].state_root == root
        self.chain = EthereumChain(_network(genesis, chain_id), store, list(headers))
        for raw in files.blocks[CANCUN - 1 :]:
            header = self.chain.add(raw).header
            self.archive.add(header, self.chain.imported[header.number].placed.rows)
        head = self.chain.head
        store.write({Table.META: head_row(Head(head.number, head.hash, 0))})
        self.storage = SimpleNamespace(store=store)
        self.network = SimpleNamespace(
            chain_id=chain_id, fork="Osaka", is_dev=False, reward_pool=head.coinbase
        )

    async def query(self, read: Callable[[Any], Any]) -> Any:
        return read(SimpleNamespace(
            state=State(self.storage.store), env=self._env, rules=FORKS["Osaka"],
            precompiles=lambda: FORKS["Osaka"].precompiles,
            pool=SimpleNamespace(get=lambda name: None, next_nonce=lambda address, nonce: nonce),
        ))  # fmt: skip

    async def submit_ethereum(self, raw: bytes) -> Hash32:
        tx = decode_transaction(raw)
        check_stateless(tx, self.network.chain_id, FORKS["Osaka"])
        return tx.hash

    def dispatcher(self) -> Dispatcher:
        """The product's own methods over this node."""
        reads = ChainReads(self, Queries(self))  # type: ignore[arg-type]
        trials = Trials(self, reads)  # type: ignore[arg-type]
        backend = EthereumBackend(self, reads, trials, Filters(), "test", lambda name: None, lambda: 0)  # type: ignore[arg-type]
        return Dispatcher(METHODS, backend)

    def _env(self) -> BlockEnv:
        head = self.chain.head
        return BlockEnv(
            self.network.chain_id, head.number + 1, head.timestamp + 1, head.coinbase, head.gas_limit,
            head.base_fee, head.prev_randao, lambda number: self.chain.headers[number].hash,
        )  # fmt: skip


def _network(genesis: dict[str, Any], chain_id: int) -> EthereumNetwork:
    config = genesis["config"]
    forks = (
        Fork(config["cancunTime"], "Cancun", BLOBS["Cancun"]),
        Fork(config["pragueTime"], "Prague", BLOBS["Prague"]),
        Fork(config["osakaTime"], "Osaka", BLOBS["Osaka"]),
        *(
            Fork(config[f"{name}Time"], "Osaka", _schedule(config["blobSchedule"][name]))
            for name in ("bpo1", "bpo2")
        ),
    )
    return EthereumNetwork(chain_id, forks, unhex(config["depositContractAddress"]))


def _schedule(values: dict[str, int]) -> BlobSchedule:
    """EIP-7892: forks that change blobs alone."""
    return BlobSchedule(values["target"], values["max"], values["baseFeeUpdateFraction"], reserve=True)


def _genesis_header(genesis: dict[str, Any], first: EthereumHeader) -> EthereumHeader:
    """From the fields of genesis.json; it must be what the first block calls its parent."""
    store = MemoryStore()
    root = write_accounts(store, genesis["alloc"])
    limit, difficulty = int(genesis["gasLimit"], 16), int(genesis["difficulty"], 16)
    fields = [
        bytes(32), EMPTY_OMMERS, bytes(20), root, EMPTY_TRIE, EMPTY_TRIE, bytes(256), difficulty, 0, limit, 0, 0,
        unhex(genesis["extraData"]), bytes(32), bytes(8),
    ]  # fmt: skip
    header = decode_ethereum_header(rlp.decode_list(rlp.decode(rlp.encode(fields))))
    assert header.hash == first.parent_hash
    return header


def _past(archive: Archive, files: Files, chain_id: int, head: EthereumHeader) -> dict[str, dict[str, Any]]:
    """Blocks up to Cancun into the archive; the accounts after them, in the form of genesis.json."""
    alloc = {
        unhex(address): (
            int(account.get("nonce", "0x0"), 16), int(account["balance"], 16), unhex(account.get("code", "0x")),
            {int(slot, 16): int(value, 16) for slot, value in account.get("storage", {}).items()},
        )
        for address, account in files.genesis["alloc"].items()
    }  # fmt: skip
    past = Past(rlp.encode([list(head.fields), [], []]), alloc, chain_id)
    for number, raw in enumerate(files.blocks[: CANCUN - 1], 1):
        past.add(raw)
        block = decode_ethereum_block(raw)
        archive.add(block.header, _past_rows(block.header, block.transactions, past.receipts[number]))
    return {
        address.hex(): {
            "nonce": hex(nonce), "balance": hex(balance), "code": code.hex(),
            "storage": {hex(slot): hex(value) for slot, value in slots.items()},
        }
        for address, (nonce, balance, code, slots) in past.accounts().items()
    }  # fmt: skip


def _past_rows(
    header: EthereumHeader, raws: tuple[bytes, ...], receipts: list[PastReceipt]
) -> tuple[PlacedRecord, ...]:
    records, before = [], 0
    for raw, receipt in zip(raws, receipts, strict=True):
        tx = decode_transaction(raw)
        records.append(TransactionRecord(
            raw=raw, hash=tx.hash, type=tx.type, sender=tx.sender, to=tx.to, is_system=False,
            succeeded=receipt.succeeded, gas_used=receipt.cumulative_gas - before,
            gas_price=effective_gas_price(tx, header.base_fee) if header.base_fee else tx.gas_price,
            contract_address=create_address(tx.sender, tx.nonce) if tx.to is None else None,
            logs=tuple(Log(*log) for log in receipt.logs),
        ))  # fmt: skip
        before = receipt.cumulative_gas
    return place_rows(records)
