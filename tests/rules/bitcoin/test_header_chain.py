"""Headers: real ones of Bitcoin, Core's own cases, and a twin that walks back over the headers as Core does."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import BitcoinHeader, decode_header
from coinone.rules.bitcoin.header_chain import (
    ChainTip,
    check_not_ahead,
    check_work,
    extend,
    genesis_tip,
    retarget,
)
from coinone.rules.bitcoin.networks import MAIN, REGTEST, TESTNET3, TESTNET4, BitcoinNetwork
from coinone.rules.bitcoin.target import bits_of, target_of, work_of
from tests.rules.bitcoin import samples
from tests.rules.bitcoin.mining import SMALL, child, mine

FIRST_BLOCK = bytes.fromhex(  # height 1 of the main network
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3"
    "540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299"
)
GENESIS_HASHES = {  # as explorers show them
    MAIN: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    TESTNET3: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    TESTNET4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    REGTEST: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}


def branch_at_741888() -> tuple[ChainTip, list[BitcoinHeader]]:
    """Real headers from 741793 on; what lies below them is known by the first header of their period."""
    headers = {
        int(height): decode_header(bytes.fromhex(raw))
        for height, raw in samples.rows("btc_headers_741793_741990.txt")
    }
    period, first = headers[739_872], headers[741_793]
    tip = ChainTip(first.hash, 741_793, 0, first.bits, first.bits, period.time, period.bits, (first.time,))
    return tip, [headers[height] for height in range(741_794, 741_991)]


def branch(count: int, network: BitcoinNetwork = REGTEST) -> ChainTip:
    tip = genesis_tip(network)
    for _ in range(count):
        tip = extend(tip, child(tip, network=network), network)
    return tip


@pytest.mark.parametrize("network", GENESIS_HASHES, ids=lambda network: network.name)
def test_every_network_begins_with_the_block_that_is_known(network: BitcoinNetwork) -> None:
    genesis = network.genesis
    assert genesis.hash[::-1].hex() == GENESIS_HASHES[network]
    check_work(genesis.hash, genesis.bits, network)


def test_the_first_block_follows_the_genesis_block() -> None:
    header = decode_header(FIRST_BLOCK)
    assert header.encode() == FIRST_BLOCK
    tip = extend(genesis_tip(MAIN), header, MAIN)
    assert tip.hash[::-1].hex() == "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"
    assert (tip.height, tip.work) == (1, 2 * 0x100010001)


def test_real_headers_follow_one_another_over_a_change_of_the_target() -> None:
    tip, headers = branch_at_741888()
    seen = []
    for header in headers:
        tip = extend(tip, header, MAIN)
        seen.append(tip.bits)
    assert tip.height == 741_990
    assert seen == [0x17094B6A] * 94 + [0x170984CC] * 103  # 741888 is the first with the new target
    assert tip.work == 94 * work_of(0x17094B6A) + 103 * work_of(0x170984CC)


def test_every_real_period_begins_with_work_and_within_the_limits_of_a_change() -> None:
    rows = samples.rows("btc_mainnet_retarget_headers.txt")
    headers = [decode_header(bytes.fromhex(raw)) for _, raw in rows]
    assert [int(height) for height, _ in rows] == list(range(2016, 866_881, 2016))
    for before, header in zip([MAIN.genesis, *headers], headers, strict=False):
        check_work(header.hash, header.bits, MAIN)
        most = min(4 * target_of(before.bits), MAIN.limit)
        assert target_of(bits_of(target_of(before.bits) // 4)) <= target_of(header.bits) <= most


@pytest.mark.parametrize(
    ("first", "last", "bits", "after"),
    [  # Core's pow_tests.cpp
        (1_261_130_161, 1_262_152_739, 0x1D00FFFF, 0x1D00D86A),  # height 32255
        (1_231_006_505, 1_233_061_996, 0x1D00FFFF, 0x1D00FFFF),  # held by the network's limit
        (1_279_008_237, 1_279_297_671, 0x1C05A3F4, 0x1C0168FD),  # held by a quarter
        (1_263_163_443, 1_269_211_443, 0x1C387F6F, 0x1D00E1FD),  # held by four times
    ],
)
def test_core_s_changes_of_the_target(first: int, last: int, bits: int, after: int) -> None:
    assert retarget(target_of(bits), last - first, MAIN) == after


def bits_as_core_finds_them(headers: list[BitcoinHeader], time: int, network: BitcoinNetwork) -> int:
    """GetNextWorkRequired, which walks back: `headers` from genesis."""
    last, height = headers[-1], len(headers)
    if height % network.period:
        if not network.allows_easy_blocks:
            return last.bits
        if time > last.time + 2 * network.spacing:
            return bits_of(network.limit)
        at = height - 1
        while at and at % network.period and headers[at].bits == bits_of(network.limit):
            at -= 1
        return headers[at].bits
    if not network.retargets:
        return last.bits
    first = headers[height - network.period]
    seconds = min(max(last.time - first.time, network.timespan // 4), 4 * network.timespan)
    old = target_of(first.bits if network.bip94 else last.bits)
    return bits_of(min(old * seconds // network.timespan, network.limit))


KINDS = [
    replace(SMALL, allows_easy_blocks=easy, retargets=changes, bip94=bip94)
    for easy, changes, bip94 in [
        (False, True, False),
        (True, True, False),
        (True, True, True),
        (True, False, False),
    ]
]


@settings(max_examples=20)
@given(
    kind=st.sampled_from(KINDS),
    steps=st.lists(st.sampled_from([1, 60, 300, 600, 900, 1_200, 1_201, 5_000]), min_size=50, max_size=70),
)
def test_what_a_tip_keeps_gives_the_target_that_walking_back_gives(
    kind: BitcoinNetwork, steps: list[int]
) -> None:
    tip, headers = genesis_tip(kind), [kind.genesis]
    for seconds in steps:
        header = child(tip, seconds, kind)
        assert header.bits == bits_as_core_finds_them(headers, header.time, kind)
        tip = extend(tip, header, kind)
        headers.append(header)
        assert tip.median_time_past == sorted(h.time for h in headers[-11:])[len(headers[-11:]) // 2]


def test_easy_blocks_are_possible_in_a_period_and_leave_no_trace() -> None:
    """Test networks: after 20 minutes one block may have the easiest target; the next one has the usual again."""
    network = replace(KINDS[1], timespan=12_000)
    tip = genesis_tip(network)
    for _ in range(25):  # fast, so that the second period is harder
        tip = extend(tip, child(tip, 300, network), network)
    usual = tip.bits
    assert target_of(usual) < network.limit
    tip = extend(tip, child(tip, 1_201, network), network)
    assert tip.bits == bits_of(network.limit)
    assert extend(tip, child(tip, 1_200, network), network).bits == usual


def test_an_easy_block_at_a_period_s_end_does_not_make_test_network_4_easy() -> None:
    """BIP94: the change starts from the period's first target, elsewhere from its last."""
    for network, starts_from in ((KINDS[2], "usual"), (KINDS[1], "easy")):
        tip = genesis_tip(network)
        for _ in range(20):  # the second period is harder
            tip = extend(tip, child(tip, 200, network), network)
        targets = {"usual": target_of(tip.bits), "easy": network.limit}
        for seconds in [600] * 18 + [1_201]:
            tip = extend(tip, child(tip, seconds, network), network)
        assert (tip.height, tip.bits) == (39, bits_of(network.limit))
        took = 18 * 600 + 1_201  # from header 20 to 39
        assert child(tip, 1, network).bits == retarget(targets[starts_from], took, network)


