"""The dev network's prices."""

from coinone.base.primitives.parameters import ORACLE_RISK_MS
from coinone.node.networks import load_network
from coinone.node.roles.dev_oracle import PriceWalk
from coinone.node.roles.reporter import INTERVAL_MIN_MS, INTERVAL_SPREAD_MS, signed_prices
from coinone.rules.exchange.wire.envelope import decode_oracle
from coinone.rules.exchange.wire.oracle import verify_oracle

MARKETS = load_network("dev").markets


def test_equal_seeds_give_equal_prices_and_others_do_not():
    first, second, other = (PriceWalk(MARKETS, seed) for seed in (b"a", b"a", b"b"))
    prices = [first.step() for _ in range(50)]
    assert prices == [second.step() for _ in range(50)]
    assert prices != [other.step() for _ in range(50)]


def test_a_walk_goes_on_from_the_last_prices():
    walk = PriceWalk(MARKETS, b"seed", [1_234_560, 0, 0])
    market, price = walk.step()[0]
    # one step is 0.015 % in standard deviation, at most 6 of them (twelve dice): under 0.1 %, plus the pull
    assert market == 0 and abs(price - 1_234_560) < 1_300


def test_a_walk_begins_in_a_market_listed_later_at_the_price_it_was_listed_with():
    walk, last = PriceWalk(MARKETS, b"seed"), [market.start_price for market in MARKETS]
    assert len(walk.step()) == len(MARKETS)
    listed = len(MARKETS)
    walk.follow([*last, 90_000], [1, 1, 1, 0])
    prices = dict(walk.step())
    assert abs(prices[listed] - 90_000) < 90  # under 0.1 %, as above
    assert all(abs(prices[market] - price) <= price // 500 for market, price in enumerate(last))  # two steps
    walk.follow([*last, 90_000], [1, 1, 1, 5])  # it has a price now, from which the walk goes on
    assert abs(dict(walk.step())[listed] - prices[listed]) < 90
    walk.follow([*last, 5_000_000], [1, 1, 1, 0])  # time was turned back, and another is listed in its place
    assert abs(dict(walk.step())[listed] - 5_000_000) < 5_000


def test_its_reports_are_never_too_old_for_new_risk_and_its_steps_are_never_jumps():
    """Two of the longest intervals fit the age that new risk allows; a step of at most 0.1 % (above) is far from the
    1 % that is a jump at 50x, even over six missed reports."""
    assert 2 * (INTERVAL_MIN_MS + INTERVAL_SPREAD_MS) <= ORACLE_RISK_MS
    walk, most = PriceWalk(MARKETS, b"calm"), max(market.max_leverage for market in MARKETS)
    prices = [[px for _, px in walk.step()] for _ in range(500)]
    for earlier, later in zip(prices, prices[7:], strict=False):
        assert all(abs(b - a) * 2 * most <= a for a, b in zip(earlier, later, strict=True))


def test_an_hour_of_steps_moves_about_as_much_as_a_market_does():
    walk = PriceWalk(MARKETS, b"hour")
    start = MARKETS[0].start_price
    prices = [walk.step()[0][1] for _ in range(1_800)]
    # 1,800 steps of 150 ppm: a standard deviation of 0.64 %; five of them bound the walk
    assert all(abs(price - start) < start * 32 // 1000 for price in prices)
    assert len(set(prices)) > 1_000


def test_a_report_carries_its_reporter_s_signature():
    raw = signed_prices(926002, 1_000, ((0, 970_000),), (5).to_bytes(32, "big"))
    report = verify_oracle(decode_oracle(raw), 926002)
    assert report.prices == ((0, 970_000),)
    # the address of private key 5, from any Ethereum tool
    assert report.reporter.hex() == "e1ab8145f7e55dc933d51a18c793f901a3a0b276"
