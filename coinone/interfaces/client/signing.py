"""Sign actions and transactions, so that the chain can verify them without trusting the API server.

An *L1 action* is hashed as msgpack together with its nonce, and the hash is signed as a "phantom agent"
(Hyperliquid's scheme). A *user-signed* action, which moves funds or grants power, is signed field by field
as EIP-712 typed data, so that a wallet can show it. The chain is named in both: `source` is
"coinone:<chainId>", `hyperliquidChain` is "Coinone", and the typed data's domain has our chain id. A
signature for this chain is therefore invalid on Hyperliquid, and the reverse.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from coinone.base.crypto.secp256k1 import address_of, is_private_key, sign
from coinone.base.forms.domains import OWN_CHAIN, own_source
from coinone.base.forms.exchange import l1_digest, user_digest
from coinone.base.forms.user_signed import BY_JSON
from coinone.base.primitives.parse import parse_address, parse_bytes
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.client.actions import Action
from coinone.interfaces.client.ethereum import Transaction


@dataclass(frozen=True, slots=True)
class Domain:
    """The chain that a signature is for."""

    source: str
    chain_name: str
    signature_chain_id: int

    @staticmethod
    def coinone(chain_id: int) -> "Domain":
        return Domain(own_source(chain_id), OWN_CHAIN, chain_id)


class Signer:
    """A private key with the nonces it has used; safe to share between threads."""

    def __init__(self, key: bytes | str) -> None:
        raw = parse_bytes(key, 32) if isinstance(key, str) else key
        if not is_private_key(raw):
            raise ValueError("not a private key: 32 bytes below the order of the curve are needed")
        self._key = raw
        self.address: Address = address_of(raw)
        self._last_nonce = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Signer(0x{self.address.hex()})"

    def nonce(self, at_ms: int | None = None) -> int:
        """A new nonce: the time in ms, or one more than the last nonce within the same millisecond."""
        now = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        with self._lock:
            self._last_nonce = max(self._last_nonce + 1, now)
            return self._last_nonce

    def sign_digest(self, message: Hash32) -> dict[str, Any]:
        """Sign a digest, in the format of the exchange API."""
        r, s, v = sign(message, self._key)
        return {"r": hex(r), "s": hex(s), "v": v}

    def sign_transaction(self, transaction: Transaction) -> bytes:
        """Sign a transaction; return the bytes for eth_sendRawTransaction."""
        return transaction.sign(self._key)


def sign_action(
    signer: Signer,
    domain: Domain,
    action: Action,
    vault: str | None = None,
    expires_after: int | None = None,
    at_ms: int | None = None,
) -> dict[str, Any]:
    """Sign `action` with a new nonce (of time `at_ms` if given); return the body of POST /exchange."""
    nonce = signer.nonce(at_ms)
    if action["type"] in BY_JSON:
        action = complete_user_action(action, domain, nonce)
        message = user_action_digest(action)
    else:
        message = l1_action_digest(action, nonce, domain.source, vault, expires_after)
    return {
        "action": action,
        "nonce": nonce,
        "signature": signer.sign_digest(message),
        "vaultAddress": vault,
        "expiresAfter": expires_after,
    }


def l1_action_digest(
    action: Any, nonce: int, source: str, vault: str | None = None, expires_after: int | None = None
) -> Hash32:
    """The digest that is signed for an L1 action."""
    account = None if vault is None else parse_address(vault)
    return l1_digest(msgspec.msgpack.encode(action), nonce, account, expires_after, source)


def complete_user_action(action: Action, domain: Domain, nonce: int) -> Action:
    """Add the fields that bind a user-signed action to a chain and a time."""
    return {
        **action,
        "hyperliquidChain": domain.chain_name,
        "signatureChainId": hex(domain.signature_chain_id),
        BY_JSON[action["type"]].moment: nonce,
    }


def user_action_digest(action: Action) -> Hash32:
    """The digest that is signed for a complete user-signed action."""
    form = BY_JSON[action["type"]]
    # An agent without a name is signed with the empty one, and sent without (as Hyperliquid's SDK does).
    values = {name: _value(kind, action.get(name, "")) for kind, name in form.fields}
    return user_digest(form, values, int(action["signatureChainId"], 16))


def _value(kind: str, value: Any) -> Any:
    return parse_address(value) if kind == "address" else value
