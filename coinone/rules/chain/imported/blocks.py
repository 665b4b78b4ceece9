"""Import of Ethereum's own blocks, under Ethereum's block rules: for its test chains.

The VM and the transactions are the ones Coinone runs; this is the rest of Ethereum's block processing since the merge:
system calls for beacon roots and block hashes, the base fee burnt, withdrawals, requests. Forks before Cancun are not
executed (rules/vm/forks.py begins there).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from coinone.base.forms.ethereum import decode_any_transaction
from coinone.base.primitives.errors import InvalidBlock
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.chain.ethereum.blobs import (
    GAS_PER_BLOB,
    BlobSchedule,
    blob_base_fee,
    blob_gas,
    check_blobs,
    next_excess,
)
from coinone.rules.chain.ethereum.execution import FeePolicy, apply_transaction
from coinone.rules.chain.ethereum.recording import record_of
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader, check_ethereum_header
from coinone.rules.chain.imported.requests import DEPOSIT_CONTRACT, collect_requests
from coinone.rules.chain.imported.system import system_call
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.placed import Placed, place
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.database import Changes, Database
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.state.seal import seal
from coinone.rules.state.state import State
from coinone.rules.vm import FORKS, REFERENCE, BlockEnv, Engine, Rules

BEACON_ROOTS: Address = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")  # EIP-4788
BLOCK_HASHES: Address = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
WEI_PER_GWEI = 10**9
BLOCK_BYTES_MAX = 8 * 1024 * 1024  # EIP-7934, from Osaka on

BLOBS = {
    "Cancun": BlobSchedule(3, 6, 3_338_477),
    "Prague": BlobSchedule(6, 9, 5_007_716),
    "Osaka": BlobSchedule(6, 9, 5_007_716, reserve=True),
}


@dataclass(frozen=True, slots=True)
class Fork:
    """Rules that apply from a time on."""

    since: int
    name: str  # in FORKS
    blobs: BlobSchedule


@dataclass(frozen=True, slots=True)
class EthereumNetwork:
    """An Ethereum chain's parameters."""

    chain_id: int
    forks: tuple[Fork, ...]
    deposit_contract: Address = DEPOSIT_CONTRACT

    def fork_at(self, timestamp: int) -> Fork:
        reached = [fork for fork in self.forks if fork.since <= timestamp]
        if not reached:
            raise InvalidBlock("before the first fork whose rules are known", timestamp=timestamp)
        return reached[-1]


@dataclass(frozen=True)
class ImportedBlock:
    header: EthereumHeader
    placed: Placed
    changes: Changes  # to be written before the next block


def import_block(
    database: Database,
    network: EthereumNetwork,
    parent: EthereumHeader,
    block: EthereumBlock,
    block_hash: Callable[[int], Hash32],
    engine: Engine = REFERENCE,
) -> ImportedBlock:
    """Check and execute `block` on the state of `parent` that `database` holds. Raises InvalidBlock, InvalidInput."""
    header, fork = block.header, network.fork_at(block.header.timestamp)
    rules, schedule = FORKS[fork.name], fork.blobs
    check_ethereum_header(header, parent)
    _check_fork_fields(header, parent, rules, schedule)
    _check_body(block, rules)
    state = State(database)
    env, _ = begin_block(state, network, header, block_hash, engine)
    records = _run(state, env, rules, schedule, block, engine)
    for row in block.withdrawals:
        state.begin_transaction()
        state.set_balance(row.address, state.balance(row.address) + row.gwei * WEI_PER_GWEI)
        state.end_transaction()
    if rules.delegation:  # Prague and later: requests came with it
        _check_requests(state, env, rules, network, header, records, engine)
    placed = place(records)
    _compare(header, placed)
    sealed = seal(database, state.freeze())
    if sealed.root != header.state_root:
        raise InvalidBlock("state root", want=header.state_root, have=sealed.root)
    return ImportedBlock(header, placed, sealed.changes)


def _check_fork_fields(
    header: EthereumHeader, parent: EthereumHeader, rules: Rules, schedule: BlobSchedule
) -> None:
    if header.excess_blob_gas is None or (header.requests_hash is not None) != rules.delegation:
        raise InvalidBlock("header fields are not those of the fork", fork=rules.name)
    want = 0
    if parent.excess_blob_gas is not None and parent.blob_gas_used is not None:
        want = next_excess(parent.excess_blob_gas, parent.blob_gas_used, parent.base_fee, schedule)
    if header.excess_blob_gas != want:
        raise InvalidBlock("excess blob gas", want=want, have=header.excess_blob_gas)


