"""What eth_subscribe costs a node, and what one sender's subscriptions cost another."""

import asyncio
from collections import Counter
from functools import partial
from random import Random
from types import SimpleNamespace

import pytest

from coinone.interfaces.api.ethereum.filters import Filters
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.news import logs as log_news
from coinone.interfaces.api.ethereum.news import pending as pending_news
from coinone.interfaces.api.ethereum.news.logs import LogIndex
from coinone.interfaces.api.ethereum.news.subscriptions import RpcHub, RpcSession, Subscription
from coinone.interfaces.api.limits import (
    FILTERS_MAX,
    FILTERS_PER_SENDER_MAX,
    LOG_BLOCKS_WAITING_MAX,
    PENDING_NEWS_MANY,
    PENDING_NEWS_WAITING_MAX,
    RPC_FILTER_ENTRIES_MAX,
    RPC_STREAMS_PER_SENDER_MAX,
)
from coinone.rules.vm import Log
from tests.interfaces.api.rpc_stand import (
    OTHER,
    TOPIC,
    in_smallest_parts,
    link_of,
    logs,
    logs_of,
    number,
    publish,
    session_of,
    told,
)


def test_a_log_is_made_once_whoever_listens_and_for_who_is_cut_off_no_further(made: list[Log]) -> None:
    """A hundred subscriptions of each of 64 connections made each log 6,400 times: 50 s for a block of a thousand."""

    async def run() -> None:
        hub = RpcHub()
        cut = session_of(hub, most=2)
        sessions = [session_of(hub) for _ in range(3)]
        for session in sessions:
            session.subscribe(logs_of(TOPIC))
            session.subscribe(logs_of())
        cut.subscribe(logs_of())
        publish(hub, logs(TOPIC, OTHER, TOPIC))
        await told(hub)
        assert len(made) == 3
        assert [len(link_of(session).sent) for session in sessions] == [5] * 3
        assert len(link_of(cut).sent) == 2

    asyncio.run(run())


def test_an_index_of_logs_finds_what_matches() -> None:
    """Six hundred logs of three addresses, with none to three of four topics, and filters of all shapes."""
    draw = Random(1)
    topics, addresses = [number(n) for n in range(4)], [bytes([n]) * 20 for n in range(3)]
    some = [
        Log(draw.choice(addresses), tuple(draw.choices(topics, (900, 90, 2, 1), k=draw.randrange(4))), b"")
        for _ in range(600)
    ]
    index = LogIndex(len(some))
    for place, log in enumerate(some):
        index.add(place, log)
    for _ in range(300):
        groups = [
            ["0x" + each.hex() for each in draw.sample(topics, draw.randrange(3))]
            for _ in range(draw.randrange(4))
        ]
        asked = ["0x" + each.hex() for each in draw.sample(addresses, draw.randrange(3))]
        wanted = log_filter({"address": asked, "topics": [group or None for group in groups]})
        matching = [place for place, log in enumerate(some) if wanted.matches(log.address, log.topics)]
        assert list(log_news._places(index.matching(wanted))) == matching


