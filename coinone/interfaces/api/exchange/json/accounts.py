"""Encode an account as the JSON of the exchange API. Pure functions of views: figures for people, not for rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from coinone.base.primitives.types import Address
from coinone.interfaces.api.exchange.json.coins import Coin, Coins
from coinone.interfaces.api.exchange.json.events import Json, hex_address
from coinone.interfaces.api.exchange.json.numbers import fee_rate, money, quotient
from coinone.rules.exchange.events.orders import OpenOrder
from coinone.rules.exchange.rows.tables import DISTANCE_STEPS


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position, in the units of its market."""

    market: int
    size: int  # signed
    entry_notional: int  # the cost of |size|
    mark: int
    leverage: int
    max_leverage: int
    tier_leverage: int  # of the margin tier the position is in
    margin_used: int  # initial margin of the position alone, as the rules have it
    funding_all: int  # paid by the account
    funding_open: int
    funding_change: int

    @property
    def value(self) -> int:
        return abs(self.size) * self.mark

    @property
    def unrealised(self) -> int:
        worth = self.size * self.mark
        return worth - self.entry_notional if self.size > 0 else worth + self.entry_notional


@dataclass(frozen=True, slots=True)
class MarginTerms:
    """What a new order of an account needs margin by, in one market."""

    leverage: int
    below: int  # steps that the market stands below its index, which longs need margin for, and above, shorts
    above: int


@dataclass(frozen=True, slots=True)
class AgentView:
    """A key that may trade for an account."""

    address: Address
    name: str
    valid_until_ms: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """All that the trading page shows of an account. An address without an account has zeros."""

    exists: bool
    cash: int
    equity: int
    initial_margin: int  # including open orders
    maintenance_margin: int
    withdrawable: int  # as the rules define it
    positions: tuple[PositionView, ...]
    orders: tuple[OpenOrder, ...]
    volume: int
    actions_used: int
    actions_allowed: int
    taker_rate: int
    maker_rate: int
    agent: AgentView | None = None  # the unnamed one

    @property
    def total_notional(self) -> int:
        return sum(position.value for position in self.positions)

    @property
    def margin_used(self) -> int:
        return sum(position.margin_used for position in self.positions)


def clearinghouse_json(account: AccountView, coins: Coins, time_ms: int) -> Json:
    """The clearinghouseState answer. There is a single balance, so both summaries are the same."""
    summary = {
        "accountValue": money(account.equity),
        "totalNtlPos": money(account.total_notional),
        "totalRawUsd": money(account.cash),
        "totalMarginUsed": money(account.margin_used),
    }
    return {
        "marginSummary": summary,
        "crossMarginSummary": dict(summary),
        "crossMaintenanceMarginUsed": money(account.maintenance_margin),
        "withdrawable": money(account.withdrawable),
        "assetPositions": [
            {"type": "oneWay", "position": position_json(position, account, coins[position.market])}
            for position in account.positions
        ],
        "time": time_ms,
    }


