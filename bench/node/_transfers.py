"""Signed transfers of the quote token, and a chain whose every batch runs contracts."""

import random
from dataclasses import replace
from functools import cache
from pathlib import Path

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.forms.ethereum import FEE_MARKET, EthereumTransaction, encode_transaction, sign_transaction
from coinone.node.clock import system_entropy
from coinone.node.executor.core import Core
from coinone.node.keys import load_or_make_secrets
from coinone.node.networks import load_network
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.storage.storage import open_storage
from coinone.rules.chain.network import Allocation, Network
from coinone.rules.vm import engine_named

SENDERS = 250
GAS = 60_000  # a transfer to an empty balance takes 52,000
GIFT = 10**18
MAP_SIZE_BYTES = 2**32


@cache
def sender_keys() -> tuple[bytes, ...]:
    return tuple(keccak256(b"bench transfers" + number.to_bytes(4, "big")) for number in range(SENDERS))


def busy_network() -> Network:
    """The dev network with rich senders and contracts in every batch, so that blocks can be full."""
    dev = load_network("dev")
    rich = tuple(Allocation(address_of(key), GIFT, 10**12, 10**12) for key in sender_keys())
    return replace(dev, batches=replace(dev.batches, evm_every=1), allocations=(*dev.allocations, *rich))


def signed_transfers(
    network: Network, round_number: int, count: int, recipients: int = 100_000
) -> list[bytes]:
    """`count` transfers, the senders in turn, to random ones of `recipients` accounts. Each round goes on with
    the nonces of the round before it, which must have had the same count."""
    dice, keys = random.Random(round_number), sender_keys()
    each, left = divmod(count, SENDERS)
    assert not left, "every sender sends equally many"
    raws = []
    for place in range(each):
        for key in keys:
            to = keccak256(dice.randrange(recipients).to_bytes(4, "big"))[12:]
            data = (
                bytes.fromhex("a9059cbb")
                + to.rjust(32, b"\0")
                + (1 + dice.randrange(1000)).to_bytes(32, "big")
            )
            tx = EthereumTransaction(
                type=FEE_MARKET, chain_id=network.chain_id, nonce=round_number * each + place,
                max_fee_per_gas=2 * network.base_fee, max_priority_fee_per_gas=0, gas=GAS,
                to=network.quote_token.address, value=0, data=data,
            )  # fmt: skip
            raws.append(encode_transaction(sign_transaction(tx, key)))
    return raws


class BusyChain:
    """A node's core on a folder, without its thread."""

    def __init__(self, folder: Path) -> None:
        self.network = busy_network()
        storage = open_storage(folder, identity_of(self.network), MAP_SIZE_BYTES)
        self.secrets = load_or_make_secrets(folder, system_entropy)
        chain = open_chain(
            self.network, storage, self.secrets, 1_760_000_000_000, engine=engine_named("native")
        )
        self.core = Core(chain, storage, self.secrets, lambda published: None)

    def close(self) -> None:
        self.core.storage.close()
