"""Tools of the dev network: a faucet, mining on demand, time travel, snapshots (D15).

Time travel moves contracts' TIMESTAMP by an offset that each batch stores; the exchange's time remains wall
time. A snapshot is a block; going back to it undoes the blocks above and opens a new term.
"""

from dataclasses import dataclass

from coinone.base.crypto.hd import ethereum_keys
from coinone.base.crypto.secp256k1 import address_of, sign
from coinone.base.forms.domains import OWN_CHAIN
from coinone.base.forms.ethereum import FEE_MARKET, EthereumTransaction, encode_transaction, sign_transaction
from coinone.base.forms.exchange import user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import InvalidInput, NotSupported
from coinone.base.primitives.types import Address, Hash32
from coinone.node.executor.core import Core
from coinone.node.limits import DEV_SNAPSHOTS_MAX
from coinone.node.node import Node
from coinone.node.recovery.startup import load_chain
from coinone.node.roles.leader import Leader
from coinone.node.views.published import BatchOutcome
from coinone.rules.exchange.wire.envelope import encode_envelope
from coinone.rules.exchange.wire.types import UserEnvelope
from coinone.rules.ledger.header import Header

MNEMONIC = "test test test test test test test test test test test junk"  # public, worthless
FAUCET_INDEX = 20
FAUCET_WEI = 10 * 10**18
FAUCET_QUOTE = "10000"
_TRANSFER_GAS = 21_000


@dataclass(frozen=True, slots=True)
class FaucetGift:
    gas_coin_tx: Hash32
    quote: BatchOutcome


class Dev:
    """The dev tools of one node, with its snapshots."""

    def __init__(self, node: Node) -> None:
        """Raises NotSupported on other networks."""
        if not node.network.is_dev:
            raise NotSupported(f"not available on network '{node.network.name}'")
        self._node = node
        self._faucet_key = ethereum_keys(MNEMONIC, 1, FAUCET_INDEX)[0]
        self._faucet = address_of(self._faucet_key)
        self._last_nonce = 0
        self._snapshots: dict[int, int] = {}  # id -> block number
        self._next_snapshot = 1
        self._offset_before_pin: int | None = None

    @property
    def time_ms(self) -> int:
        """The time of the newest batch: the exchange's time, which does not travel."""
        return self._node.view.time_ms

    async def faucet(self, address: Address) -> FaucetGift:
        """Send gas coins and quote units to `address`, which opens its exchange account."""
        if address == self._faucet:
            raise InvalidInput("the faucet does not give to itself")
        gas_coin_tx = await self._node.submit_ethereum(await self._gas_coin_transfer(address))
        quote = await self._node.submit(self._quote_transfer(address))
        return FaucetGift(gas_coin_tx, quote)

    async def mine(self, blocks: int = 1) -> Header:
        """Mine now: run contracts and put everything pending into a block. Returns the new head."""

        def job(core: Core, leader: Leader) -> Header:
            for _ in range(blocks):
                _mine(core, leader)
            return core.chain.head

        return await self._node.run_on_core(job)

    async def increase_time(self, seconds: int) -> int:
        """Advance contracts' time; return the total offset in seconds."""

        def job(core: Core, leader: Leader) -> int:
            if seconds < 0:
                raise InvalidInput("time does not go back: take a snapshot and revert to it")
            core.move_time(seconds)
            return core.evm_offset_s

        return await self._node.run_on_core(job)

    async def set_next_block_timestamp(self, timestamp: int) -> None:
        """Set contracts' time to `timestamp` from the next batch on; it then advances with the clock."""

        def job(core: Core, leader: Leader) -> None:
            newest = max(core.chain.head.timestamp, core.chain.cursor.evm_timestamp)
            if timestamp <= newest:
                raise InvalidInput(
                    "timestamp is not later than the last block's", last=newest, have=timestamp
                )
            core.pin_timestamp(timestamp)

        await self._node.run_on_core(job)

    async def snapshot(self) -> int:
        """Record the current state; return the snapshot's id."""

        def job(core: Core, leader: Leader) -> int:
            _mine(core, leader)
            snapshot_id = self._next_snapshot
            self._next_snapshot += 1
            self._snapshots[snapshot_id] = core.chain.head.number
            if len(self._snapshots) > DEV_SNAPSHOTS_MAX:
                del self._snapshots[min(self._snapshots)]
            return snapshot_id

        return await self._node.run_on_core(job)

    async def revert(self, snapshot_id: int) -> bool:
        """Return to a snapshot, which ends it and later ones. False if it does not exist. Raises NotSupported if it is
        older than the undo records."""

        def job(core: Core, leader: Leader) -> bool:
            number = self._snapshots.get(snapshot_id)
            if number is None:
                return False
            _rewind(core, leader, number)
            self._snapshots = {key: value for key, value in self._snapshots.items() if key < snapshot_id}
            return True

        return await self._node.run_on_core(job)

    async def _gas_coin_transfer(self, address: Address) -> bytes:
        def nonce_of(core: Core, leader: Leader) -> int:
            return core.ethereum_pool.next_nonce(self._faucet, core.chain.state.nonce(self._faucet))

        network = self._node.network
        tx = EthereumTransaction(
            type=FEE_MARKET,
            chain_id=network.chain_id,
            nonce=await self._node.run_on_core(nonce_of),
            max_fee_per_gas=2 * network.base_fee,
            max_priority_fee_per_gas=0,
            gas=_TRANSFER_GAS,
            to=address,
            value=FAUCET_WEI,
            data=b"",
        )
        return encode_transaction(sign_transaction(tx, self._faucet_key))

    def _quote_transfer(self, address: Address) -> bytes:
        chain_id = self._node.network.chain_id
        self._last_nonce = max(self._node.view.time_ms, self._last_nonce + 1)
        values: dict[str, str | int] = {
            "hyperliquidChain": OWN_CHAIN,
            "destination": "0x" + address.hex(),
            "amount": FAUCET_QUOTE,
            "time": self._last_nonce,
        }
        form = user_signed("UsdSend")
        r, s, v = sign(user_digest(form, values, chain_id), self._faucet_key)
        return encode_envelope(UserEnvelope(form.name, form.encode(values), chain_id, r, s, v))


def _mine(core: Core, leader: Leader) -> None:
    """Close batches up to an EVM batch, then make blocks until they include all of them."""
    if leader.blocks.is_busy:
        leader.blocks.finish()
    cadence = core.chain.network.batches
    leader.close_batch()
    while not cadence.is_evm(core.chain.cursor.seq):
        leader.close_batch()
    leader.finish_block()
    while core.chain.applied:
        leader.finish_block()


def _rewind(core: Core, leader: Leader, number: int) -> None:
    leader.blocks.abandon()
    core.storage.turn_back(number)
    core.rewind(load_chain(core.chain.network, core.storage, core.chain.engine))
    leader.close_batch()
