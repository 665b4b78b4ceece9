"""Exchange answers: the shapes of recorded answers of Hyperliquid's API, and figures worked out by hand."""

import json
import lzma
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinone.base.primitives.parse import format_figure
from coinone.interfaces.api.exchange.json import accounts, events, markets
from coinone.interfaces.api.exchange.json.coins import Coin
from coinone.interfaces.api.exchange.json.numbers import money, quotient, round_significant
from coinone.interfaces.api.exchange.json.orders import (
    frontend_order_json,
    open_order_json,
    order_history_json,
)
from coinone.rules.exchange.events.events import (
    Fill,
    FillSide,
    FundingPayment,
    LedgerUpdate,
    LiquidationEvent,
)
from coinone.rules.exchange.events.orders import OpenOrder, OrderKind, OrderUpdate

BTC = Coin(0, "BTC", 5, 50)
COINS: Any = [BTC]
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
DATA = os.environ.get("COINONE_DATA")
needs_recordings = pytest.mark.skipif(
    DATA is None,
    reason="COINONE_DATA is unset; recordings: github.com/hyperliquid-dex/hyperliquid-python-sdk, tests/",
)

FILL = Fill(
    seq=9,
    time_ms=1_700_000_000_000,
    tid=77,
    market=0,
    px=973_215,  # 97,321.5
    sz=1_500,  # 0.015
    taker_is_buy=True,
    taker=FillSide(ALICE, 11, 0, -500, -2_000_000, 656_920),
    maker=FillSide(BOB, 10, 0xABC, 0, 0, -1_459),
    tx_hash=b"\x11" * 32,
)
UPDATE = OrderUpdate(9, 5, ALICE, 11, 0xABC, 0, True, 973_215, 0, 1_500, "Gtc", False, 4, "filled")
POSITION = accounts.PositionView(
    market=0,
    size=150_000,  # 1.5
    entry_notional=144_000_000_000,  # 144,000 for 1.5: 96,000 each
    mark=973_215,
    leverage=20,
    max_leverage=50,
    tier_leverage=50,
    margin_used=7_299_112_500,  # 97,321.5 * 1.5 / 20
    funding_all=5,
    funding_open=4,
    funding_change=3,
)
ORDER = OpenOrder(12, 0xABC, 0, False, 980_000, 2_000, 2_500, "Gtc", True, 8)


def account(**changes: Any) -> accounts.AccountView:
    given: dict[str, Any] = {
        "exists": True,
        "cash": -134_000_000_000,  # 10,000 less the 144,000 paid for the position
        "equity": 11_982_250_000,
        "initial_margin": 7_299_112_500,
        "maintenance_margin": 1_459_822_500,
        "withdrawable": 250_000,
        "positions": (POSITION,),
        "orders": (ORDER,),
        "volume": 5,
        "actions_used": 6,
        "actions_allowed": 7,
        "taker_rate": 4500,
        "maker_rate": 1500,
    }
    return accounts.AccountView(**(given | changes))


@cache
def recorded(kind: str) -> list[Any]:
    assert DATA is not None
    path = Path(DATA) / "exchange-api/hyperliquid_info_recorded.jsonl.xz"
    with lzma.open(path) as file:
        lines = [json.loads(line) for line in file]
    return [line["response"] for line in lines if line["request"]["type"] == kind]


def assert_like(have: Any, want: Any, optional: tuple[str, ...] = ()) -> None:
    """Every field of the recorded answer exists here with the same JSON type."""
    if isinstance(want, dict):
        assert isinstance(have, dict)
        for name, value in want.items():
            if name not in optional:
                assert name in have, name
                assert_like(have[name], value, optional)
    elif isinstance(want, list):
        assert isinstance(have, list)
        if have and want:
            assert_like(have[0], want[0], optional)
    elif want is not None and have is not None:
        assert type(have) is type(want)


@needs_recordings
@pytest.mark.parametrize(
    ("kind", "have"),
    [
        ("l2Book", markets.book_json(BTC, 5, [(973_210, 5, 1)], [(973_220, 5, 1)])),
        ("meta", {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 50}]}),
        ("openOrders", [open_order_json(ORDER, COINS)]),
        ("frontendOpenOrders", [frontend_order_json(ORDER, COINS)]),
        ("userFills", [events.fill_json(FILL, True, COINS)]),
        ("userFillsByTime", [events.fill_json(FILL, False, COINS)]),
        ("historicalOrders", [order_history_json(UPDATE, COINS)]),
        ("userFunding", [events.funding_json(FundingPayment(1, 2, ALICE, 0, 5, -7, 9, 3), COINS)]),
        (
            "userNonFundingLedgerUpdates",
            [events.ledger_json(LedgerUpdate(1, 2, ALICE, "deposit", 5, BOB, bytes(32)))],
        ),
        ("userRateLimit", accounts.rate_limit_json(account())),
        ("clearinghouseState", accounts.clearinghouse_json(account(), COINS, 9)),
    ],
)
def test_answers_have_the_fields_that_were_recorded(kind: str, have: Any) -> None:
    answers = recorded(kind)
    assert answers
    for want in answers:
        assert_like(have, want, optional=("maxTradeSzs",))


