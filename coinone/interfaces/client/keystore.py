"""Encrypt a private key with a password: Ethereum's key store, version 3 ("Web3 secret storage").

geth, Foundry, MetaMask and eth-account read and write the same files. The password goes through scrypt, which
makes each guess cost memory and time; other programs' files may use PBKDF2, which is read but never written.
"""

import hashlib
import hmac
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of, is_private_key
from coinone.interfaces.client.errors import Refused

SCRYPT_N = 2**17  # 128 MiB and about a second for each guess
SCRYPT_MEMORY_MAX = 2**29  # twice geth's standard, so that a hostile file cannot use all memory
PBKDF2_ROUNDS_MAX = 10_000_000


def lock(key: bytes, password: str, entropy: bytes, scrypt_n: int = SCRYPT_N) -> dict[str, Any]:
    """The key store of `key`; `entropy` is 64 random bytes (salt, nonce, id)."""
    salt, nonce, name = entropy[:32], entropy[32:48], entropy[48:64]
    secret = _scrypt(password, salt, scrypt_n, 8, 1, 32)
    sealed = _aes(secret[:16], nonce, key)
    return {
        "version": 3,
        "id": str(uuid.UUID(bytes=name, version=4)),
        "address": address_of(key).hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": nonce.hex()},
            "ciphertext": sealed.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": scrypt_n, "r": 8, "p": 1, "salt": salt.hex()},
            "mac": keccak256(secret[16:32] + sealed).hex(),
        },
    }


def unlock(text: str, password: str) -> bytes:
    """Decrypt the private key of a key store file. Raises Refused for a wrong password or format."""
    try:
        crypto = {name.lower(): part for name, part in json.loads(text).items()}["crypto"]
        sealed = bytes.fromhex(crypto["ciphertext"])
        nonce = bytes.fromhex(crypto["cipherparams"]["iv"])
        mac = bytes.fromhex(crypto["mac"])
        cipher = crypto["cipher"]
        secret = _derive(crypto["kdf"], crypto["kdfparams"], password)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"not a key store that can be read: {error}") from None
    if cipher != "aes-128-ctr":
        raise Refused(f"unknown cipher {cipher}")
    if not hmac.compare_digest(keccak256(secret[16:32] + sealed), mac):
        raise Refused("wrong password")
    key = _aes(secret[:16], nonce, sealed)
    if not is_private_key(key):
        raise Refused("the file holds no private key")
    return key


def _derive(kdf: str, parameters: Any, password: str) -> bytes:
    salt, size = bytes.fromhex(parameters["salt"]), int(parameters["dklen"])
    if size < 32 or size > 64:
        raise ValueError("bad key length")
    if kdf == "scrypt":
        n, r, p = int(parameters["n"]), int(parameters["r"]), int(parameters["p"])
        if 128 * n * r > SCRYPT_MEMORY_MAX or p > 64:
            raise ValueError("its scrypt parameters ask for too much memory or time")
        return _scrypt(password, salt, n, r, p, size)
    if kdf == "pbkdf2" and parameters.get("prf") == "hmac-sha256":
        if int(parameters["c"]) > PBKDF2_ROUNDS_MAX:
            raise ValueError("its PBKDF2 parameters ask for too much time")
        return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, int(parameters["c"]), size)
    raise ValueError(f"unknown key derivation {kdf}")


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int, size: int) -> bytes:
    memory = 2 * SCRYPT_MEMORY_MAX  # OpenSSL's default cap is too low for one derivation
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=size)


def _aes(key: bytes, nonce: bytes, data: bytes) -> bytes:
    cipher = Cipher(algorithms.AES128(key), modes.CTR(nonce)).encryptor()
    return cipher.update(data) + cipher.finalize()