def _check_body(block: EthereumBlock, rules: Rules) -> None:
    header = block.header
    if block.ommers:
        raise InvalidBlock("ommers ended with the merge")
    if ordered_root(block.transactions) != header.transactions_root:
        raise InvalidBlock("transactions root")
    if ordered_root([row.encoded for row in block.withdrawals]) != header.withdrawals_root:
        raise InvalidBlock("withdrawals root")
    if rules.transaction_gas_max is not None and block.size > BLOCK_BYTES_MAX:
        raise InvalidBlock("block too large", most=BLOCK_BYTES_MAX, have=block.size)


def begin_block(
    state: State,
    network: EthereumNetwork,
    header: EthereumHeader,
    block_hash: Callable[[int], Hash32],
    engine: Engine = REFERENCE,
) -> tuple[BlockEnv, Rules]:
    """Make the system calls before a block's transactions; return their environment. The header's fork must be
    known."""
    env, rules = env_of(network, header, block_hash)
    assert header.parent_beacon_root is not None, "a known fork has this field"
    system_call(state, env, rules, BEACON_ROOTS, header.parent_beacon_root, engine)
    if rules.delegation:
        system_call(state, env, rules, BLOCK_HASHES, header.parent_hash, engine)
    return env, rules


def env_of(
    network: EthereumNetwork, header: EthereumHeader, block_hash: Callable[[int], Hash32]
) -> tuple[BlockEnv, Rules]:
    """The environment of contracts in a block, and their rules.

    Raises InvalidBlock for a block before the first fork whose rules are known.
    """
    fork = network.fork_at(header.timestamp)
    assert header.excess_blob_gas is not None, "a known fork has this field"
    blob_fee = blob_base_fee(header.excess_blob_gas, fork.blobs)
    return header_env(network.chain_id, header, block_hash, blob_fee), FORKS[fork.name]


def header_env(
    chain_id: int,
    header: Header | EthereumHeader,
    block_hash: Callable[[int], Hash32],
    blob_base_fee: int = 1,
) -> BlockEnv:
    """The environment from a block's own header."""
    return BlockEnv(
        chain_id=chain_id,
        number=header.number,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        gas_limit=header.gas_limit,
        base_fee=header.base_fee,
        prevrandao=header.prev_randao,
        block_hash=block_hash,
        blob_base_fee=blob_base_fee,
    )


def _run(
    state: State,
    env: BlockEnv,
    rules: Rules,
    schedule: BlobSchedule,
    block: EthereumBlock,
    engine: Engine,
) -> list[TransactionRecord]:
    records: list[TransactionRecord] = []
    gas_used = blob_gas_used = 0
    for raw in block.transactions:
        tx = decode_any_transaction(raw)
        check_blobs(tx, schedule)
        blob_gas_used += blob_gas(tx)
        outcome = apply_transaction(
            state,
            env,
            tx,
            rules,
            fee_policy=FeePolicy.BURN,
            gas_available=env.gas_limit - gas_used,
            engine=engine,
        )
        gas_used += outcome.gas_used
        records.append(record_of(tx, outcome))
    if blob_gas_used != block.header.blob_gas_used or blob_gas_used > schedule.most * GAS_PER_BLOB:
        raise InvalidBlock("blob gas used", have=block.header.blob_gas_used, want=blob_gas_used)
    return records


def _check_requests(
    state: State,
    env: BlockEnv,
    rules: Rules,
    network: EthereumNetwork,
    header: EthereumHeader,
    records: Sequence[TransactionRecord],
    engine: Engine,
) -> None:
    requests = collect_requests(state, env, rules, network.deposit_contract, records, engine)
    if sha256(b"".join(sha256(request).digest() for request in requests)).digest() != header.requests_hash:
        raise InvalidBlock("requests hash")


def _compare(header: EthereumHeader, placed: Placed) -> None:
    if placed.gas_used != header.gas_used:
        raise InvalidBlock("gas used", want=header.gas_used, have=placed.gas_used)
    if placed.bloom != header.bloom:
        raise InvalidBlock("bloom filter differs")
    if placed.receipts_root != header.receipts_root:
        raise InvalidBlock("receipts root", want=header.receipts_root, have=placed.receipts_root)
