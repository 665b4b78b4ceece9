"""JSON-RPC methods that submit signed transactions, and those about accounts and signing, of which a node holds
none."""

import asyncio
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import BLOB
from coinone.base.primitives.integers import U64_MAX
from coinone.interfaces.api.admission.sender import unless_left
from coinone.interfaces.api.admission.weights import raw_action_weight
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blocks import receipt_steps
from coinone.interfaces.api.ethereum.json.errors import METHOD_NOT_SUPPORTED, RpcError
from coinone.interfaces.api.ethereum.json.hexes import read_bytes
from coinone.interfaces.api.ethereum.json.params import small_integer
from coinone.interfaces.api.limits import (
    ACTION_READ_AT_ONCE_MAX,
    SYNC_TIMEOUT_MAX_S,
    SYNC_TIMEOUT_S,
    SYNCED_WITHIN,
)

SYNC_TIMED_OUT = 4  # EIP-7966
TRANSACTION_BYTES_MAX = 128 * 1024  # geth's; a larger one would not fit the pool anyway

_BLOB_HEX = f"{BLOB:02x}"


async def send_raw_transaction(context: Context, raw: Any) -> str:
    """Submit a signed transaction to the pool; return its hash. Exchange actions (0x70, 0x71) and reporters' prices
    (0x72) are accepted, too."""
    data = _read_transaction(raw)
    if data[:1] in (b"\x70", b"\x71"):
        return await _act(context, data)
    if data[:1] == b"\x72":
        return "0x" + (await context.backend.node.submit_oracle(data)).hex()
    tx_hash = await context.backend.node.submit_ethereum(data)
    context.backend.announce(tx_hash, data)
    context.backend.filters.announce(tx_hash)
    return "0x" + tx_hash.hex()


def _read_transaction(raw: Any) -> bytes:
    """The bytes of a signed transaction, whose size is checked before they are read. Raises RpcError or DecodeError."""
    size = len(raw) // 2 - 1 if isinstance(raw, str) else 0
    if size > TRANSACTION_BYTES_MAX and raw[2:4] != _BLOB_HEX:  # which is refused by name, however large
        raise RpcError(-32000, f"oversized data: transaction size {size}, limit {TRANSACTION_BYTES_MAX}")
    return read_bytes(raw)


async def _act(context: Context, raw: bytes) -> str:
    """Submit an exchange action; a large one is read in a thread: 20 ms in an unusual spelling."""
    node = context.backend.node
    context.purse.spend(raw_action_weight(len(raw)))
    if len(raw) > ACTION_READ_AT_ONCE_MAX:
        action = await context.backend.reads.in_thread(lambda: node.read(raw))
    else:
        action = node.read(raw)
    outcome = await node.submit_signed(action)
    if outcome.status != "executed":
        raise RpcError(-32000, outcome.error or outcome.status, {"reason": outcome.status})
    return "0x" + outcome.tx_hash.hex()


async def send_raw_transaction_sync(context: Context, raw: Any, timeout_ms: Any = None) -> dict[str, Any]:
    """EIP-7966: submit a signed transaction and wait for its receipt, for `timeout_ms` or 20 s, at most a minute.

    Raises RpcError, with code 4 and the hash if the time was too short or others needed the place to wait: the
    transaction stays in the pool.
    """
    data = _read_transaction(raw)
    if data[:1] in (b"\x70", b"\x71", b"\x72"):
        raise RpcError(
            METHOD_NOT_SUPPORTED, "exchange actions have no receipt: eth_sendRawTransaction takes them"
        )
    wait_s = SYNC_TIMEOUT_S if timeout_ms is None else small_integer(timeout_ms, U64_MAX) / 1000
    wait_s = min(wait_s or SYNC_TIMEOUT_S, SYNC_TIMEOUT_MAX_S)
    tx_hash = keccak256(data)
    with context.backend.inclusions.expect(tx_hash, context.sender.share) as included:
        await send_raw_transaction(context, raw)
        await unless_left(context.sender, asyncio.wait([included], timeout=wait_s))
    found = await context.of_transaction(tx_hash, lambda header, row: receipt_steps(row, header))
    if found is None:
        why = (
            "there is no place to wait for it" if included.cancelled() else f"wasn't processed in {wait_s:g}s"
        )
        words = f"The transaction was added to the transaction pool but {why}."
        raise RpcError(SYNC_TIMED_OUT, words, "0x" + tx_hash.hex())
    return found


async def accounts(context: Context) -> list[str]:
    """An empty list: a node holds no keys."""
    return []


async def no_keys(context: Context, *params: Any) -> None:
    raise RpcError(
        METHOD_NOT_SUPPORTED, "this node holds no keys: sign in the wallet, then eth_sendRawTransaction"
    )


async def chain_id(context: Context) -> str:
    return hex(context.backend.node.network.chain_id)


async def net_version(context: Context) -> str:
    return str(context.backend.node.network.chain_id)


async def net_listening(context: Context) -> bool:
    return True


async def net_peer_count(context: Context) -> str:
    return hex(context.backend.peers().connected)


async def client_version(context: Context) -> str:
    return context.backend.client_version


async def sha3(context: Context, data: Any) -> str:
    return "0x" + keccak256(read_bytes(data)).hex()


async def syncing(context: Context) -> dict[str, str] | bool:
    """eth_syncing: the progress of a following node, while it is more than a block or two behind the others."""
    current, best = context.backend.reads.head_number(), context.backend.peers().best_number
    if best - current <= SYNCED_WITHIN:
        return False
    return {
        "startingBlock": hex(context.backend.first_number),
        "currentBlock": hex(current),
        "highestBlock": hex(best),
    }


async def protocol_version(context: Context) -> str:
    return "0x44"


async def coinbase(context: Context) -> str:
    return "0x" + context.backend.node.network.reward_pool.hex()


async def mining(context: Context) -> bool:
    return False


async def hashrate(context: Context) -> str:
    return "0x0"