def test_an_order_of_another_kind_says_what_it_waits_for() -> None:
    """Hyperliquid's words for a stop: info endpoint, frontendOpenOrders."""
    kind = OrderKind("Stop Market", "Price below {}", 970_000)
    row = frontend_order_json(replace(ORDER, kind=kind), COINS)
    shown = [row[name] for name in ("orderType", "isTrigger", "triggerPx", "triggerCondition")]
    assert shown == ["Stop Market", True, "97000.0", "Price below 97000.0"]


def test_a_fill_is_told_to_each_side_from_its_own_view() -> None:
    taker, maker = events.fill_json(FILL, True, COINS), events.fill_json(FILL, False, COINS)
    assert (taker["side"], taker["crossed"], taker["dir"]) == ("B", True, "Short > Long")
    assert (maker["side"], maker["crossed"], maker["dir"]) == ("A", False, "Open Short")
    assert (taker["px"], taker["sz"], taker["fee"]) == ("97321.5", "0.015", "0.65692")
    assert (taker["closedPnl"], taker["startPosition"]) == ("-2.0", "-0.005")
    assert maker["fee"] == "-0.001459"
    assert maker["cloid"] == "0x00000000000000000000000000000abc" and "cloid" not in taker
    assert taker["tid"] == maker["tid"] == 77


def test_orders_that_met_at_the_end_of_a_batch_crossed_on_neither_side() -> None:
    """The older one bids and was passed over: the trade is a sale by the newer one, without a transaction."""
    met = replace(FILL, tx_hash=bytes(32))
    older, newer = (events.fill_json(met, taker, COINS) for taker in (True, False))
    assert [(each["side"], each["crossed"]) for each in (older, newer)] == [("B", False), ("A", False)]
    assert events.trade_json(met, COINS)["side"] == "A" and events.trade_json(FILL, COINS)["side"] == "B"
    closed = replace(met, kind="liquidation")
    assert (
        events.fill_json(closed, True, COINS)["crossed"] and events.trade_json(closed, COINS)["side"] == "B"
    )


def test_a_liquidation_tells_what_is_closed_and_what_the_account_was_worth() -> None:
    """300 units at 50 are 15,000, of an account worth 70; a debt of 9 is an account that was worth -9."""
    here, whose = (1, 1_700_000_000_000), b"\x0a" * 20
    order = events.liquidation_json(LiquidationEvent(*here, whose, "order", 0, -300, 50, 70))
    assert (order["liquidated_ntl_pos"], order["liquidated_account_value"]) == ("0.015", "0.00007")
    debt = events.liquidation_json(LiquidationEvent(*here, whose, "debt", -1, 0, 0, 9))
    assert (debt["liquidated_ntl_pos"], debt["liquidated_account_value"]) == ("0.0", "-0.000009")


def test_a_trade_names_buyer_then_seller() -> None:
    assert events.trade_json(FILL, COINS)["users"] == ["0x" + "aa" * 20, "0x" + "bb" * 20]
    assert events.trade_json(FILL, COINS)["side"] == "B"


@pytest.mark.parametrize(
    ("start", "change", "said"),
    [
        (0, 5, "Open Long"),
        (0, -5, "Open Short"),
        (3, 5, "Open Long"),
        (-3, -5, "Open Short"),
        (5, -5, "Close Long"),
        (5, -3, "Close Long"),
        (-5, 3, "Close Short"),
        (5, -8, "Long > Short"),
        (-5, 8, "Short > Long"),
    ],
)
def test_what_a_fill_does_to_a_position_is_named(start: int, change: int, said: str) -> None:
    assert events.direction(start, change) == said


def test_a_position_shows_figures_that_can_be_checked_by_hand() -> None:
    shown = accounts.clearinghouse_json(account(), COINS, 9)
    position = shown["assetPositions"][0]["position"]
    assert position["szi"] == "1.5"
    assert position["entryPx"] == "96000.0"  # 144,000 / 1.5
    assert position["positionValue"] == "145982.25"  # 1.5 * 97,321.5
    assert position["unrealizedPnl"] == "1982.25"  # 145,982.25 - 144,000
    assert position["marginUsed"] == "7299.1125"  # 145,982.25 / 20
    assert position["returnOnEquity"] == "0.2753125"  # 1,982.25 / (144,000 / 20)
    # available = 11,982.25 - 1,459.8225 = 10,522.4275; 97,321.5 - 10,522.4275 / (1.5 * 0.99) = 90,235.68...
    assert position["liquidationPx"] == "90235.6"
    assert shown["withdrawable"] == "0.25", "as the rules have it"
    assert shown["marginSummary"]["totalRawUsd"] == "-134000.0"


def test_a_short_is_liquidated_above_the_mark() -> None:
    short = accounts.PositionView(
        **{**_fields(POSITION), "size": -150_000, "entry_notional": 144_000_000_000}
    )
    # 97,321.5 + 10,522.4275 / (1.5 * 1.01) = 104,266.9967...; up to the tick
    assert accounts.liquidation_px(short, 10_522_427_500, BTC) == "104267.0"
    assert short.unrealised == -1_982_250_000


