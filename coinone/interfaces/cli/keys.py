"""Load the signing key of a command from a file, or take a public account of the dev network."""

import os
import secrets
from pathlib import Path

import typer

from coinone.base.crypto.secp256k1 import is_private_key
from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.client import keystore
from coinone.interfaces.client.dev import DEV_ACCOUNTS, dev_keys


def load_key(key_file: Path | None, dev: int | None) -> bytes:
    """The private key to sign with. Raises InvalidInput, Refused."""
    if (key_file is None) == (dev is None):
        raise InvalidInput("a signing key is needed: either --key-file FILE or --dev NUMBER")
    if dev is not None:
        if not 0 <= dev < DEV_ACCOUNTS:
            raise InvalidInput(f"the dev accounts are 0 to {DEV_ACCOUNTS - 1}", have=dev)
        return dev_keys()[dev]
    assert key_file is not None
    text = key_file.read_text()
    if text.lstrip().startswith("{"):
        return keystore.unlock(text, typer.prompt(f"Password of {key_file}", hide_input=True, err=True))
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        key = b""
    if not is_private_key(key):
        raise InvalidInput(f"{key_file} is neither a key store nor a private key in hex")
    return key


def write_private(path: Path, text: str) -> None:
    """Create a file that only its owner can read. Raises InvalidInput if it exists."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput(f"{path} already exists; nothing was overwritten") from None
    with os.fdopen(handle, "w") as file:
        file.write(text)


def fresh_key() -> bytes:
    while not is_private_key(key := secrets.token_bytes(32)):
        continue
    return key
