"""Load the chain from a data folder: create the genesis at the first start, recover at every later one.

The state of the last committed block is loaded; batches that were certified after it are applied again, and must give
the results that their certificates name. So nothing that was answered before a crash is lost or changed.
"""

import struct
from collections.abc import Sequence
from secrets import token_bytes

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.siphash import Key
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput, StorageError
from coinone.base.primitives.records import decode, encode
from coinone.base.primitives.types import ZERO_HASH
from coinone.node.keys import Secrets
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import Store
from coinone.node.views.archive import Archive, commit_of
from coinone.protocols.sequencer.changing import seed_chain
from coinone.rules.chain.bridge.seen import numbers_of
from coinone.rules.chain.certified import ResultsDiffer, apply_certified
from coinone.rules.chain.cursor import Cursor, exchange_root_with
from coinone.rules.chain.genesis import (
    Genesis,
    exchange_config,
    genesis_cursor,
    genesis_header,
    write_genesis_state,
)
from coinone.rules.chain.invariants import check_solvency
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import CURSOR_KEY, SealedBlock
from coinone.rules.chain.state import ChainState, Headers
from coinone.rules.consensus.federation import Federation
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.exchange.state.root import LeafStore
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.placed import place
from coinone.rules.ledger.seal import GenesisSeal
from coinone.rules.state.database import Changes, Table
from coinone.rules.state.seal import seal, state_root
from coinone.rules.state.state import State
from coinone.rules.vm import REFERENCE, Engine

GENESIS_KEY = b"genesis"


def identity_of(network: Network) -> bytes:
    """The identity of a data folder: another network, or the same one with other parameters, must not open it."""
    return keccak256(rlp.encode([network.name.encode(), network.chain_id, repr(network).encode()]))


def open_chain(
    network: Network,
    storage: Storage,
    secrets: Secrets,
    now_ms: int,
    genesis: Genesis | None = None,
    engine: Engine = REFERENCE,
) -> ChainState:
    """The chain at its newest certified batch. Raises StorageError if the folder is inconsistent."""
    if storage.blocks.head() is None:
        if storage.log.batches:
            raise StorageError(
                "the batch log is there, and the database is gone or empty: restore it, or start `coinone up --reset`"
            )
        genesis = genesis or new_genesis(network, [secrets], now_ms)
        block, sealed = genesis_block(network, genesis, storage.store)
        storage.commit_block(commit_of(block, sealed, {}))
    storage.finish_turning_back()
    chain = load_chain(network, storage, engine)
    if not storage.turns_back:  # else the pending batches are voided after this (core.py)
        _replay(chain, storage)
    check_solvency(chain)
    return chain


def load_chain(network: Network, storage: Storage, engine: Engine = REFERENCE) -> ChainState:
    """The chain at the last block on disk."""
    archive, head = Archive(storage.blocks), storage.blocks.head()
    header = None if head is None else archive.header(head.number)
    if header is None:
        raise StorageError("data folder is incomplete: start `coinone up --reset`")
    return chain_at(network, storage.store, header, Headers(archive.header, archive.forced), engine)


def chain_at(
    network: Network, store: Store, header: Header, headers: Headers, engine: Engine = REFERENCE
) -> ChainState:
    """The chain that `store` contains, whose head must be `header`."""
    genesis_row, cursor_row = store.get(Table.META, GENESIS_KEY), store.get(Table.META, CURSOR_KEY)
    if genesis_row is None or cursor_row is None:
        raise StorageError("data folder is incomplete: start `coinone up --reset`")
    genesis = decode(Genesis, genesis_row)
    leaves = list(store.scan(Table.EXCHANGE))
    chain = ChainState(
        network=network,
        genesis=genesis,
        state=State(store),
        exchange=exchange_from_leaves(exchange_config(network, genesis), leaves, _index_key()),
        cursor=decode(Cursor, cursor_row),
        head=header,
        headers=headers,
        leaves=LeafStore(dict(leaves)),
        engine=engine,
    )
    if exchange_root_with(chain.leaves.root(), chain.cursor.effects_hash) != header.exchange_root:
        raise StorageError("the exchange on disk does not have the root of the last block")
    if state_root(store) != header.state_root:
        raise StorageError("the accounts on disk do not have the root of the last block")
    return chain


def _index_key() -> Key:
    """The secret hash key of the exchange's indexes: drawn at every start, so that no client can make them slow."""
    low, high = struct.unpack("<2q", token_bytes(16))
    return low, high


def genesis_block(network: Network, genesis: Genesis, store: Store) -> tuple[Block, SealedBlock]:
    """Block 0 and its rows, for an empty `store`; writes nothing."""
    state = State(store)
    write_genesis_state(state, network)
    sealed_state = seal(store, state.freeze())
    exchange = Exchange.from_genesis(exchange_config(network, genesis), genesis.time_ms)
    leaves = dict(all_leaves(exchange))
    draft = genesis_cursor(network, genesis, genesis_header(network, genesis, ZERO_HASH, ZERO_HASH))
    exchange_root = exchange_root_with(LeafStore(leaves).root(), draft.effects_hash)
    header = genesis_header(network, genesis, sealed_state.root, exchange_root)
    cursor = genesis_cursor(network, genesis, header)
    changes: Changes = {
        **sealed_state.changes,
        Table.EXCHANGE: dict(leaves),
        Table.EXCHANGE_NUMBER: dict(numbers_of(leaves)),
        Table.META: {GENESIS_KEY: encode(genesis), CURSOR_KEY: encode(cursor)},
    }
    return Block(header, (), GenesisSeal()), SealedBlock(header, place(()), (), cursor, changes)


def new_genesis(network: Network, members: Sequence[Secrets], now_ms: int) -> Genesis:
    """The genesis of a new dev chain of these members, of whom the first leads and its reporter is the only one."""
    assert network.is_dev, "only dev makes its genesis at the first start"
    first = members[0]
    return Genesis(
        time_ms=now_ms,
        federation=Federation(tuple(each.member for each in members)),
        reporters=(first.reporter_address,),
        seed_tip=seed_chain(first.seeds, 0, network.seed_length)[0],
    )


def _replay(chain: ChainState, storage: Storage) -> None:
    """Apply the batches that were certified after the last block."""
    for seq, data in storage.pending_batches():
        try:
            result = apply_certified(chain, decode(CertifiedBatch, data))
        except (InvalidInput, ResultsDiffer) as error:
            raise StorageError(f"batch {seq} of the log does not apply: {error}") from error
        storage.history.add_batch(seq, result.exchange.events)