def test_a_period_on_test_network_4_does_not_begin_far_back() -> None:
    """BIP94: with the median below, only this rule stands against a first block set hours back."""
    network = replace(KINDS[2], allows_easy_blocks=False)
    tip = genesis_tip(network)
    for _ in range(19):
        tip = extend(tip, child(tip, 600, network), network)
    extend(tip, child(tip, -600, network), network)
    with pytest.raises(InvalidBitcoin, match="too far back"):
        extend(tip, child(tip, -601, network), network)
    extend(tip, child(tip, -601, replace(network, bip94=False)), replace(network, bip94=False))


def test_a_time_must_exceed_the_median_of_eleven() -> None:
    tip = branch(20)  # 600 s apart: the median lies 3,000 s back
    assert tip.median_time_past == tip.time - 3_000
    extend(tip, child(tip, -2_999), REGTEST)
    with pytest.raises(InvalidBitcoin, match="median"):
        extend(tip, child(tip, -3_000), REGTEST)


def test_a_time_two_hours_ahead_waits() -> None:
    header = child(branch(1))
    check_not_ahead(header, header.time - 7_200)
    with pytest.raises(InvalidBitcoin, match="ahead"):
        check_not_ahead(header, header.time - 7_201)


@pytest.mark.parametrize(
    ("network", "height", "least"),
    [  # BIP34, 66 and 65; the heights of test network 3 are those of Core's chainparams.cpp
        (MAIN, 227_931, 2),
        (MAIN, 363_725, 3),
        (MAIN, 388_381, 4),
        (MAIN, 741_888, 4),
        (TESTNET3, 21_111, 2),
        (TESTNET3, 330_776, 3),
        (TESTNET3, 581_885, 4),
        (TESTNET4, 1, 4),
        (REGTEST, 1, 4),
    ],
)
def test_old_versions_end_where_bip_34_66_and_65_begin(
    network: BitcoinNetwork, height: int, least: int
) -> None:
    easy = replace(network, limit=REGTEST.limit, genesis=REGTEST.genesis)
    tip = replace(genesis_tip(easy), height=height - 1)
    header = child(tip, network=easy)
    assert extend(tip, mine(header._replace(version=least)), easy).height == height
    for old in (least - 1, 0, -1):
        with pytest.raises(InvalidBitcoin, match="version"):
            extend(tip, mine(header._replace(version=old)), easy)
    if height > 1 and height != 741_888:  # one block earlier the version before was enough
        before = replace(tip, height=height - 2)
        extend(before, mine(header._replace(version=least - 1)), easy)


