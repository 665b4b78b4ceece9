"""New block headers are sent in parts, to the /48 with the fewest streams first, and before their logs."""

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from types import SimpleNamespace

import pytest

from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.news import heads as head_news
from coinone.interfaces.api.ethereum.news import subscriptions
from coinone.interfaces.api.ethereum.news.heads import HeadNews
from coinone.interfaces.api.ethereum.news.subscriptions import RpcHub, RpcSession, Subscription
from coinone.interfaces.api.limits import HEAD_NEWS_WAITING_MAX
from coinone.interfaces.api.sockets.hub import Connection
from coinone.rules.vm import Log
from tests.interfaces.api.rpc_stand import (
    OTHER,
    TOPIC,
    in_smallest_parts,
    line,
    link_of,
    logs,
    logs_of,
    number,
    publish,
    session_of,
    told,
)

HEADS = Subscription("newHeads")
Order = list[tuple[str, int]]  # who was told of which block


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time of who tells of blocks, which stands still until a test says so."""
    made = SimpleNamespace(s=0.0, monotonic=lambda: made.s)
    monkeypatch.setattr(head_news, "time", made)
    return made


@pytest.fixture(autouse=True)
def in_parts(monkeypatch: pytest.MonkeyPatch, made: list[Log]) -> None:
    """In the smallest, and a block says how many came before it."""
    in_smallest_parts(monkeypatch)
    counted = iter(range(10**6))
    monkeypatch.setattr(subscriptions, "header_json", lambda header: next(counted))


def listening(hub: RpcHub, share: Hashable, hear: Callable[[int], None], streams: int = 1) -> RpcSession:
    session = session_of(hub, share=share)
    for _ in range(streams):
        session.subscribe(HEADS)
    link_of(session).send = lambda payload: hear(number_of(payload))  # type: ignore[method-assign]
    return session


def number_of(payload: bytes) -> int:
    return int(payload.rpartition(b":")[2].rstrip(b"}"))


async def heads_told(hub: RpcHub) -> int:
    """In how many parts."""
    parts = 0
    while hub.head_news._teller is not None:
        await asyncio.sleep(0)
        parts += 1
    assert not hub.head_news._waiting
    return parts


def test_blocks_are_told_in_parts_to_whose_site_listens_least_first() -> None:
    """30,720 streams of 240 lines were told in one piece of the thread that answers everybody: 0.3 to 0.5 s at each
    block. Alice has two, the lines of a site one or three each, which are seven together."""

    async def run() -> None:
        hub, order = RpcHub(), Order()
        lines = {"three": (line(1, 0), 3), "other three": (line(1, 1), 3), "one": (line(1, 2), 1)}
        for name, (share, streams) in {**lines, "alice": (line(2, 0), 2)}.items():
            listening(hub, share, partial(hear, order, name), streams)
        publish(hub, [])
        assert await heads_told(hub) > 4, "each line is a part"
        assert [name for name, _ in order] == ["alice"] * 2 + ["one"] + ["three"] * 3 + ["other three"] * 3

    asyncio.run(run())


def hear(order: Order, name: str, block: int) -> None:
    order.append((name, block))


def test_who_listens_least_hears_of_a_new_block_while_others_hear_of_older_ones(
    clock: SimpleNamespace,
) -> None:
    """Mallory has three lines, and one of them has heard of the first block when, a second later, another comes. Of the
    three those come first who have waited longer."""

    async def run() -> None:
        hub, order = RpcHub(), Order()

        def take(name: str, block: int) -> None:
            order.append((name, block))
            if len(order) == 2:
                clock.s += 1.0
                publish(hub, [])

        for name, site in (("first", 1), ("second", 1), ("third", 1), ("alice", 2)):
            listening(hub, line(site, 0), partial(take, name))
        publish(hub, [])
        await heads_told(hub)
        assert order[:3] == [("alice", 0), ("first", 0), ("alice", 1)]
        assert order[3:] == [("second", 0), ("second", 1), ("third", 0), ("third", 1), ("first", 1)]

    asyncio.run(run())


def test_a_session_is_told_of_a_block_before_its_logs() -> None:
    """Twenty others are told of each block before it, and it is alone to be told of the logs."""

    async def run() -> list[bytes]:
        hub = RpcHub()
        for n in range(20):
            listening(hub, line(1, n), lambda block: None)
        last = session_of(hub, share=line(1, 99))
        last.subscribe(HEADS)
        last.subscribe(logs_of(TOPIC))
        publish(hub, logs(TOPIC))
        publish(hub, logs(TOPIC))
        await told(hub)
        await heads_told(hub)
        return [payload[payload.index(b'"result"') :] for payload in link_of(last).sent]

    heard = asyncio.run(run())
    assert [b"topic" in result for result in heard] in (
        [False, True, False, True],
        [False, False, True, True],
    )
    assert [result for result in heard if b"topic" not in result] == [b'"result":0}}', b'"result":1}}']


def test_who_is_to_be_told_of_many_blocks_first_hears_of_logs_after_others() -> None:
    """Each of Mallory's three lines asks for a topic and has 99 streams of blocks; Alice asks for four topics."""

    async def run() -> None:
        hub, order = RpcHub(), []

        def take(name: str, payload: bytes) -> None:
            if b"topic" in payload:
                order.append(name)

        for n in range(3):
            session = listening(hub, line(1, n), lambda block: None, 99)
            session.subscribe(logs_of(TOPIC))
            link_of(session).send = partial(take, "mallory")  # type: ignore[method-assign]
        alice, four = session_of(hub, share=line(2, 0)), [bytes([n]) * 32 for n in (1, 3, 4, 5)]
        alice.subscribe(Subscription("logs", log_filter({"topics": [["0x" + each.hex() for each in four]]})))
        link_of(alice).send = partial(take, "alice")  # type: ignore[method-assign]
        publish(hub, logs(TOPIC, OTHER))
        await told(hub)
        await heads_told(hub)
        assert order == ["alice"] + ["mallory"] * 3

    asyncio.run(run())


