"""A small exchange to try rules on: two markets, one reporter, actions made without signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.context import BatchContext, ExchangeResult
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.invariants import check_exchange
from coinone.rules.exchange.rows.tables import MarketStatus
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.ledger.crossings import CoreAction, Deposit
from tests.rules.exchange import words as t

QUOTE = 10**6
BTC, ETH = 0, 1
REPORTER = bytes([0xEE] * 20)
START_MS = 1_700_000_000_000


def address(n: int) -> bytes:
    return n.to_bytes(20, "big")


class World:
    """An exchange, its clock, and short ways to act on it. Prices and sizes are whole quote units and decimals."""

    def __init__(self, balances: dict[int, int], **terms: Any) -> None:
        markets = (
            MarketConfig("BTC", 5, 50, 20_000 * QUOTE, **terms),
            MarketConfig("ETH", 4, 50, 20_000 * QUOTE, **terms),
        )
        self.config = ExchangeConfig(
            chain_id=926002,
            accept_foreign_user_signed=True,
            accept_foreign_l1=True,
            markets=markets,
            reporters=(REPORTER,),
            balances=tuple((address(n), amount * QUOTE) for n, amount in balances.items()),
            action_credits=10**6,
        )
        self.ex = Exchange.from_genesis(self.config, START_MS)
        self.now = START_MS
        self.seq = 0
        self.nonce = START_MS
        self.prices: dict[int, int] = {}
        self.last: ExchangeResult | None = None
        self.contracts: set[bytes] = set()

    def batch(
        self,
        *actions: t.VerifiedAction,
        step_ms: int = 250,
        deposits: tuple[Deposit, ...] = (),
        fresh: bool = True,
        core: tuple[CoreAction, ...] = (),
        forced: int = 0,
        check: bool = True,
    ) -> ExchangeResult:
        """Apply one batch; the reporter repeats the last oracle prices unless `fresh` is off."""
        self.now += step_ms
        self.seq += 1
        reports = ()
        if fresh and self.prices:
            prices = tuple(sorted(self.prices.items()))
            reports = (t.OracleReport(REPORTER, self.now, prices, bytes(32)),)
        seed = keccak256(b"seed%d" % self.seq)
        is_contract = self.contracts.__contains__
        ctx = BatchContext(self.seq, self.now, seed, deposits, reports, core, forced, is_contract=is_contract)
        self.last = apply_exchange(self.ex, ctx, actions)
        if check:
            check_exchange(self.ex)
        return self.last

    def opened(self) -> ExchangeResult:
        """Batches until liquidations have their whole limit again after a jump; the result of the last one."""
        for _ in range(5):
            self.batch()
        return self.batch()

    def oracle(self, **prices: float) -> None:
        """Set the price the reporter will sign, in quote units. One that jumps (jump.py) is said a first time in a
        batch of its own, so that the next batch takes it."""
        jumps = False
        for name, price in prices.items():
            market = {"btc": BTC, "eth": ETH}[name]
            px, row = round(price * 10 ** (1 if market == BTC else 2)), self.ex.rows.markets[market]
            step = abs(px - int(row["oracle"])) * 2 * int(row["max_leverage"])
            jumps |= int(row["oracle_ms"]) > 0 and step > int(row["oracle"])
            self.prices[market] = px
        if jumps:
            self.batch()

    def signed(self, who: int, action: t.Says, **fields: Any) -> t.VerifiedAction:
        self.nonce += 1
        nonce = fields.pop("nonce", self.nonce)
        digest = keccak256(repr((who, action, nonce)).encode())
        values: dict[str, Any] = {
            "action": t.action_of(action),
            "foreign": False,
            "signer": address(who),
            "vault": None,
            "nonce": nonce,
            "expires_after": None,
            "digest": digest,
            "tx_hash": keccak256(digest),
            "size": 200,
        }
        return t.VerifiedAction(**{**values, **fields})

    def order(
        self,
        who: int,
        is_buy: bool,
        size: float,
        price: float,
        tif: str = "Gtc",
        market: int = BTC,
        **more: Any,
    ) -> t.VerifiedAction:
        spec = self.spec(
            is_buy, size, price, tif, market, more.pop("reduce_only", False), more.pop("cloid", 0)
        )
        return self.signed(who, t.PlaceOrders((spec,), "na", None), **more)

    def spec(
        self,
        is_buy: bool,
        size: float,
        price: float,
        tif: str = "Gtc",
        market: int = BTC,
        reduce_only: bool = False,
        cloid: int = 0,
    ) -> t.OrderSpec:
        px, sz = round(price * 10**8), round(size * 10**8)
        return t.OrderSpec(market, is_buy, px, sz, reduce_only, t.Tif[tif.upper()], None, cloid)

    def many(self, *specs: t.OrderSpec) -> t.PlaceOrders:
        return t.PlaceOrders(specs, "na", None)

    def modify(self, oid: int, spec: t.OrderSpec, market: int = BTC) -> t.BatchModify:
        return t.BatchModify((t.Modify(t.OrderRef(market, oid, 0), spec),), single=False)

    def buy(self, who: int, size: float, price: float, tif: str = "Gtc", **more: Any) -> t.VerifiedAction:
        return self.order(who, True, size, price, tif, **more)

    def sell(self, who: int, size: float, price: float, tif: str = "Gtc", **more: Any) -> t.VerifiedAction:
        return self.order(who, False, size, price, tif, **more)

    def cancel(
        self, who: int, oid: int = 0, cloid: int = 0, market: int = BTC, **more: Any
    ) -> t.VerifiedAction:
        action = t.Cancel((t.OrderRef(market, oid, cloid),), by_cloid=cloid != 0)
        return self.signed(who, action, **more)

    def status(self, index: int = 0) -> Any:
        """The one status of the last batch's `index`-th action."""
        assert self.last is not None
        outcome = self.last.outcomes[index]
        assert outcome.status == "executed", outcome
        assert outcome.response is not None
        return outcome.response["data"]["statuses"][0]

    def slot(self, who: int) -> int:
        slot = self.ex.rows.slot_of(address(who))
        assert slot is not None
        return slot

    def cash(self, who: int) -> int:
        return int(self.ex.rows.accounts[self.slot(who)]["cash"])

    def equity(self, who: int) -> int:
        row = self.ex.rows.accounts[self.slot(who)]
        return int(row["cash"]) + int(row["position_value"])

    def maintenance(self, who: int) -> int:
        return int(self.ex.rows.accounts[self.slot(who)]["maintenance_margin"])

    def position(self, who: int, market: int = BTC) -> int:
        return int(self.ex.rows.positions[self.slot(who), market]["size"])

    def order_count(self, who: int) -> int:
        """Of resting orders, in all markets."""
        return int(self.ex.rows.accounts["order_count"][self.slot(who)])

    def mark(self, market: int = BTC) -> int:
        return int(self.ex.rows.markets[market]["mark"])

    def fund(self, name: str) -> int:
        return int(self.ex.rows.globals[name][0])


