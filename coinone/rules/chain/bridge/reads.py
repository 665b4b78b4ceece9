"""How contracts read the exchange: precompiled contracts at 0x0800.., with Hyperliquid's encodings (D10).

Called with ABI-encoded arguments and no selector; the answer is an ABI-encoded struct. Within an EVM segment
all see the exchange as it stands after segment 7: an action that a contract writes shows in the next one.
Perpetual prices come with 6 - szDecimals decimals, sizes with szDecimals, money with 6: the exchange's own
units. What names no market or token fails, and takes all the gas of its call, as on Hyperliquid.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from coinone.base.primitives.integers import div_up
from coinone.base.primitives.types import Address
from coinone.base.primitives.units import QUOTE_DECIMALS
from coinone.rules.exchange.accounts.equity import equity
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.rows.tables import Side
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles import Precompile, pay

READ_BASE_GAS = 2_000
READ_GAS_PER_BYTE = 65  # of the answer
_WORD = 32
_QUOTE_TOKEN = 0

Words: TypeAlias = tuple[int, ...]
Reader: TypeAlias = Callable[[Exchange, Words], bytes]


class Seen(Protocol):
    """An exchange as a contract sees it: the whole one in memory, or an account at a time from its leaves."""

    def exchange(self, account: Address | None) -> Exchange:
        """One with all markets, and with `account`, if there is such an account."""
        ...

    def best(self, market: int) -> tuple[int, int]:
        """Best bid and ask; 0 where a side is empty."""
        ...


class Whole:
    """The exchange that batches run on."""

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


def exchange_precompiles(seen: Seen) -> dict[Address, Precompile]:
    """The read precompiles over an exchange."""
    readers: dict[Address, Precompile] = {
        address: partial(_run, seen, *row) for address, row in READERS.items()
    }
    return {**readers, BBO: partial(_bbo, seen)}


def _run(seen: Seen, widths: Sequence[int], read: Reader, data: bytes, gas: int) -> tuple[int, bytes]:
    """Reading is cheap and bounded, so it may come before the gas is counted: the price depends on the answer."""
    pay(READ_BASE_GAS, gas)
    words = _arguments(data, widths)
    account = words[widths.index(_ADDRESS)].to_bytes(20, "big") if _ADDRESS in widths else None
    return _paid(read(seen.exchange(account), words), gas)


def _paid(output: bytes, gas: int) -> tuple[int, bytes]:
    return pay(READ_BASE_GAS + READ_GAS_PER_BYTE * len(output), gas), output


def _arguments(data: bytes, widths: Sequence[int]) -> Words:
    """One word per argument, each within its type's bits."""
    if len(data) != _WORD * len(widths):
        raise PrecompileFailure
    words = tuple(int.from_bytes(data[at : at + _WORD], "big") for at in range(0, len(data), _WORD))
    if any(word >> bits for word, bits in zip(words, widths, strict=True)):
        raise PrecompileFailure
    return words


def _position(ex: Exchange, words: Words) -> bytes:
    """szi, entryNtl, isolatedRawUsd, leverage, isIsolated"""
    slot, market = _slot(ex, words[0]), _market(ex, words[1])
    first = int(ex.rows.markets[market]["first_leverage"])
    if slot is None:
        return _encode(0, 0, 0, first, 0)
    held = ex.rows.positions[slot, market]
    leverage = int(held["leverage"]) or first
    isolated = int(held["isolated_margin"])
    return _encode(
        int(held["size"]), abs(int(held["entry_notional"])), isolated, leverage, int(bool(held["isolated"]))
    )


def _spot_balance(ex: Exchange, words: Words) -> bytes:
    """total, hold, entryNtl: one balance serves spot and perpetuals, `hold` is what backs positions."""
    _token(words[1])
    slot = _slot(ex, words[0])
    if slot is None:
        return _encode(0, 0, 0)
    total = max(0, equity(ex.rows, slot))
    return _encode(total, total - min(total, withdrawable(ex.rows, slot)), 0)


def _withdrawable(ex: Exchange, words: Words) -> bytes:
    slot = _slot(ex, words[0])
    return _encode(0 if slot is None else withdrawable(ex.rows, slot))


