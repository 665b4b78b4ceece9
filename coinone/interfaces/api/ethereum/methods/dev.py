"""JSON-RPC methods of the dev network: mining, time travel, snapshots, and the faucet.

They exist only if genesis has kind = dev (D15); the names are those of common development tools.
"""

from typing import Any

from coinone.base.primitives.integers import U64_MAX
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import invalid_params
from coinone.interfaces.api.ethereum.json.hexes import read_address, read_quantity
from coinone.interfaces.api.ethereum.json.params import small_integer
from coinone.interfaces.api.limits import TIME_TRAVEL_MAX_S
from coinone.node.dev.tools import Dev


async def mine(context: Context, timestamp: Any = None) -> str:
    """Make a block now, optionally with a given timestamp."""
    if timestamp is not None:
        await set_next_timestamp(context, timestamp)
    await _dev(context).mine()
    return "0x0"


async def set_next_timestamp(context: Context, timestamp: Any) -> str:
    wanted = small_integer(timestamp, U64_MAX)
    if wanted - _dev(context).time_ms // 1000 > TIME_TRAVEL_MAX_S:
        raise invalid_params("that is more than a century away")
    await _dev(context).set_next_block_timestamp(wanted)
    return hex(wanted)


async def increase_time(context: Context, seconds: Any) -> int:
    """Advance contracts' time; return the total offset."""
    return await _dev(context).increase_time(small_integer(seconds, TIME_TRAVEL_MAX_S))


async def snapshot(context: Context) -> str:
    return hex(await _dev(context).snapshot())


async def revert(context: Context, snapshot_id: Any) -> bool:
    """Return to a snapshot; later changes are undone, and open filters start again."""
    return await _dev(context).revert(read_quantity(snapshot_id, U64_MAX))


async def faucet(context: Context, address: Any) -> str:
    """Give an address gas coins and exchange balance; return the hash of the gas coin transfer."""
    gift = await _dev(context).faucet(read_address(address))
    return "0x" + gift.gas_coin_tx.hex()


def _dev(context: Context) -> Dev:
    assert context.backend.dev is not None, "the table has these methods on dev only"
    return context.backend.dev