@pytest.fixture
def world() -> Callable[..., World]:
    """Makes a World whose oracle stands at 50,000 (BTC) and 3,000 (ETH), with one batch applied."""

    def make(balances: dict[int, int], **terms: Any) -> World:
        made = World(balances, **terms)
        made.oracle(btc=50_000, eth=3_000)
        made.batch()
        return made

    return make


REPORTERS = tuple(bytes([0xA0 + n]) * 20 for n in range(5))


class Reporters:
    """A world with five reporters who speak only when told to."""

    def __init__(self, w: Any) -> None:
        self.w = w
        w.ex.config = replace(w.config, reporters=REPORTERS)

    def batch(self, *reports: tuple[int, int], step_ms: int = 250, age_ms: int = 0) -> None:
        """Each report is (reporter, BTC price in tenths)."""
        self.w.now += step_ms
        self.w.seq += 1
        signed = tuple(
            t.OracleReport(
                REPORTERS[n] if n < 5 else bytes([n]) * 20, self.w.now - age_ms, ((0, px),), bytes(32)
            )
            for n, px in reports
        )
        apply_exchange(self.w.ex, BatchContext(self.w.seq, self.w.now, keccak256(b"s"), (), signed), ())

    @property
    def market(self) -> tuple[int, MarketStatus]:
        row = self.w.ex.rows.markets[0]
        return int(row["oracle"]), MarketStatus(int(row["status"]))


@pytest.fixture
def reporters(world: Callable[..., World]) -> Callable[[dict[int, int]], Reporters]:
    """Makes a world with five reporters."""
    return lambda balances: Reporters(world(balances))
