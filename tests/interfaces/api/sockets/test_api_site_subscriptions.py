"""What the many networks (/64) of one IPv6 site (/48) may subscribe to together, and when they receive messages.

A site can ask for little on each of a thousand networks: with bounds and turns of each alone, others got a block's logs
7.6 s late, and a subscription that was refused cost the event loop a look at every session."""

import asyncio
from collections.abc import Hashable
from functools import partial
from types import SimpleNamespace

import pytest

from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.log_filter import log_filter
from coinone.interfaces.api.ethereum.news import pending as pending_news
from coinone.interfaces.api.ethereum.news.subscriptions import RpcHub, RpcSession, Subscription
from coinone.interfaces.api.limits import (
    RPC_FILTER_ENTRIES_MAX,
    RPC_FILTER_ENTRIES_PER_SITE_MAX,
    RPC_STREAMS_PER_SENDER_MAX,
    RPC_STREAMS_PER_SITE_MAX,
)
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

HEADS, PENDING = Subscription("newHeads"), Subscription("newPendingTransactions")
OTHER_SITE = line(2, 0)
TOO_MANY_STREAMS = "of one IPv6 /48 to blocks and transactions"
TOO_MANY_ENTRIES = "too many addresses and topics in all subscriptions of one IPv6 /48"


def logs_at(addresses: int, first: int = 1) -> Subscription:
    """A subscription to the logs of so many contracts, of which there are none."""
    asked = ["0x" + (first + n).to_bytes(20, "big").hex() for n in range(addresses)]
    return Subscription("logs", log_filter({"address": asked}))


def listening(hub: RpcHub, share: Hashable, subscription: Subscription, times: int = 1) -> list[str]:
    """The names of so many subscriptions of the sender, 64 on each of its connections."""
    names = []
    for n in range(times):
        if n % 64 == 0:
            session = session_of(hub, share=share)
        names.append(session.subscribe(subscription))
    return names


