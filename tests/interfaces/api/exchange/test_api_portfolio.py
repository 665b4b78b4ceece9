"""portfolio: curves that end at what an account is worth, from rows whose sums are done by hand here."""

from coinone.interfaces.api.exchange.info.portfolio import (
    DAY_MS,
    POINTS_MAX,
    ValueChange,
    ValueHistory,
    known_since,
    portfolio_json,
    steps_of,
)
from coinone.node.storage.history.history import AccountFill
from coinone.rules.exchange.events.events import Fill, FillSide, FundingPayment, LedgerUpdate

ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
NOW = 1_700_000_000_000
QUOTE = 10**6


def test_rows_become_steps() -> None:
    taker = FillSide(ALICE, 1, 0, 5, closed_pnl=30, fee=4)
    maker = FillSide(BOB, 2, 0, 0, closed_pnl=0, fee=-1)
    fill = Fill(1, NOW - 10, 7, 0, 100, 20, True, taker, maker, bytes(32))
    paid = FundingPayment(1, NOW - 20, ALICE, 0, 5, 1, -6, 1)
    moved = [LedgerUpdate(1, NOW - 30, ALICE, "deposit", 50, BOB, bytes(32))]
    assert steps_of([AccountFill(fill, True)], [paid], moved) == [
        ValueChange(NOW - 30, 50, 0),
        ValueChange(NOW - 20, -6, -6),
        ValueChange(NOW - 10, 26, 26, 2000),
    ]
    assert steps_of([AccountFill(fill, False)], [], []) == [ValueChange(NOW - 10, 1, 1, 2000)]


def test_what_waited_counts_once_it_opened_the_account() -> None:
    waited = LedgerUpdate(1, NOW - 30, ALICE, "unclaimed", 5, BOB, bytes(32))
    claimed = LedgerUpdate(2, NOW - 20, ALICE, "claimed", 5, BOB, bytes(32))
    assert steps_of([], [], [waited]) == [], "nothing is there yet"
    assert steps_of([], [], [waited, claimed]) == [ValueChange(NOW - 20, 5, 0)]


def test_rows_of_one_batch_are_one_step() -> None:
    """An account opens with 12 and pays 1 for it in the same batch: it was worth 11, and never -1."""
    rows = [("opening", -1), ("claimed", 5), ("receive", 7)]
    moves = [LedgerUpdate(1, NOW - 10, ALICE, kind, amount, BOB, bytes(32)) for kind, amount in rows]
    assert steps_of([], [], moves) == [ValueChange(NOW - 10, 11, 0)]


def test_a_curve_goes_from_what_was_there_to_what_is_there_now() -> None:
    # two days ago 100 came in; an hour ago 7 were earned; open positions are worth 3 more now: 110
    steps = [
        ValueChange(NOW - 2 * DAY_MS, 100 * QUOTE, 0),
        ValueChange(NOW - 3_600_000, 7 * QUOTE, 7 * QUOTE, 500 * QUOTE),
    ]
    shown = dict(portfolio_json(ValueHistory(steps), 110 * QUOTE, 3 * QUOTE, NOW))
    assert list(shown) == [
        "day", "week", "month", "allTime", "perpDay", "perpWeek", "perpMonth", "perpAllTime",
    ]  # fmt: skip
    assert shown["day"] == {
        "accountValueHistory": [
            [NOW - DAY_MS, "100.0"], [NOW - 3_600_000, "107.0"], [NOW, "110.0"],
        ],
        "pnlHistory": [[NOW - DAY_MS, "0.0"], [NOW - 3_600_000, "7.0"], [NOW, "7.0"]],
        "vlm": "500.0",
    }  # fmt: skip
    week = shown["week"]["accountValueHistory"]
    assert [value for _, value in week] == ["0.0", "100.0", "107.0", "110.0"]
    assert shown["allTime"]["accountValueHistory"][0] == [NOW - 2 * DAY_MS, "0.0"]
    assert shown["perpDay"] == shown["day"]


def test_a_long_curve_is_thinned_but_keeps_its_ends() -> None:
    steps = [ValueChange(NOW - 1000 + n, QUOTE, QUOTE) for n in range(1000)]
    [(_, curve), *_] = portfolio_json(ValueHistory(steps), 1000 * QUOTE, 0, NOW)
    points = curve["accountValueHistory"]
    assert len(points) == POINTS_MAX and points[0] == [NOW - DAY_MS, "0.0"] and points[-1] == [NOW, "1000.0"]


def test_an_account_without_rows_has_two_points() -> None:
    shown = dict(portfolio_json(ValueHistory([]), 0, 0, NOW))
    assert shown["allTime"]["accountValueHistory"] == [[0, "0.0"], [NOW, "0.0"]]


def test_a_curve_begins_where_its_histories_are_complete() -> None:
    """300 came in three days ago, 20 were earned two days ago, and since yesterday's noon dust fills the list of
    transfers: the value is known from there on, the profit all the time. It was said to be 320 for ever."""
    noon = NOW - DAY_MS // 2
    steps = [ValueChange(NOW - 2 * DAY_MS, 20 * QUOTE, 20 * QUOTE, 90 * QUOTE), ValueChange(noon + 5, 3, 0)]
    week = dict(portfolio_json(ValueHistory(steps, moved_ms=noon), 320 * QUOTE + 3, 0, NOW))["week"]
    assert week["accountValueHistory"] == [[noon, "320.0"], [noon + 5, "320.000003"], [NOW, "320.000003"]]
    assert week["pnlHistory"] == [
        [NOW - 7 * DAY_MS, "0.0"], [NOW - 2 * DAY_MS, "20.0"], [noon + 5, "20.0"], [NOW, "20.0"],
    ]  # fmt: skip
    assert week["vlm"] == "90.0"
    traded = dict(portfolio_json(ValueHistory(steps, traded_ms=noon), 320 * QUOTE + 3, 0, NOW))["week"]
    assert [time_ms for time_ms, _ in traded["pnlHistory"]] == [noon, noon + 5, NOW]
    assert traded["accountValueHistory"][0] == [noon, "320.0"] and traded["vlm"] == "0.0"


def test_rows_cut_off_inside_a_time_are_complete_from_the_next_on() -> None:
    moves = [LedgerUpdate(1, NOW - n, ALICE, "receive", 1, BOB, bytes(32)) for n in range(3)]
    assert known_since(moves, 4) == 0, "there are no more"
    assert known_since(moves, 3) == NOW - 1


def test_a_debt_that_others_paid_and_what_winners_paid_of_it_are_profit_and_no_transfer() -> None:
    """1,500 came in; the position lost 3,000; others paid 1,500 of it: 1,500 lost, not 3,000. What the closing of a
    locked account brought goes to the fund, a winner's levy comes out of what it won."""
    came = LedgerUpdate(1, NOW - 40, ALICE, "deposit", 1_500, BOB, bytes(32))
    rows = [("covered", 1_500), ("levy", -20), ("proceeds", -7)]
    moves = [
        LedgerUpdate(2, NOW - n, ALICE, kind, amount, BOB, bytes(32)) for n, (kind, amount) in enumerate(rows)
    ]
    assert steps_of([], [], [came, *moves]) == [
        ValueChange(NOW - 40, 1_500, 0), ValueChange(NOW - 2, -7, -7),
        ValueChange(NOW - 1, -20, -20), ValueChange(NOW, 1_500, 1_500),
    ]  # fmt: skip
