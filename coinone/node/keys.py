"""The node's own keys: generated at the first start, readable by the owner only, never in the repository."""

import os
from dataclasses import dataclass
from pathlib import Path

from coinone.base.crypto.secp256k1 import address_of, is_private_key
from coinone.base.primitives.errors import StorageError
from coinone.base.primitives.types import Address
from coinone.node.clock import Entropy

FOLDER = "keys"
FEDERATION, REPORTER, SEEDS, TRANSPORT = (
    "federation",
    "reporter",
    "seeds",
    "transport",
)  # the files in the folder


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The node's private keys and seed secret. `repr` is off: secrets must not get into logs."""

    federation: bytes
    reporter: bytes
    seeds: bytes

    @property
    def member(self) -> Address:
        return address_of(self.federation)

    @property
    def reporter_address(self) -> Address:
        return address_of(self.reporter)


def key_file(data_dir: Path, name: str) -> Path:
    return data_dir / FOLDER / name


def load_or_make_secrets(data_dir: Path, entropy: Entropy, is_new: bool = True) -> Secrets:
    """Load the keys, or generate them for a new chain. An existing chain needs the keys that it was begun with.
    Raises StorageError if a key file of an existing chain is missing, or if one is damaged or readable by others."""
    folder = data_dir / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Secrets(
            _load_or_make(folder / FEDERATION, entropy, is_new),
            _load_or_make(folder / REPORTER, entropy, is_new),
            _load_or_make(folder / SEEDS, entropy, is_new),
        )
    except OSError as error:
        raise StorageError(f"key folder {folder}: {error.strerror}") from error


def load_or_make_transport_key(data_dir: Path, entropy: Entropy) -> bytes:
    """The private key that proves this node to its peers. It belongs to no chain: if it is missing, a new one is
    made, and nodes that pinned the old one refuse this node until their operators change the pin. Raises
    StorageError."""
    path = key_file(data_dir, TRANSPORT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _load_or_make(path, entropy, is_new=True)
    except OSError as error:
        raise StorageError(f"key file {path}: {error.strerror}") from error


def _load_or_make(path: Path, entropy: Entropy, is_new: bool) -> bytes:
    if path.exists():
        return _load(path)
    if not is_new:
        raise StorageError(f"key file {path} is gone: restore it, or start with a fresh data folder")
    key = entropy(32)
    while not is_private_key(key):  # probability 2^-128
        key = entropy(32)
    _write(path, key)
    return key


def _load(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise StorageError(f"key file {path} is open to others: set its mode to 0600")
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if not is_private_key(key):
        raise StorageError(f"key file {path} holds no key")
    return key


def _write(path: Path, key: bytes) -> None:
    """Write the file atomically: a crash leaves no partial key under the final name."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, key.hex().encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
