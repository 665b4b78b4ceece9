"""Accounts, storage, code and their proofs."""

from typing import Any

from coinone.base.primitives.parse import format_bytes, parse_address
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.dispatch import Context
from coinone.interfaces.api.ethereum.errors import invalid_params
from coinone.interfaces.api.ethereum.format import proof_json, word
from coinone.interfaces.api.ethereum.params import PENDING, block_id, storage_slot
from coinone.node.runtime.node import ChainReader
from coinone.rules.state.proofs import prove
from coinone.rules.state.state import State

_PROOF_SLOTS_MAX = 1024


async def get_balance(context: Context, address: Any, block: Any = None) -> str:
    account = parse_address(address)
    return hex(await context.backend.reads.with_state(block_id(block), lambda state: state.balance(account)))


async def get_transaction_count(context: Context, address: Any, block: Any = None) -> str:
    account, wanted = parse_address(address), block_id(block)
    if wanted.tag == PENDING:
        return hex(await context.backend.reads.query(lambda reader: _next_nonce(reader, account)))
    return hex(await context.backend.reads.with_state(wanted, lambda state: state.nonce(account)))


def _next_nonce(reader: ChainReader, account: Address) -> int:
    """After what waits in the pool, too."""
    return reader.pool.next_nonce(account, reader.state.nonce(account))


async def get_code(context: Context, address: Any, block: Any = None) -> str:
    account = parse_address(address)
    return format_bytes(
        await context.backend.reads.with_state(block_id(block), lambda state: state.code(account))
    )


async def get_storage_at(context: Context, address: Any, slot: Any, block: Any = None) -> str:
    account, place = parse_address(address), storage_slot(slot)

    def read(state: State) -> int:
        return state.storage(account, place)

    return word(await context.backend.reads.with_state(block_id(block), read))


async def get_proof(context: Context, address: Any, slots: Any, block: Any = None) -> dict[str, Any]:
    """EIP-1186, against the state root of the newest block."""
    account, wanted = parse_address(address), block_id(block)
    if not isinstance(slots, list) or len(slots) > _PROOF_SLOTS_MAX:
        raise invalid_params(f"storage keys must be a list of at most {_PROOF_SLOTS_MAX}")
    places = [storage_slot(slot) for slot in slots]
    with context.backend.reads.snapshot() as snapshot:
        context.backend.reads.require_newest(wanted, snapshot)
        return proof_json(prove(snapshot, account, places))
