"""Report prices: sign them as the network requires, and submit them as every reporter does."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from coinone.base.crypto.secp256k1 import sign
from coinone.base.forms.exchange import oracle_digest
from coinone.base.primitives.errors import InvalidTransaction
from coinone.node.clock import Clock, Entropy
from coinone.node.executor.core import Core
from coinone.rules.exchange.wire.envelope import encode_oracle
from coinone.rules.exchange.wire.types import OracleEnvelope, OracleReport

Prices: TypeAlias = tuple[tuple[int, int], ...]  # (market, price) in the markets' price units

INTERVAL_MIN_MS = 1_000
INTERVAL_SPREAD_MS = 2_000


class Reporter:
    """The role that reports the prices from `prices`, every one to three seconds."""

    def __init__(
        self, core: Core, key: bytes, prices: Callable[[], Prices], clock: Clock, entropy: Entropy
    ) -> None:
        self._core = core
        self._key = key
        self._prices = prices
        self._clock = clock
        self._entropy = entropy
        self._next = clock.steady_s()

    def due(self) -> float:
        return self._next

    def work(self, now: float) -> None:
        time_ms = max(self._clock.wall_ms(), self._core.chain.cursor.time_ms + 1)
        with suppress(InvalidTransaction):  # if the clock does not advance, the prices are not new
            report_prices(self._core, time_ms, self._prices(), self._key)
        spread = int.from_bytes(self._entropy(2), "big") * INTERVAL_SPREAD_MS // 65_536
        self._next = now + (INTERVAL_MIN_MS + spread) / 1000


def report_prices(core: Core, time_ms: int, prices: Prices, key: bytes) -> None:
    """Submit the prices of `time_ms`, the current time. Raises InvalidInput."""
    raw = signed_prices(core.chain.network.chain_id, time_ms, prices, key)
    report = core.chain.verify(raw)
    assert isinstance(report, OracleReport), "encoded as one"
    core.add_oracle(raw, report, time_ms)


def signed_prices(chain_id: int, time_ms: int, prices: Prices, key: bytes) -> bytes:
    """Encode and sign a reporter's oracle transaction."""
    signature = sign(oracle_digest(chain_id, time_ms, prices), key)
    return encode_oracle(OracleEnvelope(time_ms, prices, signature.r, signature.s, signature.v))
