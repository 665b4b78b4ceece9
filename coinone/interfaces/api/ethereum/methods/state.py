"""JSON-RPC methods of accounts, storage, code and their proofs."""

from typing import Any

from coinone.base.primitives.parse import format_bytes
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.chain.served import ServedReader
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blocks import proof_json, word
from coinone.interfaces.api.ethereum.json.errors import invalid_params
from coinone.interfaces.api.ethereum.json.hexes import read_address
from coinone.interfaces.api.ethereum.json.params import PENDING, block_id, storage_key_shown, storage_slot
from coinone.interfaces.api.limits import STORAGE_SLOTS_MAX
from coinone.rules.state.database import Database
from coinone.rules.state.proofs import prove
from coinone.rules.state.state import State


async def get_balance(context: Context, address: Any, block: Any = None) -> str:
    account = read_address(address)
    return hex(
        await context.backend.reads.with_state(
            context.old_state(block_id(block)), lambda state: state.balance(account)
        )
    )


async def get_transaction_count(context: Context, address: Any, block: Any = None) -> str:
    account, wanted = read_address(address), context.old_state(block_id(block))
    if wanted.tag == PENDING:
        return hex(await context.backend.reads.query(lambda reader: next_nonce(reader, account)))
    return hex(await context.backend.reads.with_state(wanted, lambda state: state.nonce(account)))


def next_nonce(reader: ServedReader, account: Address) -> int:
    """The next nonce, counting transactions in the pool."""
    return reader.pool.next_nonce(account, reader.state.nonce(account))


async def get_code(context: Context, address: Any, block: Any = None) -> str:
    account = read_address(address)
    return format_bytes(
        await context.backend.reads.with_state(
            context.old_state(block_id(block)), lambda state: state.code(account)
        )
    )


async def get_storage_at(context: Context, address: Any, slot: Any, block: Any = None) -> str:
    account, place = read_address(address), storage_slot(slot)

    def read(state: State) -> int:
        return state.storage(account, place)

    return word(await context.backend.reads.with_state(context.old_state(block_id(block)), read))


async def get_storage_values(context: Context, wanted: Any, block: Any = None) -> dict[str, list[str]]:
    """Slots of several accounts in one call."""
    if not isinstance(wanted, dict) or not all(isinstance(slots, list) for slots in wanted.values()):
        raise invalid_params("an object of lists of storage keys expected")
    if not any(wanted.values()):
        raise invalid_params("empty request")
    count = sum([max(1, len(slots)) for slots in wanted.values()])  # an account costs work, too
    if count > STORAGE_SLOTS_MAX:
        raise invalid_params(f"too many storage keys (most {STORAGE_SLOTS_MAX})")
    found, reads = context.old_state(block_id(block)), context.backend.reads
    context.slots(count)

    def places() -> dict[str, tuple[Address, list[int]]]:
        return {
            name: (read_address(name), [storage_slot(slot) for slot in slots])
            for name, slots in wanted.items()
        }

    asked = await reads.beside(count, places)

    def read(state: State) -> dict[str, list[str]]:
        return {
            name: [word(state.storage(account, slot)) for slot in slots]
            for name, (account, slots) in asked.items()
        }

    return await reads.with_state(found, read, count)


async def get_proof(context: Context, address: Any, slots: Any, block: Any = None) -> dict[str, Any]:
    """EIP-1186, against the state root of a block; for `pending`, which has none yet, of the newest block."""
    account, wanted = read_address(address), context.old_state(block_id(block))
    slots = [] if slots is None else slots
    if not isinstance(slots, list) or len(slots) > STORAGE_SLOTS_MAX:
        raise invalid_params(f"storage keys must be a list of at most {STORAGE_SLOTS_MAX}")
    context.slots(len(slots))

    def read(rows: Database) -> dict[str, Any]:
        places = [storage_slot(slot) for slot in slots]
        return proof_json(prove(rows, account, places), list(map(storage_key_shown, slots, places)))

    return await context.backend.reads.with_rows(wanted, read, len(slots))
