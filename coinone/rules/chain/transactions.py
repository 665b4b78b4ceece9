"""Transactions by their first byte, and a cache of verified ones.

    0xc0 and above      Ethereum, legacy
    0x01, 0x02, 0x04    Ethereum, typed
    0x70, 0x71          exchange action (rules/exchange/actions)
    0x72                oracle prices

Verifying costs a signature recovery, about 80 µs, so what the pool has verified is not verified again when the batch is
executed. The cache changes no result: a transaction's meaning is a function of its bytes.
"""

from collections import OrderedDict
from typing import TypeAlias

from coinone.base.forms.ethereum import EthereumTransaction, decode_transaction
from coinone.base.forms.exchange import L1_TYPE, ORACLE_TYPE, USER_TYPE
from coinone.base.primitives.errors import DecodeError
from coinone.rules.exchange.actions.verify import verify_raw
from coinone.rules.exchange.wire.envelope import decode_oracle
from coinone.rules.exchange.wire.oracle import verify_oracle
from coinone.rules.exchange.wire.types import DomainRules, OracleReport, VerifiedAction
from coinone.rules.limits import VERIFIED_BYTES_MAX, VERIFIED_TRANSACTIONS_MAX

Verified: TypeAlias = EthereumTransaction | VerifiedAction | OracleReport


def is_ethereum(raw: bytes) -> bool:
    """Whether it is an Ethereum transaction by its first byte; it may still not decode."""
    return raw[0] not in (L1_TYPE, USER_TYPE, ORACLE_TYPE)


def verify_transaction(raw: bytes, rules: DomainRules) -> Verified:
    """Decode `raw` and recover its signer. Raises InvalidInput."""
    if not raw:
        raise DecodeError("empty transaction")
    kind = raw[0]
    if kind in (L1_TYPE, USER_TYPE):
        return verify_raw(raw, rules)
    if kind == ORACLE_TYPE:
        return verify_oracle(decode_oracle(raw), rules.chain_id)
    tx = decode_transaction(raw)
    assert tx.sender, "an invalid signature raises on recovery"
    return tx


class Verifier:
    """`verify_transaction` with a cache of the latest results."""

    def __init__(
        self,
        rules: DomainRules,
        most: int = VERIFIED_TRANSACTIONS_MAX,
        bytes_max: int = VERIFIED_BYTES_MAX,
    ) -> None:
        self._rules = rules
        self._most = most
        self._bytes_max = bytes_max
        self._bytes = 0
        self._known: OrderedDict[bytes, Verified] = OrderedDict()

    def __call__(self, raw: bytes) -> Verified:
        known = self._known.get(raw)
        return self.remember(raw, verify_transaction(raw, self._rules)) if known is None else known

    def remember(self, raw: bytes, verified: Verified) -> Verified:
        """Cache a result from elsewhere, for instance from another thread."""
        self._bytes += 0 if raw in self._known else len(raw)
        self._known[raw] = verified
        while len(self._known) > self._most or self._bytes > self._bytes_max:
            self._bytes -= len(self._known.popitem(last=False)[0])
        return verified
