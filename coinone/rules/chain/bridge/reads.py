"""Reads of the exchange by contracts: precompiled contracts at 0x0800.., with Hyperliquid's encodings (D10).

Called with ABI-encoded arguments and no selector; the answer is an ABI-encoded struct. Within an EVM segment all see
the exchange as it is after segment 7: an action that a contract writes shows in the next one.

Perpetual prices have 6 - szDecimals decimals, sizes szDecimals, money 6: the exchange's own units. An unknown market or
token fails, and uses all the gas of its call, as on Hyperliquid.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from coinone.base.primitives.integers import div_up
from coinone.base.primitives.units import QUOTE_DECIMALS
from coinone.rules.chain.bridge.own import ExchangeView, OwnPrecompile
from coinone.rules.exchange.accounts.equity import equity
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.vm.errors import PrecompileFailure
from coinone.rules.vm.precompiles import pay

READ_BASE_GAS = 2_000
READ_GAS_PER_BYTE = 65  # of the answer
_WORD = 32
_QUOTE_TOKEN = 0

Words: TypeAlias = tuple[int, ...]
Reader: TypeAlias = Callable[[ExchangeView, Words], bytes]


def _read(number: int, arguments: tuple[str, ...], answer: str, reader: Reader) -> OwnPrecompile:
    widths = [_width(argument.split()[0]) for argument in arguments]
    return OwnPrecompile(number, arguments, answer, partial(_run, widths, reader))


def _width(abi_type: str) -> int:
    """The width of an unsigned integer or an address, in bits."""
    return 160 if abi_type == "address" else int(abi_type.removeprefix("uint"))


def _run(
    widths: Sequence[int], reader: Reader, seen: ExchangeView, data: bytes, gas: int
) -> tuple[int, bytes]:
    """Read, then charge: reading is cheap and bounded, and the price depends on the answer."""
    pay(READ_BASE_GAS, gas)
    output = reader(seen, _arguments(data, widths))
    return pay(READ_BASE_GAS + READ_GAS_PER_BYTE * len(output), gas), output


def _arguments(data: bytes, widths: Sequence[int]) -> Words:
    """Decode one word per argument, each within its type's bits."""
    if len(data) != _WORD * len(widths):
        raise PrecompileFailure
    words = tuple(int.from_bytes(data[at : at + _WORD], "big") for at in range(0, len(data), _WORD))
    if any(word >> bits for word, bits in zip(words, widths, strict=True)):
        raise PrecompileFailure
    return words


def _position(seen: ExchangeView, words: Words) -> bytes:
    """Read a position. Every position is cross, never isolated."""
    ex, slot = _account(seen, words[0])
    market = _market(ex, words[1])
    first = int(ex.rows.markets[market]["first_leverage"])
    if slot is None:
        return _encode(0, 0, 0, first, 0)
    held = ex.rows.positions[slot, market]
    leverage = int(held["leverage"]) or first
    return _encode(int(held["size"]), abs(int(held["entry_notional"])), 0, leverage, 0)


def _spot_balance(seen: ExchangeView, words: Words) -> bytes:
    """Read the balance, one for spot and perpetuals; `hold` is the part that backs positions."""
    ex, slot = _account(seen, words[0])
    _token(words[1])
    if slot is None:
        return _encode(0, 0, 0)
    total = max(0, equity(ex.rows, slot))
    return _encode(total, total - min(total, withdrawable(ex.rows, slot)), 0)


def _withdrawable(seen: ExchangeView, words: Words) -> bytes:
    ex, slot = _account(seen, words[0])
    return _encode(0 if slot is None else withdrawable(ex.rows, slot))


def _mark_px(seen: ExchangeView, words: Words) -> bytes:
    ex = seen.exchange(None)
    return _encode(int(ex.rows.markets[_market(ex, words[0])]["mark"]))


def _oracle_px(seen: ExchangeView, words: Words) -> bytes:
    ex = seen.exchange(None)
    return _encode(int(ex.rows.markets[_market(ex, words[0])]["oracle"]))


def _batch_number(seen: ExchangeView, words: Words) -> bytes:
    return _encode(seen.exchange(None).ledger.cursor.seq)


