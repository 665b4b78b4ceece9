"""Coinone's precompiled contracts: their record, and their view of the exchange."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from coinone.base.primitives.types import Address
from coinone.rules.exchange.rows.tables import Side
from coinone.rules.exchange.state.exchange import Exchange


class ExchangeView(Protocol):
    """A contract's view of the exchange: the whole one in memory, or an account at a time from its leaves."""

    def exchange(self, account: Address | None) -> Exchange:
        """An exchange with all markets, and with `account`, if it exists."""
        ...

    def best(self, market: int) -> tuple[int, int]:
        """Best bid and ask; 0 where a side is empty."""
        ...


class Whole:
    """A view of the exchange that batches run on."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def exchange(self, account: Address | None) -> Exchange:
        return self._exchange

    def best(self, market: int) -> tuple[int, int]:
        return best_of(self._exchange, market)


def best_of(exchange: Exchange, market: int) -> tuple[int, int]:
    """Best bid and ask of a market; 0 where a side is empty."""
    book = exchange.rows.book
    return book.best(market, Side.BUY) or 0, book.best(market, Side.SELL) or 0


@dataclass(frozen=True, slots=True)
class OwnPrecompile:
    """A precompiled contract of Coinone: the chain and docs/protocol read this record.

    `run` gets the view, the input and the available gas, and returns the gas used and the output.
    """

    number: int  # its address
    arguments: tuple[str, ...]  # ABI type and name
    answer: str
    run: Callable[[ExchangeView, bytes, int], tuple[int, bytes]]

    @property
    def address(self) -> Address:
        return self.number.to_bytes(20, "big")