def position_json(position: PositionView, account: AccountView, coin: Coin) -> Json:
    size = abs(position.size)
    at_risk = -(-position.entry_notional // position.leverage)
    return {
        "coin": coin.name,
        "szi": coin.sz(position.size),
        "leverage": {"type": "cross", "value": position.leverage},
        "entryPx": quotient(position.entry_notional, size * 10**coin.px_decimals, coin.px_decimals + 1),
        "positionValue": money(position.value),
        "unrealizedPnl": money(position.unrealised),
        "returnOnEquity": quotient(position.unrealised, at_risk, 10),
        "liquidationPx": liquidation_px(position, account.equity - account.maintenance_margin, coin),
        "marginUsed": money(position.margin_used),
        "maxLeverage": position.max_leverage,
        "cumFunding": {
            "allTime": money(position.funding_all),
            "sinceOpen": money(position.funding_open),
            "sinceChange": money(position.funding_change),
        },
    }


def liquidation_px(position: PositionView, available: int, coin: Coin) -> str | None:
    """The mark at which equity equals maintenance margin if nothing else moves; None if no price does.

    price = mark - side * available / (|size| * (1 - side * l)), l = 1 / (2 * leverage of the tier): Hyperliquid's
    published formula, rounded down for longs and up for shorts.
    """
    size, twice = abs(position.size), 2 * position.tier_leverage
    if position.size > 0:
        px = position.mark - -(-available * twice // (size * (twice - 1)))
    else:
        px = position.mark + -(-available * twice // (size * (twice + 1)))
    return coin.px(px) if px > 0 else None


def spot_state_json(account: AccountView, token: str) -> Json:
    """The single balance, as a token balance; `hold` is the part that cannot be withdrawn."""
    if not account.exists:
        return {"balances": []}
    hold = max(account.equity - account.withdrawable, 0)
    balance = {
        "coin": token,
        "token": 0,
        "total": money(account.equity),
        "hold": money(hold),
        "entryNtl": "0.0",
    }
    return {"balances": [balance]}


def agent_json(account: AccountView) -> Json:
    """The unnamed agent, as webData2 and webData3 show it; extraAgents has those with names."""
    agent = account.agent
    return {
        "agentAddress": None if agent is None else hex_address(agent.address),
        "agentValidUntil": None if agent is None else agent.valid_until_ms or None,
    }


def rate_limit_json(account: AccountView) -> Json:
    return {
        "cumVlm": money(account.volume),
        "nRequestsUsed": account.actions_used,
        "nRequestsCap": account.actions_allowed,
        "nRequestsSurplus": 0,
    }


def user_fees_json(account: AccountView, tiers: Sequence[tuple[int, int, int]]) -> Json:
    """Fee rates of the account, and the schedule as (14-day volume, taker, maker), lowest first."""
    (_, base_taker, base_maker), *higher = tiers
    vip = [
        {
            "ntlCutoff": money(volume),
            "cross": fee_rate(taker),
            "add": fee_rate(maker),
            "spotCross": fee_rate(taker),
            "spotAdd": fee_rate(maker),
        }
        for volume, taker, maker in higher
    ]
    return {
        "dailyUserVlm": [],
        "feeSchedule": {
            "cross": fee_rate(base_taker),
            "add": fee_rate(base_maker),
            "spotCross": fee_rate(base_taker),
            "spotAdd": fee_rate(base_maker),
            "tiers": {"vip": vip, "mm": []},
            "referralDiscount": "0.0",
            "stakingDiscountTiers": [],
        },
        "userCrossRate": fee_rate(account.taker_rate),
        "userAddRate": fee_rate(account.maker_rate),
        "userSpotCrossRate": fee_rate(account.taker_rate),
        "userSpotAddRate": fee_rate(account.maker_rate),
        "activeReferralDiscount": "0.0",
        "trial": None,
        "feeTrialReward": "0.0",
        "nextTrialAvailableTimestamp": None,
        "stakingLink": None,
        "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
    }


def active_asset_json(account: AccountView, user: str, coin: Coin, mark: int, terms: MarginTerms) -> Json:
    """The size that the account could still buy and sell in a market at the mark, costs ignored."""
    held = next((p.size for p in account.positions if p.market == coin.index), 0)
    sizes = [
        _affordable(account, coin, mark, terms.leverage, terms.below) + max(-2 * held, 0),
        _affordable(account, coin, mark, terms.leverage, terms.above) + max(2 * held, 0),
    ]
    leverage = terms.leverage
    return {
        "user": user,
        "coin": coin.name,
        "leverage": {"type": "cross", "value": leverage},
        "maxTradeSzs": [coin.sz(size) for size in sizes],
        "availableToTrade": [money(size * mark // leverage) for size in sizes],
        "markPx": coin.px(mark),
    }


def _affordable(account: AccountView, coin: Coin, mark: int, leverage: int, steps: int) -> int:
    """The lots for which the free margin is enough, on a side that gains so many steps of the market's distance from
    its index."""
    if not mark:
        return 0
    free, whole = max(account.equity - account.initial_margin, 0), DISTANCE_STEPS * coin.max_leverage
    return min(free * leverage // mark, free * whole // (mark * (DISTANCE_STEPS + steps)))
