"""The markets by their client names: coin strings to asset numbers, and units to decimals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_figure
from coinone.base.primitives.units import price_decimals


class Listed(Protocol):
    """A market in the node's view, in the order of listing."""

    @property
    def name(self) -> str: ...

    @property
    def sz_decimals(self) -> int: ...

    @property
    def max_leverage(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Coin:
    """One market: its asset number is its index in `meta.universe`."""

    index: int
    name: str
    sz_decimals: int
    max_leverage: int

    @property
    def px_decimals(self) -> int:
        return price_decimals(self.sz_decimals)

    def px(self, value: int) -> str:
        return format_figure(value, self.px_decimals)

    def sz(self, value: int) -> str:
        return format_figure(value, self.sz_decimals)


class Coins:
    """All markets of a view by number and by name."""

    def __init__(self, markets: Sequence[Listed] = ()) -> None:
        self.all = tuple(
            Coin(index, market.name, market.sz_decimals, market.max_leverage)
            for index, market in enumerate(markets)
        )
        self._by_name = {coin.name: coin for coin in self.all}

    def of(self, markets: Sequence[Listed]) -> "Coins":
        """The coins of another view's markets: these same ones, unless a batch listed more in between."""
        return self if len(markets) == len(self.all) else Coins(markets)

    def __getitem__(self, index: int) -> Coin:
        return self.all[index]

    def named(self, name: object) -> Coin:
        """The market of this name. Raises InvalidInput for a coin that is not traded here."""
        coin = self._by_name.get(name) if isinstance(name, str) else None
        if coin is None:
            raise InvalidInput("unknown coin")
        return coin