def hub_of_a_full_site() -> RpcHub:
    """Its site 1 has as many streams as it may."""
    hub = RpcHub()
    for n in range(RPC_STREAMS_PER_SITE_MAX // RPC_STREAMS_PER_SENDER_MAX):
        listening(hub, line(1, n), HEADS, RPC_STREAMS_PER_SENDER_MAX)
    return hub


def test_a_sites_streams_are_bounded_together() -> None:
    """512, of 128 for each network: four networks have all of them."""
    hub = hub_of_a_full_site()
    with pytest.raises(RpcError, match=TOO_MANY_STREAMS):
        listening(hub, line(1, 9), HEADS)
    listening(hub, line(1, 9), logs_of(TOPIC))
    listening(hub, OTHER_SITE, HEADS)


def test_a_sites_addresses_and_topics_are_bounded_together() -> None:
    """20,000, of 5,000 for each network: four networks have all of them, at a thousand a subscription."""
    hub = RpcHub()
    for n in range(RPC_FILTER_ENTRIES_PER_SITE_MAX // RPC_FILTER_ENTRIES_MAX):
        listening(hub, line(1, n), logs_at(1000), times=5)
    with pytest.raises(RpcError, match=TOO_MANY_ENTRIES):
        listening(hub, line(1, 9), logs_of(TOPIC))
    listening(hub, OTHER_SITE, logs_of(TOPIC))


def test_who_unsubscribes_makes_room_in_its_site_once() -> None:
    hub = hub_of_a_full_site()
    session = next(iter(hub.sessions))
    name = next(iter(session.subscriptions))
    assert [session.unsubscribe(name) for _ in range(2)] == [True, False]
    listening(hub, line(1, 9), HEADS)
    with pytest.raises(RpcError, match=TOO_MANY_STREAMS):
        listening(hub, line(1, 9), HEADS)


def test_who_leaves_makes_room_in_its_site_for_as_much_as_it_had() -> None:
    """64 streams of one connection."""
    hub = hub_of_a_full_site()
    leave(next(iter(hub.sessions)))
    listening(hub, line(1, 9), HEADS, 64)
    with pytest.raises(RpcError, match=TOO_MANY_STREAMS):
        listening(hub, line(1, 9), HEADS)


def leave(session: RpcSession) -> None:
    async def receive() -> dict[str, str]:
        return {"type": "websocket.disconnect"}

    session.connection = Leaving()  # type: ignore[assignment]
    asyncio.run(session.run(receive, None))  # type: ignore[arg-type]


class Leaving:
    open = True


def test_when_all_have_left_nothing_of_them_is_kept() -> None:
    """Else a sender that comes from another address each time would fill the memory."""
    hub = hub_of_a_full_site()
    listening(hub, OTHER_SITE, logs_at(1000))
    for session in list(hub.sessions):
        leave(session)
    assert not hub._entries and not hub._streams


def test_what_a_subscription_that_is_refused_costs_does_not_grow_with_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of four thousand sessions each was looked at: 3.4 s of the event loop for a few thousand refusals."""
    hub = hub_of_a_full_site()
    refused, looked = session_of(hub, share=line(1, 9)), []

    def share(session: RpcSession) -> Hashable:
        looked.append(session)
        return line(1, 9)

    monkeypatch.setattr(RpcSession, "share", property(share))
    with pytest.raises(RpcError, match=TOO_MANY_STREAMS):
        refused.subscribe(HEADS)
    assert set(looked) == {refused}


def test_lines_of_a_site_that_ask_for_much_together_keep_nobody_from_the_next_block(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lines ask for 100 addresses each: as much as one that asks for 300, which is more than a few (256)."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        for n in range(3):
            listening(hub, line(1, n), logs_at(100))
        alice = session_of(hub, share=OTHER_SITE)
        alice.subscribe(logs_of(OTHER))
        for _ in range(2):
            publish(hub, logs(OTHER))
        while len(link_of(alice).sent) < 2:
            await asyncio.sleep(0)
        news = hub._log_news
        assert len(news._late) + len(news._blocks) == 2, "of both the three are to be told still"
        await told(hub)

    asyncio.run(run())


def order_of_telling(
    hub: RpcHub, listeners: dict[str, tuple[Hashable, Subscription]]
) -> list[tuple[str, str]]:
    """Who is told, and of which topic ("1" or "2"), from now on and in this order."""
    order: list[tuple[str, str]] = []
    for name, (share, subscription) in listeners.items():
        session = session_of(hub, share=share)
        session.subscribe(subscription)
        link_of(session).send = (  # type: ignore[method-assign]
            lambda payload, name=name: order.append((name, payload[-4:-3].decode()))  # type: ignore[misc]
        )
    return order


def test_lines_of_a_site_that_are_told_much_together_keep_nobody_from_the_next_block(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten lines hear of all 100 logs of a block: two of them (200, of 256 that are a few) before Alice hears of her log
    of the next, and the others after her. Each hears of all in order."""
    in_smallest_parts(monkeypatch)

    async def run() -> None:
        hub = RpcHub()
        lines = {f"line {n}": (line(1, n), logs_of()) for n in range(10)}
        order = order_of_telling(hub, {**lines, "alice": (OTHER_SITE, logs_of(OTHER))})
        publish(hub, logs(*[TOPIC] * 100))
        publish(hub, logs(OTHER))
        await told(hub)
        assert order.index(("alice", "2")) == 200
        for each in lines:
            assert [topic for name, topic in order if name == each] == ["1"] * 100 + ["2"]

    asyncio.run(run())


def test_who_asks_for_less_than_all_lines_of_a_site_is_told_before_them(made: list[Log]) -> None:
    """Each of three lines asks for two topics, Alice for four; together they ask for six."""

    async def run() -> None:
        hub = RpcHub()
        two = Subscription("logs", log_filter({"topics": [["0x" + each.hex() for each in (TOPIC, OTHER)]]}))
        unused = ["0x" + bytes([n]).hex() * 32 for n in (3, 4, 5)]
        four = Subscription("logs", log_filter({"topics": [["0x" + OTHER.hex(), *unused]]}))
        lines = {f"line {n}": (line(1, n), two) for n in range(3)}
        order = order_of_telling(hub, {**lines, "alice": (OTHER_SITE, four)})
        publish(hub, logs(OTHER))
        await told(hub)
        assert [name for name, _ in order] == ["alice", "line 0", "line 1", "line 2"]

    asyncio.run(run())


def transactions_heard(
    monkeypatch: pytest.MonkeyPatch, shares: dict[str, Hashable], count: int
) -> list[tuple[str, int]]:
    """Who hears of which transaction, in this order. Each listens with one stream. There is one at first, and with each
    that somebody hears of another comes, and the time of a round is over, until there were `count`."""
    in_smallest_parts(monkeypatch)
    clock = SimpleNamespace(s=0.0, monotonic=lambda: clock.s)
    monkeypatch.setattr(pending_news, "time", clock)

    async def run() -> list[tuple[str, int]]:
        hub, order = RpcHub(), []

        def hear(name: str, payload: bytes) -> None:
            order.append((name, int(payload[-4:-3])))
            if len(order) < count:
                clock.s += 1.0
                hub.publish_pending(number(len(order)), b"")

        for name, share in shares.items():
            session = session_of(hub, share=share)
            session.subscribe(PENDING)
            link_of(session).send = partial(hear, name)  # type: ignore[method-assign]
        hub.publish_pending(number(0), b"")
        while hub._pending_news._teller is not None:
            await asyncio.sleep(0)
        return order

    return asyncio.run(run())


def test_who_listens_alone_hears_of_transactions_before_the_lines_of_a_site(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 lines of a site with a stream each connected before Alice: at 100 transactions a second she heard of 18 of
    1,200, and was cut. Here there are two lines and four transactions: she hears of each first."""
    shares = {"line 0": line(1, 0), "line 1": line(1, 1), "alice": OTHER_SITE}
    order = transactions_heard(monkeypatch, shares, 4)
    assert order[:4] == [("alice", n) for n in range(4)]
    assert sorted(order) == [(name, n) for name in ("alice", "line 0", "line 1") for n in range(4)]


def test_of_equal_listeners_whoever_is_furthest_behind_hears_of_transactions_first(
    made: list[Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three sites with a stream each, and a round ends with each message: whoever came first heard of all before the
    others heard of any."""
    shares = {"first": line(1, 0), "second": line(2, 0), "third": line(3, 0)}
    order = transactions_heard(monkeypatch, shares, 4)
    assert [name for name, _ in order[:4]] == ["first", "second", "third", "first"]
    assert sorted(order) == [(name, n) for name in ("first", "second", "third") for n in range(4)]
