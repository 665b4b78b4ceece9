"""Signed transactions in, and the little that a node without keys can say about accounts and signing."""

from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.parse import parse_bytes
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.errors import METHOD_NOT_SUPPORTED, RpcError

TRANSACTION_BYTES_MAX = 128 * 1024  # geth's; a larger one would not fit the pool anyway


async def send_raw_transaction(context: Context, raw: Any) -> str:
    """Hand a signed transaction to the pool; its hash. An exchange action (0x70, 0x71) is taken as well, and a
    reporter's prices (0x72)."""
    data = parse_bytes(raw)
    if len(data) > TRANSACTION_BYTES_MAX:
        raise RpcError(-32000, f"oversized data: transaction size {len(data)}, limit {TRANSACTION_BYTES_MAX}")
    if data[:1] in (b"\x70", b"\x71"):
        outcome = await context.backend.node.submit(data)
        if outcome.status != "executed":
            raise RpcError(-32000, outcome.error or outcome.status, {"reason": outcome.status})
        return "0x" + outcome.tx_hash.hex()
    if data[:1] == b"\x72":
        return "0x" + (await context.backend.node.submit_oracle(data)).hex()
    tx_hash = await context.backend.node.submit_ethereum(data)
    context.backend.announce(tx_hash, data)
    context.backend.filters.announce(tx_hash)
    return "0x" + tx_hash.hex()


async def accounts(context: Context) -> list[str]:
    """A node holds no keys."""
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
    return hex(context.backend.peers())


async def client_version(context: Context) -> str:
    return context.backend.client_version


async def sha3(context: Context, data: Any) -> str:
    return "0x" + keccak256(parse_bytes(data)).hex()


async def syncing(context: Context) -> bool:
    return False


async def protocol_version(context: Context) -> str:
    return "0x44"


async def coinbase(context: Context) -> str:
    return "0x" + context.backend.node.network.reward_pool.hex()


async def mining(context: Context) -> bool:
    return False


async def hashrate(context: Context) -> str:
    return "0x0"
