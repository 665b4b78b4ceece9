"""Account states are sent first for accounts that a batch changed, and a sender may watch a bounded number of them."""

import asyncio
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.exchange.channels import feed, outlet
from coinone.interfaces.api.exchange.channels.account_states import STATE_NAMES
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.limits import (
    QUERIES_PER_VISIT,
    WS_SUBSCRIPTIONS_MAX,
    WS_WATCHED_PER_SENDER_MAX,
    WS_WATCHED_PER_SITE_MAX,
)
from coinone.interfaces.api.sockets.hub import Connection, Hub
from tests.interfaces.api.rpc_stand import line
from tests.interfaces.api.stream_stand import ALICE, Listener, Stand, deposit

TOO_MANY = "too many accounts watched by one {}"


def state_of(number: int) -> tuple[str, str]:
    return "openOrders", number.to_bytes(20, "big").hex()


class Named(Listener):
    """Notes whose state it is told."""

    def __init__(self, share: str) -> None:
        super().__init__()
        self.share = share
        self.order: list[str] = []

    def queue(self, frame: bytes) -> None:
        super().queue(frame)
        self.order.append(self.messages[-1]["data"]["user"][2:])


def watch(hub: Hub, share: str, first: int, count: int) -> Connection:
    connection = Connection(None, share)  # type: ignore[arg-type]
    for number in range(first, first + count):
        hub.subscribe(connection, state_of(number))
    return connection


def hub_of_a_full_site() -> Hub:
    """Its site 1 watches as many accounts as it may, with four lines."""
    hub = Hub(STATE_NAMES)
    for n in range(WS_WATCHED_PER_SITE_MAX // WS_WATCHED_PER_SENDER_MAX):
        watch(hub, line(1, n), n * WS_WATCHED_PER_SENDER_MAX, WS_WATCHED_PER_SENDER_MAX)
    return hub


def test_an_account_that_a_batch_touches_is_told_before_those_that_are_only_due(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 63,720 watched accounts of one /48 own orders came 5 to 10 s after the answer. Here 200 are watched, and
    while the first 64 are read a batch touches Alice's, who listened last: 64 others hear before her, not 200."""
    monkeypatch.setattr(feed, "WS_STATES_WAIT_S", 0.0)
    monkeypatch.setattr(reads, "account_view", lambda *_: reads.NO_ACCOUNT)
    monkeypatch.setattr(outlet, "without_time", lambda payload: object())  # whatever is told is news
    order: list[str] = []

    async def run() -> None:
        listener = Named(line(1, 0))
        for key in (*map(state_of, range(200)), ("openOrders", ALICE.hex())):
            await stand.subscribe(key, listener)
        listener.order = order
        stand.happen()
        stand.meanwhile = touch_alice
        await stand.tell()
        while len(order) < 201:
            await asyncio.sleep(0)

    async def touch_alice() -> Any:
        stand.happen(deposit(1))
        await stand.tell()

    asyncio.run(run())
    assert order.index(ALICE.hex()) == QUERIES_PER_VISIT == 64
    assert len(set(order)) == 201, "and everybody is told"


def test_who_watches_few_accounts_hears_of_them_each_second_while_others_are_told(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside 63,720 accounts of 18 /48s that of a listener was told anew after 11 s, as marks moved, instead of 1 s.
    Here Alice's is first of 201, and again after 64, when a second is over."""
    monkeypatch.setattr(feed, "WS_STATES_WAIT_S", 60.0)
    monkeypatch.setattr(reads, "account_view", lambda *_: reads.NO_ACCOUNT)
    monkeypatch.setattr(outlet, "without_time", lambda payload: object())

    async def run() -> list[str]:
        crowd, alice, order = Named(line(1, 0)), Named(line(2, 0)), []
        for key in map(state_of, range(200)):
            await stand.subscribe(key, crowd)
        await stand.subscribe(("openOrders", ALICE.hex()), alice)
        crowd.order = alice.order = order
        stand.happen()
        stand.meanwhile = a_second_passes
        await stand.tell()
        return order

    async def a_second_passes() -> None:
        stand.data.adopt(stand.view(1001))

    order = asyncio.run(run())
    assert [place for place, user in enumerate(order) if user == ALICE.hex()] == [0, 64]
    assert len(order) == 202


def test_an_account_is_told_with_the_batch_that_touches_it_where_all_were_told_since_the_last(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were told after the last batch had ceased to wait for them: then a batch only took note of their end, and
    whom it touched waited for the next one."""
    monkeypatch.setattr(feed, "WS_STATES_WAIT_S", 0.0)
    monkeypatch.setattr(reads, "account_view", lambda *_: reads.NO_ACCOUNT)
    monkeypatch.setattr(outlet, "without_time", lambda payload: object())

    async def run() -> list[int]:
        messages, counts = await stand.subscribe(("openOrders", ALICE.hex())), []
        for _ in range(3):
            stand.happen(deposit(1))
            await stand.tell()
            for _ in range(100):
                await asyncio.sleep(0)
            counts.append(len(messages))
        return counts

    assert asyncio.run(run()) == [2, 3, 4]


def test_a_sender_watches_a_thousand_accounts_and_its_site_four_thousand() -> None:
    """With any channels: a second one of an account it watches is no further account."""
    hub = hub_of_a_full_site()
    first = Connection(None, line(1, 0))  # type: ignore[arg-type]
    hub.subscribe(first, ("webData2", state_of(0)[1]))
    hub.subscribe(first, ("userFills", state_of(9999)[1]))
    for share, whose in ((line(1, 0), "sender"), (line(1, 9), "IPv6 /48")):
        with pytest.raises(LimitExceeded, match=TOO_MANY.format(whose)):
            watch(hub, share, 9999, 1)
    watch(hub, line(2, 0), 9999, WS_WATCHED_PER_SENDER_MAX)
    assert WS_WATCHED_PER_SENDER_MAX == WS_SUBSCRIPTIONS_MAX, "one connection may use them up"


def test_who_stops_to_watch_makes_room_for_as_much_as_it_had() -> None:
    """One account, then the other 999 of a line; what is refused is not counted."""
    hub = hub_of_a_full_site()
    connection = next(iter(hub._listeners["openOrders"][state_of(0)]))
    assert [hub.unsubscribe(connection, state_of(0)) for _ in range(2)] == [True, False]
    other = watch(hub, line(1, 9), 5000, 1)
    for _ in range(2):
        with pytest.raises(LimitExceeded):
            hub.subscribe(other, state_of(9999))
    hub.leave(connection)
    for number in range(WS_WATCHED_PER_SENDER_MAX - 1):
        hub.subscribe(other, state_of(6000 + number))
    with pytest.raises(LimitExceeded):
        watch(hub, line(1, 8), 9999, 1)


def test_when_all_have_left_nothing_of_what_they_watched_is_kept() -> None:
    hub = Hub(STATE_NAMES)
    connections = [watch(hub, share, 0, 3) for share in (line(1, 0), line(2, 0), "203.0.113.1")]
    hub.subscribe(connections[0], ("activeAssetData", state_of(0)[1], "BTC"))
    assert list(hub.watched) == [state_of(n)[1] for n in range(3)]
    assert hub.watched.keys_of(state_of(0)[1]) == [state_of(0), ("activeAssetData", state_of(0)[1], "BTC")]
    for connection in connections:
        hub.leave(connection)
    assert not list(hub.watched) and not hub.watched._held