def test_no_price_liquidates_a_long_with_more_equity_than_notional() -> None:
    assert accounts.liquidation_px(POSITION, 200_000_000_000, BTC) is None


def _fields(view: accounts.PositionView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__dataclass_fields__}


def test_decimals_always_have_a_point_and_no_superfluous_zeros() -> None:
    assert format_figure(301_350, 1) == "30135.0"
    assert format_figure(0, 5) == "0.0"
    assert format_figure(-25_686, 5) == "-0.25686"
    assert format_figure(7, 0) == "7.0"
    assert money(-1) == "-0.000001"


def test_quotients_are_cut_towards_zero() -> None:
    assert quotient(2, 3, 4) == "0.6666"
    assert quotient(-2, 3, 4) == "-0.6666"
    assert quotient(1, 0, 4) == "0.0"


def test_grouped_books_round_away_from_the_middle_and_keep_every_size() -> None:
    bids = [(973_215, 10, 1), (973_190, 20, 2), (972_999, 30, 3)]
    assert markets.group_levels(bids, 4, None, up=False) == [
        (973_200, 10, 1),
        (973_100, 20, 2),
        (972_900, 30, 3),
    ]
    assert markets.group_levels(bids, 3, None, up=False) == [(973_000, 30, 3), (972_000, 30, 3)]
    asks = [(973_215, 10, 1), (973_290, 20, 2)]
    assert markets.group_levels(asks, 4, None, up=True) == [(973_300, 30, 3)]
    assert markets.group_levels(asks, 5, 5, up=True) == [(973_250, 10, 1), (973_300, 20, 2)]


@given(
    st.lists(st.integers(1, 2_000) | st.integers(1, 10**7), min_size=1, max_size=60, unique=True),
    st.sampled_from([(2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (5, 5)]),
    st.booleans(),
)
def test_each_level_is_in_the_group_of_its_own_rounded_price(
    prices: list[int], grouping: tuple[int, int], up: bool
) -> None:
    """Also where a price has more digits than the next, and a group as many levels as there are."""
    figures, mantissa = grouping
    levels = [(px, px + 1, 1) for px in sorted(prices, reverse=not up)]
    groups: dict[int, tuple[int, int]] = {}
    for px, size, count in levels:
        rounded = round_significant(px, figures, mantissa, up)
        sizes, counts = groups.get(rounded, (0, 0))
        groups[rounded] = sizes + size, counts + count
    expected = [(px, *sums) for px, sums in groups.items()][:20]
    assert markets.group_levels(levels, figures, mantissa, up) == expected


@pytest.mark.parametrize("up", [False, True])
def test_a_grouped_book_rounds_a_price_for_each_group_that_it_shows_and_no_more(
    monkeypatch: pytest.MonkeyPatch, up: bool
) -> None:
    """1,000 prices: two groups of three digits; or 101 of five, of which 20 are shown."""
    rounded: list[int] = []

    def counted(px: int, figures: int, mantissa: int, up: bool) -> int:
        rounded.append(px)
        return round_significant(px, figures, mantissa, up)

    monkeypatch.setattr(markets, "round_significant", counted)
    levels = [(973_000 + n if up else 973_000 - n, 1, 1) for n in range(1000)]
    assert markets.group_levels(levels, 3, None, up) == (
        [(973_000, 1, 1), (974_000, 999, 999)] if up else [(973_000, 1, 1), (972_000, 999, 999)]
    )
    assert len(rounded) == 2
    rounded.clear()
    assert len(markets.group_levels(levels, 5, None, up)) == 20
    assert len(rounded) == 20


@given(st.integers(1, 10**9), st.integers(2, 5), st.sampled_from([1, 2, 5]), st.booleans())
def test_rounding_never_crosses_the_price(px: int, figures: int, mantissa: int, up: bool) -> None:
    rounded = round_significant(px, figures, mantissa, up)
    assert rounded >= px if up else rounded <= px


def test_the_middle_of_the_book_may_fall_between_ticks() -> None:
    assert markets.mid_text(BTC, 973_210, 973_221) == "97321.55"
    assert markets.mid_text(BTC, 0, 973_221) is None


def test_what_may_still_be_bought_counts_the_distance_from_the_index() -> None:
    """Free 1,000 at a mark of 50,000 and 50x: 1 BTC, sold or bought. 7 steps below the index a bought one needs
    50,000 * 23 / 800 = 1,437.5, so 0.69565; at 10x 0.2 either way."""
    free = replace(account(), equity=1_000_000_000, initial_margin=0, positions=())
    for leverage, below, sizes in (
        (50, 0, ["1.0", "1.0"]),
        (50, 7, ["0.69565", "1.0"]),
        (10, 7, ["0.2", "0.2"]),
    ):
        terms = accounts.MarginTerms(leverage, below, 0)
        shown = accounts.active_asset_json(free, "0x", BTC, 500_000, terms)
        assert [float(size) for size in shown["maxTradeSzs"]] == [float(size) for size in sizes]
