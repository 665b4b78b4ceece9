"""Encode events as the JSON of the exchange API. Pure: the same event always gives the same object.

Formats follow recorded answers of Hyperliquid's API and the fields that its Python SDK and ccxt read.
"""

from typing import Any

from coinone.base.primitives.types import ZERO_ADDRESS, Address, Hash32
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.exchange.json.numbers import money, rate
from coinone.rules.exchange.events.events import Fill, FundingPayment, LedgerUpdate, LiquidationEvent
from coinone.rules.exchange.instruments.config import QUOTE_SYSTEM_ADDRESS

Json = dict[str, Any]

FEE_TOKEN = "USDC"


def hex_address(address: Address) -> str:
    return "0x" + address.hex()


def hex_hash(value: Hash32) -> str:
    return "0x" + value.hex()


def cloid_text(cloid: int) -> str | None:
    """A client order id as the 16 bytes the client sent; None for none."""
    return f"0x{cloid:032x}" if cloid else None


def side_letter(is_buy: bool) -> str:
    """B for bid, A for ask."""
    return "B" if is_buy else "A"


def direction(start: int, signed_size: int) -> str:
    """The effect of a fill on a position of `start`, in Hyperliquid's words."""
    end = start + signed_size
    if start == 0 or (start > 0) == (signed_size > 0):
        return "Open Long" if signed_size > 0 else "Open Short"
    if end == 0 or (end > 0) == (start > 0):
        return "Close Long" if start > 0 else "Close Short"
    return "Long > Short" if start > 0 else "Short > Long"


def is_meeting(fill: Fill) -> bool:
    """Whether two resting orders met at the end of a batch: the older one, which the exchange's rows call the taker,
    had been passed over by the other, which is the aggressor."""
    return fill.kind == "trade" and not any(fill.tx_hash)


def fill_json(fill: Fill, of_taker: bool, coins: Coins) -> Json:
    """One side of a trade, as its owner sees it."""
    coin = coins[fill.market]
    party = fill.taker if of_taker else fill.maker
    is_buy = fill.taker_is_buy == of_taker
    body: Json = {
        "coin": coin.name,
        "px": coin.px(fill.px),
        "sz": coin.sz(fill.sz),
        "side": side_letter(is_buy),
        "time": fill.time_ms,
        "startPosition": coin.sz(party.start_position),
        "dir": direction(party.start_position, fill.sz if is_buy else -fill.sz),
        "closedPnl": money(party.closed_pnl),
        "hash": hex_hash(fill.tx_hash),
        "oid": party.oid,
        "crossed": of_taker and not is_meeting(fill),
        "fee": money(party.fee),
        "tid": fill.tid,
        "feeToken": FEE_TOKEN,
        "twapId": None,
    }
    if party.cloid:
        body["cloid"] = cloid_text(party.cloid)
    if party.builder_fee:
        body["builderFee"] = money(party.builder_fee)
    if fill.kind == "adl":
        body["dir"] = "Auto-Deleveraging"
    elif fill.kind == "liquidation":
        body["liquidation"] = {
            "liquidatedUser": hex_address(fill.taker.account),
            "markPx": coin.px(fill.px),
            "method": "market",
        }
    return body


def trade_json(fill: Fill, coins: Coins) -> Json:
    """A trade as published; `users` is buyer, then seller."""
    coin = coins[fill.market]
    buyer, seller = (fill.taker, fill.maker) if fill.taker_is_buy else (fill.maker, fill.taker)
    return {
        "coin": coin.name,
        "side": side_letter(fill.taker_is_buy != is_meeting(fill)),
        "px": coin.px(fill.px),
        "sz": coin.sz(fill.sz),
        "time": fill.time_ms,
        "hash": hex_hash(fill.tx_hash),
        "tid": fill.tid,
        "users": [hex_address(buyer.account), hex_address(seller.account)],
    }


def funding_json(payment: FundingPayment, coins: Coins) -> Json:
    """A row of userFunding."""
    return {
        "time": payment.time_ms,
        "hash": hex_hash(bytes(32)),
        "delta": {"type": "funding", **_funding_figures(payment, coins), "nSamples": None},
    }


def funding_stream_json(payment: FundingPayment, coins: Coins) -> Json:
    """A row of the userFundings stream, which is flat."""
    return {"time": payment.time_ms, **_funding_figures(payment, coins)}


def _funding_figures(payment: FundingPayment, coins: Coins) -> Json:
    coin = coins[payment.market]
    return {
        "coin": coin.name,
        "usdc": money(payment.amount),
        "szi": coin.sz(payment.size),
        "fundingRate": rate(payment.rate),
    }


def ledger_json(update: LedgerUpdate) -> Json:
    """A row of userNonFundingLedgerUpdates, with Hyperliquid's names for its kinds. Coinone's own: `unclaimed`,
    where the amount waits until enough has accumulated to open the account; `debtLevy`, a winner's part of others'
    debts; `debtCovered`, what others paid of the account's own; `liquidationProceeds`, what closing a locked account
    brought the insurance fund; and `dust`, `claimed` and `collected` (events.LedgerUpdate)."""
    amount = money(abs(update.amount))
    delta: Json
    if update.kind == "levy":
        delta = {"type": "debtLevy", "usdc": money(update.amount)}
    elif update.kind == "covered":
        delta = {"type": "debtCovered", "usdc": amount}
    elif update.kind == "proceeds":
        delta = {"type": "liquidationProceeds", "usdc": money(update.amount)}
    elif update.kind == "opening":
        delta = {"type": "accountActivationGas", "amount": amount, "token": "USDC"}
    elif update.kind in ("dust", "claimed", "collected"):
        delta = {"type": update.kind, "usdc": amount}
    elif update.kind != "withdraw" and update.counterparty != QUOTE_SYSTEM_ADDRESS:
        sender, receiver = update.counterparty, update.account
        if update.kind == "send":
            sender, receiver = receiver, sender
        delta = {
            "type": "internalTransfer",
            "usdc": amount,
            "user": hex_address(sender),
            "destination": hex_address(receiver),
            "fee": "0.0",
        }
    elif update.kind == "withdraw":
        delta = {"type": "withdraw", "usdc": amount, "nonce": update.time_ms, "fee": "0.0"}
    else:
        delta = {"type": "deposit", "usdc": amount}
    if update.kind == "unclaimed":
        delta["unclaimed"] = True
    return {"time": update.time_ms, "hash": hex_hash(update.tx_hash), "delta": delta}


def liquidation_json(event: LiquidationEvent) -> Json:
    """The `liquidation` part of the user stream: what is closed, at its price, and the account's value, which is
    negative for a debt that others paid, and absent for a close outside the book."""
    worth = {"order": event.amount, "debt": -event.amount}.get(event.kind, 0)
    return {
        "lid": event.seq,
        "liquidator": hex_address(event.counterparty if event.counterparty else ZERO_ADDRESS),
        "liquidated_user": hex_address(event.account),
        "liquidated_ntl_pos": money(abs(event.size) * event.px),
        "liquidated_account_value": money(worth),
    }
