"""What a client signs, so that the chain can check it without trusting the server between them.

An *L1 action* is hashed as msgpack together with its nonce, and the hash is signed as a "phantom agent"
(Hyperliquid's scheme). A *user-signed* action, which moves funds or grants power, is signed field by field
as EIP-712 typed data, so that a wallet can show it. The chain is named in both: `source` is
"coinone:<chainId>", `hyperliquidChain` is "Coinone", and the typed data's domain has our chain id. A
signature made here therefore means nothing on Hyperliquid, and one made there nothing here.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from coinone.base.crypto.eip712 import StructType, domain_separator, signing_digest
from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of, is_private_key, sign
from coinone.base.primitives.parse import parse_address, parse_bytes
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.client.actions import Action
from coinone.interfaces.client.ethereum import Transaction

_L1_DOMAIN = domain_separator("Exchange", "1", 1337)
_AGENT = StructType("Agent", (("string", "source"), ("bytes32", "connectionId")))


def _struct(name: str, *fields: tuple[str, str]) -> StructType:
    return StructType(f"HyperliquidTransaction:{name}", (("string", "hyperliquidChain"), *fields))


_DESTINATION, _AMOUNT = ("string", "destination"), ("string", "amount")
_TIME, _NONCE = ("uint64", "time"), ("uint64", "nonce")
# Hyperliquid's field lists (its Python SDK, utils/signing.py), and our leaveAgency; their order is part of the hash.
USER_SIGNED = {
    "usdSend": _struct("UsdSend", _DESTINATION, _AMOUNT, _TIME),
    "spotSend": _struct("SpotSend", _DESTINATION, ("string", "token"), _AMOUNT, _TIME),
    "withdraw3": _struct("Withdraw", _DESTINATION, _AMOUNT, _TIME),
    "usdClassTransfer": _struct("UsdClassTransfer", _AMOUNT, ("bool", "toPerp"), _NONCE),
    "sendAsset": _struct(
        "SendAsset",
        _DESTINATION,
        ("string", "sourceDex"),
        ("string", "destinationDex"),
        ("string", "token"),
        _AMOUNT,
        ("string", "fromSubAccount"),
        _NONCE,
    ),
    "approveAgent": _struct("ApproveAgent", ("address", "agentAddress"), ("string", "agentName"), _NONCE),
    "leaveAgency": _struct("LeaveAgency", _NONCE),
    "approveBuilderFee": _struct(
        "ApproveBuilderFee", ("string", "maxFeeRate"), ("address", "builder"), _NONCE
    ),
}


@dataclass(frozen=True, slots=True)
class Domain:
    """Which chain a signature is for."""

    source: str
    chain_name: str
    signature_chain_id: int

    @staticmethod
    def coinone(chain_id: int) -> "Domain":
        return Domain(f"coinone:{chain_id}", "Coinone", chain_id)


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
        """The time in ms, or one more than the last nonce where two fall into one millisecond."""
        now = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        with self._lock:
            self._last_nonce = max(self._last_nonce + 1, now)
            return self._last_nonce

    def sign_digest(self, message: Hash32) -> dict[str, Any]:
        """The signature as the exchange API takes it."""
        r, s, v = sign(message, self._key)
        return {"r": hex(r), "s": hex(s), "v": v}

    def sign_transaction(self, transaction: Transaction) -> bytes:
        """The bytes that eth_sendRawTransaction takes."""
        return transaction.sign(self._key)


def sign_action(
    signer: Signer,
    domain: Domain,
    action: Action,
    vault: str | None = None,
    expires_after: int | None = None,
    at_ms: int | None = None,
) -> dict[str, Any]:
    """The body of POST /exchange for `action`, signed with a fresh nonce (of another time if `at_ms` is given)."""
    nonce = signer.nonce(at_ms)
    if action["type"] in USER_SIGNED:
        action = complete_user_action(action, domain, nonce)
        message = user_action_digest(action)
    else:
        message = l1_digest(action, nonce, domain.source, vault, expires_after)
    return {
        "action": action,
        "nonce": nonce,
        "signature": signer.sign_digest(message),
        "vaultAddress": vault,
        "expiresAfter": expires_after,
    }


def l1_digest(
    action: Any, nonce: int, source: str, vault: str | None = None, expires_after: int | None = None
) -> Hash32:
    """What is signed for an L1 action."""
    connection_id = action_hash(action, nonce, vault, expires_after)
    return signing_digest(_L1_DOMAIN, _AGENT.hash({"source": source, "connectionId": connection_id}))


def action_hash(action: Any, nonce: int, vault: str | None, expires_after: int | None) -> Hash32:
    data = msgspec.msgpack.encode(action) + nonce.to_bytes(8, "big")
    data += b"\0" if vault is None else b"\1" + parse_address(vault)
    if expires_after is not None:
        data += b"\0" + expires_after.to_bytes(8, "big")
    return keccak256(data)


def complete_user_action(action: Action, domain: Domain, nonce: int) -> Action:
    """`action` with the fields that tie it to a chain and a moment."""
    moment = "time" if _TIME in USER_SIGNED[action["type"]].fields else "nonce"
    return {
        **action,
        "hyperliquidChain": domain.chain_name,
        "signatureChainId": hex(domain.signature_chain_id),
        moment: nonce,
    }


def user_action_digest(action: Action) -> Hash32:
    """What is signed for a user-signed action that is complete."""
    struct = USER_SIGNED[action["type"]]
    # An agent without a name is signed with the empty one, and sent without (as Hyperliquid's SDK does).
    values = {name: _value(kind, action.get(name, "")) for kind, name in struct.fields}
    separator = domain_separator("HyperliquidSignTransaction", "1", int(action["signatureChainId"], 16))
    return signing_digest(separator, struct.hash(values))


def _value(kind: str, value: Any) -> Any:
    return parse_address(value) if kind == "address" else value
