"""The cursor: the position of the chain of batches, and the rules for the head of the next one.

It also holds what an EVM segment left for the next batch: deposits to credit, CoreWriter actions to run, and
withdrawals and forced transactions that wait for contracts to run again. `effects_hash` puts these under the header's
exchange root.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidBatch
from coinone.base.primitives.integers import div_down
from coinone.base.primitives.records import encode, record
from coinone.base.primitives.types import I64, U64, ZERO_HASH, Hash32, Wrapped
from coinone.rules.chain.batch_limits import check_size, limits_of
from coinone.rules.chain.network import Network
from coinone.rules.consensus.federation import Federation
from coinone.rules.consensus.seeds import reveals
from coinone.rules.consensus.terms import Term, check_term_change
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.crossings import CoreAction, Deposit, Withdrawal
from coinone.rules.ledger.header import Header


@record
@dataclass(frozen=True, slots=True)
class Effects:
    """Pending crossings between the exchange and the contracts, from one batch to a later one."""

    deposits: tuple[Deposit, ...] = ()
    core_actions: tuple[CoreAction, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    forced: tuple[bytes, ...] = ()  # Ethereum transactions at the beginning of the next EVM batch

    @property
    def amount(self) -> int:
        """Quote units that are at the system address and in no account's exchange balance."""
        return sum(row.amount for row in self.deposits) + sum(row.amount for row in self.withdrawals)


@record
@dataclass(frozen=True, slots=True)
class Cursor:
    """The position after a batch: its number, hash and times, its base, the term, and pending crossings."""

    seq: U64
    batch_hash: Hash32
    time_ms: U64
    evm_timestamp: U64
    evm_offset_s: I64
    base_number: U64
    base_hash: Hash32
    term: Term
    evm_results: Hash32 = ZERO_HASH  # of the last EVM segment, for the next certificate
    effects: Annotated[Effects, Wrapped()] = Effects()

    @property
    def effects_hash(self) -> Hash32:
        return keccak256(encode(self.effects))


def exchange_root_with(rows_root: Hash32, effects_hash: Hash32) -> Hash32:
    """The header's exchange root: the rows of the exchange, and pending crossings."""
    return keccak256(b"coinone-exchange" + rows_root + effects_hash)


def check_batch(
    network: Network,
    federation: Federation,
    cursor: Cursor,
    batch: Batch,
    header_of: Callable[[int], Header | None],
) -> Term:
    """Raise InvalidBatch unless the head of `batch` validly follows; return the term after it."""
    if batch.seq != cursor.seq + 1 or batch.parent_hash != cursor.batch_hash:
        raise InvalidBatch("does not follow the last batch", want=cursor.seq + 1, have=batch.seq)
    if batch.time_ms <= cursor.time_ms:
        raise InvalidBatch("time does not rise", last=cursor.time_ms, have=batch.time_ms)
    if batch.evm_offset_s and not network.is_dev:
        raise InvalidBatch("time travel exists on dev only", offset=batch.evm_offset_s)
    base = _base(cursor, batch, header_of)
    check_size(limits_of(network.batches, batch.seq, base), batch.transactions[batch.forced :])
    return _next_term(network, federation, cursor, batch)


def evm_timestamp(batch: Batch, base: Header) -> int:
    """The time that contracts see: above the base block's, so that it rises from block to block."""
    return max(div_down(batch.time_ms, 1000) + batch.evm_offset_s, base.timestamp + 1)


def _base(cursor: Cursor, batch: Batch, header_of: Callable[[int], Header | None]) -> Header:
    if batch.base_number < cursor.base_number:
        raise InvalidBatch("base goes backwards", last=cursor.base_number, have=batch.base_number)
    header = header_of(batch.base_number)
    if header is None or header.hash != batch.base_hash:
        raise InvalidBatch("unknown base", number=batch.base_number, hash=batch.base_hash)
    return header


def _next_term(network: Network, federation: Federation, cursor: Cursor, batch: Batch) -> Term:
    term = cursor.term
    change = batch.term_change
    if change is not None:
        parent = (cursor.seq, cursor.batch_hash)
        check_term_change(change, network.chain_id, federation, term, parent)
        term = Term(change.term, change.first_seq, change.seed_tip, change.seed_length)
    if batch.term != term.number:
        raise InvalidBatch("another term", want=term.number, have=batch.term)
    if term.seeds_left == 0:
        raise InvalidBatch("the seeds of this term are used up")
    if not reveals(batch.seed, term.seed):
        raise InvalidBatch("seed is not the preimage of the last one")
    return Term(term.number, term.first_seq, batch.seed, term.seeds_left - 1)