def _perp_asset_info(seen: ExchangeView, words: Words) -> bytes:
    ex = seen.exchange(None)
    market = _market(ex, words[0])
    row = ex.rows.markets[market]
    name = _text(ex.ledger.listing_of(market).name)
    head = _encode(5 * _WORD, market, int(row["sz_decimals"]), int(row["max_leverage"]), 0)
    return _encode(_WORD) + head + name


def _token_info(seen: ExchangeView, words: Words) -> bytes:
    ex = seen.exchange(None)
    _token(words[0])
    name = _text(ex.config.token_name)
    contract = int.from_bytes(ex.config.token_address, "big")
    heads = 8 * _WORD
    spots = heads + len(name)
    head = _encode(heads, spots, 0, 0, contract, QUOTE_DECIMALS, QUOTE_DECIMALS, 0)
    return _encode(_WORD) + head + name + _encode(0)


def _bbo(seen: ExchangeView, words: Words) -> bytes:
    return _encode(*seen.best(_market(seen.exchange(None), words[0])))


def _margin_summary(seen: ExchangeView, words: Words) -> bytes:
    ex, slot = _account(seen, words[1])
    if words[0] != 0:  # there is one perpetual exchange
        raise PrecompileFailure
    if slot is None:
        return _encode(0, 0, 0, 0)
    rows, count = ex.rows, ex.rows.market_count
    sizes = rows.positions["size"][slot, :count].tolist()
    marks = rows.markets["mark"][:count].tolist()
    notional = sum(abs(size) * mark for size, mark in zip(sizes, marks, strict=True))
    row = rows.accounts[slot]
    return _encode(equity(rows, slot), int(row["initial_margin"]), notional, int(row["cash"]))


def _user_exists(seen: ExchangeView, words: Words) -> bytes:
    return _encode(int(_account(seen, words[0])[1] is not None))


def _account(seen: ExchangeView, address: int) -> tuple[Exchange, int | None]:
    """The exchange with an account, and the account's slot; None if there is no such account."""
    key = address.to_bytes(20, "big")
    ex = seen.exchange(key)
    return ex, ex.rows.slot_of(key)


def _market(ex: Exchange, market: int) -> int:
    if market >= ex.rows.market_count:
        raise PrecompileFailure
    return market


def _token(token: int) -> None:
    if token != _QUOTE_TOKEN:
        raise PrecompileFailure


def _encode(*values: int) -> bytes:
    """Encode ABI words; a negative value in two's complement."""
    return b"".join((value % (1 << 256)).to_bytes(_WORD, "big") for value in values)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _encode(len(raw)) + raw.ljust(_WORD * div_up(len(raw), _WORD), b"\0")


_POSITION = "szi, entryNtl, isolatedRawUsd, leverage, isIsolated"
_TOKEN = "name, spots, deployerTradingFeeShare, deployer, evmContract, szDecimals, weiDecimals, evmExtraWeiDecimals"

READS = (
    _read(0x0800, ("address user", "uint16 market"), _POSITION, _position),
    _read(0x0801, ("address user", "uint64 token"), "total, hold, entryNtl", _spot_balance),
    _read(0x0803, ("address user",), "withdrawable", _withdrawable),
    _read(0x0806, ("uint32 market",), "mark price", _mark_px),
    _read(0x0807, ("uint32 market",), "oracle price", _oracle_px),
    _read(0x0809, (), "number of the batch", _batch_number),
    _read(
        0x080A,
        ("uint32 market",),
        "coin, marginTableId, szDecimals, maxLeverage, onlyIsolated",
        _perp_asset_info,
    ),
    _read(0x080C, ("uint32 token",), _TOKEN, _token_info),
    _read(0x080E, ("uint32 market",), "bid, ask; 0 where a side is empty", _bbo),
    _read(
        0x080F,
        ("uint32 exchange", "address user"),
        "accountValue, marginUsed, ntlPos, rawUsd; the exchange is 0",
        _margin_summary,
    ),
    _read(0x0810, ("address user",), "whether the account exists", _user_exists),
    _read(0x0813, ("address user", "uint32 market"), _POSITION, _position),
)