def test_before_bip_34_any_version_is_valid() -> None:
    easy = replace(MAIN, limit=REGTEST.limit, genesis=REGTEST.genesis)
    tip = genesis_tip(easy)
    extend(tip, mine(child(tip, network=easy)._replace(version=-1)), easy)


def test_no_bit_of_a_real_header_can_be_another() -> None:
    """Every flip breaks a link, a target, a time or the work. That is all that a header holds."""
    tip, headers = branch_at_741888()
    raw, reasons = headers[0].encode(), set()
    extend(tip, headers[0], MAIN)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidInput) as refused:
            extend(tip, decode_header(bytes(changed)), MAIN)
        reasons.add(refused.value.reason)
    assert reasons == {
        "another parent",
        "another target than the rule gives",
        "time not after the median",
        "not enough work",
        "version too old",
    }


@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: b""])
def test_a_header_has_80_bytes(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DecodeError, match="header size"):
        decode_header(change(FIRST_BLOCK))


def test_real_headers_out_of_order_do_not_follow() -> None:
    tip, headers = branch_at_741888()
    with pytest.raises(InvalidBitcoin, match="another parent"):
        extend(tip, headers[1], MAIN)
    with pytest.raises(InvalidBitcoin, match="another parent"):
        extend(extend(tip, headers[0], MAIN), headers[0], MAIN)


def test_a_header_may_not_choose_its_own_target() -> None:
    tip = branch(3)
    easier = mine(child(tip)._replace(bits=0x2100FFFF))
    with pytest.raises(InvalidBitcoin, match="another target"):
        extend(tip, easier, REGTEST)
    with pytest.raises(InvalidBitcoin, match="above the network's limit"):
        check_work(easier.hash, easier.bits, REGTEST)


def test_a_hash_may_equal_its_target() -> None:
    target = target_of(0x1D00FFFF)
    check_work(target.to_bytes(32, "little"), 0x1D00FFFF, MAIN)
    with pytest.raises(InvalidBitcoin, match="not enough work"):
        check_work((target + 1).to_bytes(32, "little"), 0x1D00FFFF, MAIN)


def test_the_branch_with_more_work_wins_not_the_longer_one() -> None:
    """20 headers of the first period took half their time, so those of the second count twice."""
    fast, slow = genesis_tip(KINDS[0]), genesis_tip(KINDS[0])
    for _ in range(40):
        fast = extend(fast, child(fast, 300, KINDS[0]), KINDS[0])
    for _ in range(45):
        slow = extend(slow, child(slow, 700, KINDS[0]), KINDS[0])
    assert (fast.height, slow.height) == (40, 45)
    assert max(slow, fast, key=lambda tip: tip.work) is fast


def test_a_tip_is_a_record() -> None:
    tip = branch(12)
    assert decode(ChainTip, encode(tip)) == tip