def test_many_filters_of_long_lists_that_match_nothing_leave_the_event_loop_to_others(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """11,000 logs (z, y), 11,000 (y, z), and 300 filters of three connections that want z at both places: 11 s in one
    piece, when each filter looked at each log. A step is 64 logs of the index, or a filter that is
    counted or told."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub, z, y, turns = RpcHub(), number(0), number(1), 0
        for n in range(300):
            if n % 100 == 0:
                session = session_of(hub, share="mallory")
            session.subscribe(logs_of(z, z, *[number(n)] * (n % 2)))
        publish(hub, [Log(bytes(20), (z, y), b""), Log(bytes(20), (y, z), b"")] * 11_000)
        while hub._log_news._teller is not None:
            await asyncio.sleep(0)
            turns += 1
        assert 22_000 // 64 + 300 < turns < 22_000 // 64 + 2 * 300 + 10
        assert made == []

    asyncio.run(run())


def test_who_asks_for_little_is_told_before_who_is_told_much(made: list[Log]) -> None:
    """Mallory came first and hears of all 600; of the last of them Alice is told before Mallory is of the first."""

    async def run() -> None:
        hub, order = RpcHub(), []
        for share, subscription in (("mallory", logs_of()), ("alice", logs_of(OTHER))):
            session = session_of(hub, share=share)
            session.subscribe(subscription)
            link_of(session).send = lambda payload, share=share: order.append(share)  # type: ignore[method-assign,misc]
        publish(hub, logs(*[TOPIC] * 599, OTHER))
        await told(hub)
        assert order == ["alice"] + ["mallory"] * 600

    asyncio.run(run())


def test_who_is_told_much_of_a_block_keeps_nobody_from_the_next(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty who heard of 44,000 logs each made others hear of a later block after 30 s. Mallory hears of 600 when the
    next block comes: Alice is told of its log at once, Mallory of both of its logs in their order, after the 600."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub, order = RpcHub(), []
        for share, subscription in (("mallory", logs_of()), ("alice", logs_of(OTHER))):
            session = session_of(hub, share=share)
            session.subscribe(subscription)
            link_of(session).send = lambda payload, share=share: order.append((share, payload[-4:-3]))  # type: ignore[method-assign,misc]
        publish(hub, logs(*[TOPIC] * 600))
        while len(order) < 100:
            await asyncio.sleep(0)
        publish(hub, logs(OTHER, TOPIC))
        await told(hub)
        assert order.index(("alice", b"2")) < 110
        order.remove(("alice", b"2"))
        assert order == [("mallory", b"1")] * 600 + [("mallory", b"2"), ("mallory", b"1")]

    asyncio.run(run())


def test_who_asks_for_much_keeps_nobody_from_the_next_block(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mallory's twenty filters of 257 addresses match nothing, and are looked for after the next block's: eight such
    senders made others hear of a block 14.5 s after it."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        mallory, alice = session_of(hub, share="mallory"), session_of(hub, share="alice")
        for n in range(19):
            wanted = ["0x" + (n * 257 + k).to_bytes(20, "big").hex() for k in range(1, 258)]
            mallory.subscribe(Subscription("logs", log_filter({"address": wanted})))
        alice.subscribe(logs_of(OTHER))
        for _ in range(2):
            publish(hub, logs(OTHER))
        while len(link_of(alice).sent) < 2:
            await asyncio.sleep(0)
        news = hub._log_news
        assert len(news._late) + len(news._blocks) == 2, "of both Mallory is to be told still"
        await told(hub)
        assert not link_of(mallory).was_cut

    asyncio.run(run())


def test_no_more_blocks_wait_than_may_however_late_somebody_is(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mallory hears of 300 logs a block, and a block comes before it has heard of any. The oldest were cut again and
    again, and 23 blocks waited."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        alice = session_of(hub, share="alice")
        alice.subscribe(logs_of(OTHER))
        for n in range(3 * LOG_BLOCKS_WAITING_MAX):
            mallory = session_of(hub, share=f"mallory {n}")
            mallory.subscribe(logs_of())
            publish(hub, logs(*[TOPIC] * 300, OTHER))
            while len(link_of(alice).sent) <= n:
                await asyncio.sleep(0)
            assert len(hub._log_news._late) + len(hub._log_news._blocks) <= LOG_BLOCKS_WAITING_MAX
        await told(hub)
        assert not link_of(alice).was_cut

    asyncio.run(run())


def test_a_sender_is_told_each_log_once_and_ten_thousand_times_more(made: list[Log]) -> None:
    """Of 500 logs 10,500 messages: 21 subscriptions to all of them are told, 22 are 11,000 and too many."""

    async def run() -> None:
        hub = RpcHub()
        sessions = {share: session_of(hub, share=share) for share in ("alice", "mallory")}
        for _ in range(21):
            sessions["alice"].subscribe(logs_of())
        for _ in range(22):
            sessions["mallory"].subscribe(logs_of())
        publish(hub, logs(*[TOPIC] * 500))
        await told(hub)
        alice, mallory = map(link_of, sessions.values())
        assert (len(alice.sent), alice.was_cut) == (10_500, False)
        assert (len(mallory.sent), mallory.was_cut) == (0, True)

    asyncio.run(run())


def test_where_too_many_blocks_wait_who_was_not_told_of_the_oldest_is_cut(made: list[Log]) -> None:
    """Blocks come faster than they are told: no subscription goes on with a gap, and what waits is bounded."""

    async def run() -> None:
        hub = RpcHub()
        early = session_of(hub)
        early.subscribe(logs_of())
        for _ in range(LOG_BLOCKS_WAITING_MAX):
            publish(hub, logs(TOPIC))
        late = session_of(hub)
        late.subscribe(logs_of())
        publish(hub, logs(TOPIC))
        await told(hub)
        assert link_of(early).was_cut and link_of(early).sent == []
        assert not link_of(late).was_cut and len(link_of(late).sent) == 1

    asyncio.run(run())


def test_who_unsubscribed_meanwhile_is_told_no_more_and_who_came_meanwhile_not_yet(made: list[Log]) -> None:
    async def run() -> None:
        hub = RpcHub()
        session = session_of(hub)
        name = session.subscribe(logs_of())
        publish(hub, logs(TOPIC))
        assert session.unsubscribe(name) and not session.unsubscribe(name)
        session.subscribe(logs_of())
        await told(hub)
        assert link_of(session).sent == []

    asyncio.run(run())


def test_a_senders_filters_are_bounded_together(made: list[Log]) -> None:
    """On whatever connections; what was given back may be taken again."""
    hub = RpcHub()
    wanted = Subscription("logs", log_filter({"topics": [["0x" + number(n).hex() for n in range(1000)]]}))
    for _ in range(RPC_FILTER_ENTRIES_MAX // 1000):
        session = session_of(hub)
        name = session.subscribe(wanted)
    with pytest.raises(RpcError, match="too many addresses and topics"):
        session_of(hub).subscribe(logs_of())
    session_of(hub, share="bob").subscribe(wanted)
    session.unsubscribe(name)
    session_of(hub).subscribe(wanted)


def test_one_sender_leaves_filters_for_others(made: list[Log]) -> None:
    async def run() -> None:
        filters = Filters()
        for _ in range(FILTERS_PER_SENDER_MAX):
            filters.add(None, 0, "mallory")
        with pytest.raises(RpcError, match="too many filters of one sender"):
            filters.add_pending(False, "mallory")
        filters.add(None, 0, "alice")
        many = {"topics": [["0x" + number.to_bytes(32, "big").hex() for number in range(1000)]] * 4}
        filters.add(log_filter(many), 0, "bob")
        with pytest.raises(RpcError, match="too many addresses and topics"):
            filters.add(log_filter(many), 0, "bob")

    asyncio.run(run())


def test_whoever_has_most_filters_makes_room_for_who_has_few(made: list[Log]) -> None:
    """Ten addresses held all 1,000, a hundred each, and nobody else had any. Each of eleven has 1,000 / 11 = 90.9:
    Alice gets 90 and they keep 91."""

    async def run() -> None:
        filters = Filters()
        names = {n: [filters.add(None, 0, n) for _ in range(FILTERS_PER_SENDER_MAX)] for n in range(10)}
        filters.poll(names[0][0])
        for _ in range(90):
            filters.add(None, 0, "alice")
        held = Counter(each.share for each in filters._open.values())
        assert held == {**dict.fromkeys(range(10), 91), "alice": 90}
        with pytest.raises(RpcError, match=f"too many filters \\(most {FILTERS_MAX}\\)"):
            filters.add(None, 0, "alice")
        assert filters.poll(names[0][0])  # the newest poll; what went are the oldest
        with pytest.raises(RpcError, match="filter not found"):
            filters.poll(names[0][1])

    asyncio.run(run())


def test_a_filter_of_who_has_no_more_than_a_newcomer_will_have_stays(made: list[Log]) -> None:
    async def run() -> None:
        filters = Filters()
        names = [filters.add(None, 0, n) for n in range(FILTERS_MAX)]
        with pytest.raises(RpcError, match="too many filters"):
            filters.add(None, 0, "newcomer")
        assert list(filters._open) == names

    asyncio.run(run())


def test_transactions_are_told_in_parts_to_who_listens_least_first(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,800 subscriptions, a hundred on a connection, and 19 transactions a second: each was 0.05 s and more of the
    event loop in one piece, and prices 1.7 s late. Mallory has 128, whatever their connections."""
    in_smallest_parts(monkeypatch)
    stream = Subscription("newPendingTransactions")

    async def run() -> None:
        hub, turns, order = RpcHub(), 0, []
        for _ in range(2):
            session = session_of(hub, share="mallory")
            link_of(session).send = lambda payload: order.append("mallory")  # type: ignore[method-assign]
            for _ in range(RPC_STREAMS_PER_SENDER_MAX // 2):
                session.subscribe(stream)
        with pytest.raises(RpcError, match="too many subscriptions of one sender"):
            session.subscribe(Subscription("newHeads"))
        alice = session_of(hub)
        alice.subscribe(stream)
        link_of(alice).send = lambda payload: order.append("alice")  # type: ignore[method-assign]
        for n in range(3):
            hub.publish_pending(number(n), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
            turns += 1
        assert order == ["alice"] * 3 + ["mallory"] * 3 * RPC_STREAMS_PER_SENDER_MAX
        assert turns >= len(order)

    asyncio.run(run())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time of who tells of transactions, which stands still until a test says so."""
    made = SimpleNamespace(s=0.0, monotonic=lambda: made.s)
    monkeypatch.setattr(pending_news, "time", made)
    return made


def test_who_listens_least_hears_of_a_new_transaction_while_others_hear_of_older_ones(
    made: list[Log], monkeypatch: pytest.MonkeyPatch, clock: SimpleNamespace
) -> None:
    """Sixteen senders with 128 streams each, 64 transactions a second: others heard of each when all had heard of all
    before it, up to 4 s later. Mallory has two streams and has heard of the first of three on one when, a second
    later, a fourth comes."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub, order = RpcHub(), []
        mallory, alice = two_of_whom_one_listens_more(hub)

        def hear(name: str, payload: bytes) -> None:
            order.append((name, int(payload[-4:-3])))
            if len(order) == 4:
                clock.s += 1.0
                hub.publish_pending(number(4), b"")

        for session, name in ((mallory, "mallory"), (alice, "alice")):
            link_of(session).send = partial(hear, name)  # type: ignore[method-assign]
        for n in (1, 2, 3):
            hub.publish_pending(number(n), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        assert order[:5] == [("alice", 1), ("alice", 2), ("alice", 3), ("mallory", 1), ("mallory", 1)]
        assert order[5:] == [("alice", 4), *(("mallory", n) for n in (2, 2, 3, 3, 4, 4))]
        assert not hub._pending_news._waiting

    asyncio.run(run())


def test_who_begins_to_listen_hears_of_no_transaction_that_came_before(
    made: list[Log], monkeypatch: pytest.MonkeyPatch, clock: SimpleNamespace
) -> None:
    """Bob begins when Mallory has heard of the first of two on one of her streams, and a third comes then."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        mallory, alice = two_of_whom_one_listens_more(hub)
        bob, heard = session_of(hub, share="bob"), []

        def hear(payload: bytes) -> None:
            heard.append(int(payload[-4:-3]))
            if len(heard) == 1:
                clock.s += 1.0
                bob.subscribe(Subscription("newPendingTransactions"))
                hub.publish_pending(number(3), b"")

        link_of(mallory).send = hear  # type: ignore[method-assign]
        for n in (1, 2):
            hub.publish_pending(number(n), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        assert [payload[-4:-3] for payload in link_of(bob).sent] == [b"3"]
        assert [payload[-4:-3] for payload in link_of(alice).sent] == [b"1", b"2", b"3"]
        assert heard == [1, 1, 2, 2, 3, 3]

    asyncio.run(run())


async def tell_while_others_come(hub: RpcHub, alice: RpcSession, count: int) -> None:
    """So many transactions come in one piece when Alice was told of a first one, and others were not yet."""
    hub.publish_pending(number(0), b"")
    while not link_of(alice).sent:
        await asyncio.sleep(0)
    for n in range(count):
        hub.publish_pending(number(n + 1), b"")
    while hub._pending_news._teller is not None:
        await asyncio.sleep(0)


def two_of_whom_one_listens_more(hub: RpcHub) -> tuple[RpcSession, RpcSession]:
    mallory, alice = session_of(hub, share="mallory"), session_of(hub)
    for session in (mallory, mallory, alice):
        session.subscribe(Subscription("newPendingTransactions"))
    return mallory, alice


@pytest.mark.parametrize(
    ("wait_s", "count"), [(0.0, PENDING_NEWS_MANY + 1), (60.0, PENDING_NEWS_WAITING_MAX + 1)]
)
def test_where_many_transactions_wait_for_long_or_too_many_at_all_who_listens_most_is_cut(
    made: list[Log], monkeypatch: pytest.MonkeyPatch, wait_s: float, count: int
) -> None:
    """While the first is told, many others come: Alice was told of it, Mallory is cut, and Alice told of the rest."""
    in_smallest_parts(monkeypatch)
    monkeypatch.setattr(pending_news, "PENDING_NEWS_WAIT_S", wait_s)

    async def run() -> None:
        hub = RpcHub()
        mallory, alice = two_of_whom_one_listens_more(hub)
        await tell_while_others_come(hub, alice, count)
        assert link_of(mallory).was_cut and not link_of(alice).was_cut
        assert len(link_of(alice).sent) == count + 1

    asyncio.run(run())


def test_large_transactions_that_wait_are_bounded_by_their_bytes(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of a hundred bytes, where 250 may wait."""
    in_smallest_parts(monkeypatch)
    monkeypatch.setattr(pending_news, "PENDING_NEWS_BYTES_MAX", 250)

    async def run() -> None:
        hub = RpcHub()
        mallory, alice = two_of_whom_one_listens_more(hub)
        hub.publish_pending(number(0), b"")
        while not link_of(alice).sent:
            await asyncio.sleep(0)
        for n in range(3):
            hub.publish_pending(number(n + 1), bytes(100))
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        assert link_of(mallory).was_cut and not link_of(alice).was_cut
        assert len(link_of(alice).sent) == 4

    asyncio.run(run())


def test_a_burst_of_transactions_cuts_nobody(made: list[Log], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of a thousand calls of eth_sendRawTransaction while one before it is told: everybody hears of all,
    Mallory twice as she listens twice. Beyond 256, whoever had not been told of the first was cut."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        mallory, alice = two_of_whom_one_listens_more(hub)
        await tell_while_others_come(hub, alice, 1000)
        assert not link_of(mallory).was_cut and not link_of(alice).was_cut
        assert (len(link_of(mallory).sent), len(link_of(alice).sent)) == (2 * 1001, 1001)

    asyncio.run(run())


def fail(payload: bytes) -> None:
    raise OSError("broken")


def test_a_subscriber_that_cannot_be_told_is_cut_and_the_others_hear_of_everything(made: list[Log]) -> None:
    """Of three, the second's connection raises: the third heard of no block and no transaction, and went on."""

    async def run() -> None:
        hub = RpcHub()
        sessions = [session_of(hub, share=name) for name in ("alice", "broken", "bob")]
        for session in sessions:
            for kind in ("newHeads", "newPendingTransactions"):
                session.subscribe(Subscription(kind))
            session.subscribe(logs_of())
        link_of(sessions[1]).send = fail  # type: ignore[method-assign]
        for n in range(3):
            hub.publish_pending(number(n), b"")
        publish(hub, logs(TOPIC, OTHER))
        await told(hub)
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        assert [link_of(session).was_cut for session in sessions] == [False, True, False]
        assert [len(link_of(session).sent) for session in sessions] == [6, 0, 6]  # 3, a block, 2 logs

    asyncio.run(run())


def test_where_transactions_cannot_be_told_nobody_goes_on_with_a_gap(made: list[Log]) -> None:
    """b"" is no transaction, so it cannot be shown whole."""

    async def run() -> None:
        hub = RpcHub()
        session = session_of(hub)
        session.subscribe(Subscription("newPendingTransactions", full=True))
        hub.publish_pending(number(0), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        assert link_of(session).was_cut

    asyncio.run(run())
