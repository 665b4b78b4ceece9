"""The dev network's oracle: a reporter of random-walk prices, independent of the demo makers.

Each market follows a geometric random walk in integers, with a light pull towards its initial price so that a node left
running for weeks keeps plausible prices: that of the network's file, and of a market listed later the price that it had
when this process first saw it. The walk is seeded: the same seed and steps give the same prices on every machine.
"""

from collections.abc import Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.integers import div_toward_zero, muldiv_down
from coinone.node.clock import Clock, Entropy
from coinone.node.executor.core import Core
from coinone.node.roles.reporter import Prices, Reporter
from coinone.rules.chain.network import MarketSpec

_STEP_PPM = 150  # standard deviation: about 60 % a year at one step every two seconds
_PULL = 20_000  # 1 / _PULL of the distance to the initial price, each step
_MILLION = 1_000_000
_FINE = 1_000_000  # the walk's subdivisions of a price unit, or small steps would round to nothing


def dev_oracle(core: Core, key: bytes, clock: Clock, entropy: Entropy) -> Reporter:
    """A reporter whose prices continue from the chain's last ones."""
    network = core.chain.network
    assert network.is_dev, "the random-walk oracle is for the dev network"
    last = core.chain.exchange.rows.markets["oracle"].tolist()
    walk = PriceWalk(network.markets, entropy(32), last[: len(network.markets)])

    def prices() -> Prices:
        rows = core.chain.exchange.rows
        markets = rows.markets[: rows.market_count]
        walk.follow(markets["oracle"].tolist(), markets["oracle_ms"].tolist())
        return walk.step()

    return Reporter(core, key, prices, clock, entropy)


class PriceWalk:
    """Prices of all markets, one step at a time."""

    def __init__(self, markets: Sequence[MarketSpec], seed: bytes, last: Sequence[int] = ()) -> None:
        """`last` are the prices to continue from, 0 or missing if unknown."""
        self._seed = seed
        self._steps = 0
        self._start = [market.start_price * _FINE for market in markets]
        begun = [price * _FINE for price in last] + [0] * (len(markets) - len(last))
        self._price = [price or start for price, start in zip(begun, self._start, strict=True)]

    def follow(self, last: Sequence[int], priced_ms: Sequence[int]) -> None:
        """Walk in every market that there is now; in one that has no oracle price yet from that of its listing."""
        for market, (price, time_ms) in enumerate(zip(last, priced_ms, strict=True)):
            if market >= len(self._price) or time_ms == 0:
                self._start[market : market + 1] = self._price[market : market + 1] = [price * _FINE]

    def step(self) -> Prices:
        """The next (market, price) pairs, in the markets' price units."""
        self._steps += 1
        for market, price in enumerate(self._price):
            noise = self._normal_ppm(market)
            pull = div_toward_zero(self._start[market] - price, _PULL)
            moved = muldiv_down(price, _MILLION + noise, _MILLION) + pull
            self._price[market] = max(moved, _FINE)
        return tuple((market, price // _FINE) for market, price in enumerate(self._price))

    def _normal_ppm(self, market: int) -> int:
        """An approximately normal number: the sum of twelve uniform numbers has variance one (per unit of their
        range)."""
        dice = keccak256(self._seed + self._steps.to_bytes(8, "big") + market.to_bytes(2, "big"))
        total = sum(int.from_bytes(dice[2 * place : 2 * place + 2], "big") for place in range(12))
        return div_toward_zero((total - 6 * 65_535) * _STEP_PPM, 65_536)