def _mark_px(ex: Exchange, words: Words) -> bytes:
    return _encode(int(ex.rows.markets[_market(ex, words[0])]["mark"]))


def _oracle_px(ex: Exchange, words: Words) -> bytes:
    return _encode(int(ex.rows.markets[_market(ex, words[0])]["oracle"]))


def _batch_number(ex: Exchange, words: Words) -> bytes:
    return _encode(ex.ledger.cursor.seq)


def _perp_asset_info(ex: Exchange, words: Words) -> bytes:
    """coin, marginTableId, szDecimals, maxLeverage, onlyIsolated"""
    market = _market(ex, words[0])
    row = ex.rows.markets[market]
    name = _text(ex.ledger.listing_of(market).name)
    head = _encode(5 * _WORD, market, int(row["sz_decimals"]), int(row["max_leverage"]), 0)
    return _encode(_WORD) + head + name


def _token_info(ex: Exchange, words: Words) -> bytes:
    """name, spots, deployerTradingFeeShare, deployer, evmContract, szDecimals, weiDecimals, evmExtraWeiDecimals"""
    _token(words[0])
    name = _text(ex.config.token_name)
    contract = int.from_bytes(ex.config.token_address, "big")
    heads = 8 * _WORD
    spots = heads + len(name)
    head = _encode(heads, spots, 0, 0, contract, QUOTE_DECIMALS, QUOTE_DECIMALS, 0)
    return _encode(_WORD) + head + name + _encode(0)


def _bbo(seen: Seen, data: bytes, gas: int) -> tuple[int, bytes]:
    """bid, ask; 0 where a side is empty"""
    pay(READ_BASE_GAS, gas)
    market = _market(seen.exchange(None), _arguments(data, (32,))[0])
    return _paid(_encode(*seen.best(market)), gas)


def _margin_summary(ex: Exchange, words: Words) -> bytes:
    """accountValue, marginUsed, ntlPos, rawUsd"""
    if words[0] != 0:  # there is one perpetual exchange
        raise PrecompileFailure
    slot = _slot(ex, words[1])
    if slot is None:
        return _encode(0, 0, 0, 0)
    rows, count = ex.rows, ex.rows.market_count
    sizes = rows.positions["size"][slot, :count].tolist()
    marks = rows.markets["mark"][:count].tolist()
    notional = sum(abs(size) * mark for size, mark in zip(sizes, marks, strict=True))
    row = rows.accounts[slot]
    return _encode(equity(rows, slot), int(row["initial_margin"]), notional, int(row["cash"]))


def _user_exists(ex: Exchange, words: Words) -> bytes:
    return _encode(int(_slot(ex, words[0]) is not None))


_ADDRESS = 160
# Address -> the widths of the arguments, and what reads them.
_ROWS: Mapping[int, tuple[tuple[int, ...], Reader]] = {
    0x0800: ((_ADDRESS, 16), _position),
    0x0801: ((_ADDRESS, 64), _spot_balance),
    0x0803: ((_ADDRESS,), _withdrawable),
    0x0806: ((32,), _mark_px),
    0x0807: ((32,), _oracle_px),
    0x0809: ((), _batch_number),
    0x080A: ((32,), _perp_asset_info),
    0x080C: ((32,), _token_info),
    0x080F: ((32, _ADDRESS), _margin_summary),
    0x0810: ((_ADDRESS,), _user_exists),
    0x0813: ((_ADDRESS, 32), _position),
}
BBO: Address = (0x080E).to_bytes(20, "big")
READERS: Mapping[Address, tuple[tuple[int, ...], Reader]] = {
    number.to_bytes(20, "big"): row for number, row in _ROWS.items()
}


def _slot(ex: Exchange, address: int) -> int | None:
    return ex.rows.slot_of(address.to_bytes(20, "big"))


def _market(ex: Exchange, market: int) -> int:
    if market >= ex.rows.market_count:
        raise PrecompileFailure
    return market


def _token(token: int) -> None:
    if token != _QUOTE_TOKEN:
        raise PrecompileFailure


def _encode(*values: int) -> bytes:
    """ABI words; a negative value in two's complement."""
    return b"".join((value % (1 << 256)).to_bytes(_WORD, "big") for value in values)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _encode(len(raw)) + raw.ljust(_WORD * div_up(len(raw), _WORD), b"\0")