def test_who_unsubscribed_meanwhile_is_told_no_more_and_who_came_meanwhile_not_yet() -> None:
    async def run() -> None:
        hub, order = RpcHub(), Order()
        first = listening(hub, "first", partial(hear, order, "first"), 2)
        publish(hub, [])
        assert first.unsubscribe(next(iter(first.subscriptions)))
        first.subscribe(HEADS)
        listening(hub, "second", partial(hear, order, "second"))
        await heads_told(hub)
        assert order == [("first", 0)]

    asyncio.run(run())


@pytest.mark.parametrize(("later_s", "is_cut"), [(0.0, False), (3.0, True)])
def test_where_many_blocks_wait_for_long_who_is_not_told_is_cut(
    clock: SimpleNamespace, later_s: float, is_cut: bool
) -> None:
    """Of 65 in a burst nobody misses any, as when blocks are made at once on a development network."""

    async def run() -> None:
        hub, order = RpcHub(), Order()
        session = listening(hub, "mallory", partial(hear, order, "mallory"))
        for _ in range(HEAD_NEWS_WAITING_MAX):
            publish(hub, [])
        clock.s += later_s
        publish(hub, [])
        await heads_told(hub)
        assert link_of(session).was_cut == is_cut
        assert [block for _, block in order] == ([] if is_cut else list(range(HEAD_NEWS_WAITING_MAX + 1)))

    asyncio.run(run())


def test_what_a_session_is_told_of_a_block_and_of_transactions_is_written_together() -> None:
    """A write for each message was most of what telling takes. Three subscriptions of each kind, three transactions."""

    async def run() -> list[int]:
        hub, writes = RpcHub(), []
        session = session_of(hub)
        link = SimpleNamespace(write_frames=lambda frames: writes.append(frames.count(b"jsonrpc")) or True)
        session.connection = Connection(link)  # type: ignore[arg-type]
        for kind in ("newHeads", "newPendingTransactions") * 3:
            session.subscribe(Subscription(kind))
        publish(hub, [])
        await heads_told(hub)
        for n in range(3):
            hub.publish_pending(number(n), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        return writes

    assert asyncio.run(run()) == [3, 9]


def test_where_blocks_cannot_be_told_nobody_goes_on_with_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        hub = RpcHub()
        sessions = [listening(hub, name, lambda block: None) for name in ("alice", "bob")]
        monkeypatch.setattr(HeadNews, "_turns", lambda news: 1 // 0)
        publish(hub, [])
        await heads_told(hub)
        assert all(link_of(session).was_cut for session in sessions)

    asyncio.run(run())
