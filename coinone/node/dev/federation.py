"""Data folders of a local federation: each member's keys, one genesis, and its block 0.

Dev's members report the same prices, so they share the reporter's key.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from coinone.node.clock import Entropy
from coinone.node.keys import (
    REPORTER,
    Secrets,
    key_file,
    load_or_make_secrets,
    load_or_make_transport_key,
)
from coinone.node.limits import MAP_MIB
from coinone.node.recovery.startup import identity_of, new_genesis, open_chain
from coinone.node.storage.storage import open_storage
from coinone.protocols.secure_channel.handshake import KeyPair
from coinone.rules.chain.network import Network


def make_members(
    network: Network, folders: Sequence[Path], now_ms: int, entropy: Entropy, made: Callable[[], None]
) -> None:
    """Make a data folder for each member of a new chain; `made` is called after each. Raises StorageError."""
    secrets: list[Secrets] = []
    for folder in folders:
        secrets.append(load_or_make_secrets(folder, entropy))
        if len(secrets) > 1:
            shutil.copy2(key_file(folders[0], REPORTER), key_file(folder, REPORTER))
    genesis = new_genesis(network, secrets, now_ms)
    for folder, own in zip(folders, secrets, strict=True):
        storage = open_storage(folder, identity_of(network), MAP_MIB << 20)
        try:
            open_chain(network, storage, own, now_ms, genesis)
        finally:
            storage.close()
        made()


def transport_key_of(folder: Path, entropy: Entropy) -> bytes:
    """The public key that the node of this folder proves to its peers."""
    return KeyPair(load_or_make_transport_key(folder, entropy)).public
