"""The dev network's oracle reporter: prices from nowhere, but never from the demo makers.

Each market follows a geometric random walk in integers, with a light pull towards where it began so that a
node left running for weeks keeps prices a person would recognise. The walk is seeded: the same seed and steps
give the same prices on every machine.
"""

from collections.abc import Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import sign
from coinone.base.forms.exchange import oracle_digest
from coinone.base.primitives.integers import div_toward_zero, muldiv_down
from coinone.rules.chain.network import MarketSpec
from coinone.rules.exchange.wire.envelope import encode_oracle
from coinone.rules.exchange.wire.types import OracleEnvelope

INTERVAL_MIN_MS = 1_000
INTERVAL_SPREAD_MS = 2_000
_STEP_PPM = 150  # standard deviation: about 60 % a year at one step every two seconds
_PULL = 20_000  # a part in so many of the distance to the start, each step
_MILLION = 1_000_000
_FINE = 1_000_000  # the walk's own units are so much finer than a price unit, or small steps would vanish


class PriceWalk:
    """Prices of all markets, one step at a time."""

    def __init__(self, markets: Sequence[MarketSpec], seed: bytes, last: Sequence[int] = ()) -> None:
        """`last` are the prices to go on from, 0 or missing where there are none."""
        self._seed = seed
        self._steps = 0
        self._start = [market.start_price * _FINE for market in markets]
        begun = [price * _FINE for price in last] + [0] * (len(markets) - len(last))
        self._price = [price or start for price, start in zip(begun, self._start, strict=True)]

    def step(self) -> tuple[tuple[int, int], ...]:
        """The next (market, price) pairs, in the markets' price units."""
        self._steps += 1
        for market, price in enumerate(self._price):
            noise = self._normal_ppm(market)
            pull = div_toward_zero(self._start[market] - price, _PULL)
            moved = muldiv_down(price, _MILLION + noise, _MILLION) + pull
            self._price[market] = max(moved, _FINE)
        return tuple((market, price // _FINE) for market, price in enumerate(self._price))

    def _normal_ppm(self, market: int) -> int:
        """Nearly normal: the sum of twelve uniform numbers has variance one (per unit of their range)."""
        dice = keccak256(self._seed + self._steps.to_bytes(8, "big") + market.to_bytes(2, "big"))
        total = sum(int.from_bytes(dice[2 * place : 2 * place + 2], "big") for place in range(12))
        return div_toward_zero((total - 6 * 65_535) * _STEP_PPM, 65_536)


def signed_prices(chain_id: int, time_ms: int, prices: tuple[tuple[int, int], ...], key: bytes) -> bytes:
    """The oracle transaction of a reporter."""
    signature = sign(oracle_digest(chain_id, time_ms, prices), key)
    return encode_oracle(OracleEnvelope(time_ms, prices, signature.r, signature.s, signature.v))
