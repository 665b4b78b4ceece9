"""Key derivation from a mnemonic: BIP-39 (words to seed) and BIP-32 (seed to a tree of secp256k1 keys).

Only private derivation, the part that signing needs. A path such as m/44'/60'/0'/0/3 names a key in the
tree (BIP-44; 60 is Ethereum's coin type); the mark ' means *hardened*: derived from the private key, so
that a leaked child and the parent's public key do not give the parent away.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from coincurve import PrivateKey

from coinone.base.crypto.secp256k1 import CURVE_ORDER, is_private_key
from coinone.base.primitives.errors import DecodeError

HARDENED = 0x80000000
ETHEREUM_PATH = "m/44'/60'/0'/0"  # BIP-44, external chain: the default of wallets
_SEED_ROUNDS = 2048  # BIP-39


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A private key and the chain code that its children are derived with."""

    key: bytes
    chain_code: bytes

    def child(self, index: int) -> "ExtendedKey":
        """The child private key `index` (BIP-32, CKDpriv); 2^31 and above are hardened."""
        if index >= HARDENED:
            data = b"\0" + self.key
        else:
            data = PrivateKey(self.key).public_key.format(compressed=True)
        left, right = _halves(self.chain_code, data + index.to_bytes(4, "big"))
        secret = (int.from_bytes(left, "big") + int.from_bytes(self.key, "big")) % CURVE_ORDER
        if int.from_bytes(left, "big") >= CURVE_ORDER or secret == 0:
            raise DecodeError("no key at this index", index=index)  # odds 2^-127; BIP-32: take the next
        return ExtendedKey(secret.to_bytes(32, "big"), right)

    def derive(self, path: str) -> "ExtendedKey":
        """The key at `path`, counted from this one, such as m/44'/60'/0'/0/3."""
        key = self
        for index in _parse_path(path):
            key = key.child(index)
        return key


def seed_of(mnemonic: str, passphrase: str = "") -> bytes:
    """The 64-byte seed of a mnemonic (BIP-39). The words are not validated here; that is the wallet's job."""
    words = unicodedata.normalize("NFKD", mnemonic).encode()
    salt = unicodedata.normalize("NFKD", "mnemonic" + passphrase).encode()
    return hashlib.pbkdf2_hmac("sha512", words, salt, _SEED_ROUNDS)


def master_key(seed: bytes) -> ExtendedKey:
    """The root of a seed's tree (BIP-32)."""
    left, right = _halves(b"Bitcoin seed", seed)
    if not is_private_key(left):
        raise DecodeError("this seed has no master key")
    return ExtendedKey(left, right)


def ethereum_keys(mnemonic: str, count: int, start: int = 0) -> list[bytes]:
    """The private keys of Ethereum accounts `start` .. `start + count - 1` of a mnemonic."""
    branch = master_key(seed_of(mnemonic)).derive(ETHEREUM_PATH)
    return [branch.child(start + index).key for index in range(count)]


def _halves(key: bytes, data: bytes) -> tuple[bytes, bytes]:
    digest = hmac.new(key, data, hashlib.sha512).digest()
    return digest[:32], digest[32:]


def _parse_path(path: str) -> list[int]:
    first, *steps = path.split("/")
    if first != "m":
        raise DecodeError("a derivation path starts with m", have=path)
    return [_parse_step(step) for step in steps]


def _parse_step(step: str) -> int:
    hardened = step[-1:] in ("'", "h", "H")
    digits = step[:-1] if hardened else step
    if not (digits.isascii() and digits.isdigit()) or int(digits) >= HARDENED:
        raise DecodeError("bad step in a derivation path", have=step)
    return int(digits) + (HARDENED if hardened else 0)
